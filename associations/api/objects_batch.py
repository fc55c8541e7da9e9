"""`/crm/v3/objects/{objectType}/batch/…`: up to 100 records in one request, all or none.

Where every input names itself by an `objectWriteTraceId` the good ones are kept, and the answer (207) says which were
not. Thin over the services of records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from associations.errors import InvalidRecords, Missing, Refused
from associations.models import Record
from associations.services import archiving
from associations.services.associating import create_records
from associations.services.records import RecordInput, Saved, save_records
from crmproject.api.documenting import ARCHIVED, documented
from crmproject.api.errors import ApiError, bad_request, shown
from crmproject.api.reading import read_body, read_flag

from . import bodies
from .base import CrmView, body_id, refuse_many
from .errors import invalid_records
from .finding import find_records, identifying, ids_by
from .objects import example_properties, missing_error, new_records, refuse_read_only
from .records import histories_of, represent, represent_saved, shown_names

TAG = "CRM objects: batches"
WITH_HISTORY_MOST = 50


class BatchView(CrmView):
    def example(self) -> Any:
        return {"inputs": [{"id": ""}]}


class BatchRead(BatchView):
    reads = True

    def example(self) -> Any:
        return {"inputs": [{"id": ""}], "properties": [self.object_type.primary_property]}

    @documented(
        "Read records by their ids, or by the values of a unique property",
        {200: bodies.BatchResponseSimplePublicObject, 207: bodies.BatchResponseSimplePublicObject},
        body=bodies.BatchReadInput,
        parameters=[ARCHIVED],
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.BatchReadInput)
        with_history = body.properties_with_history or []
        if with_history:
            refuse_many(body.inputs, WITH_HISTORY_MOST, "a batch request for property histories")
        refuse_many(body.inputs)
        records, missing = find_records(
            self.object_type,
            [each.id for each in body.inputs],
            body.id_property,
            archived=read_flag(request, "archived"),
        )
        names = shown_names(self.object_type, [*(body.properties or []), *with_history])
        histories = histories_of(records, with_history) if with_history else {}
        results = [
            represent(each, names, **({"propertiesWithHistory": histories[each.pk]} if with_history else {}))
            for each in records
        ]
        return self.batch(results, errors=[missing_error(self.object_type, missing)] if missing else [])


class BatchCreate(BatchView):
    def example(self) -> Any:
        return {"inputs": [{"properties": example_properties(self.object_type), "associations": []}]}

    @documented(
        "Create records, associated or not",
        {201: bodies.BatchResponseSimplePublicObject, 207: bodies.BatchResponseSimplePublicObject},
        body=bodies.BatchInputForCreate,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = read_body(request, bodies.BatchInputForCreate).inputs
        refuse_many(inputs)
        for each in inputs:
            refuse_read_only(each.properties)
        new = new_records(inputs)

        def save(indexes: Sequence[int]) -> Saved:
            return create_records(self.object_type, [new[index] for index in indexes], origin=self.origin)

        saved, errors = save_traced([each.object_write_trace_id for each in inputs], save)
        results = [
            represent_saved(self.object_type, record, inputs[index].properties, **traced(inputs[index]))
            for index, record in saved
        ]
        return self.batch(results, 201, errors)


def _read_changes(request: Request) -> list[bodies.SimplePublicObjectBatchInput]:
    """What an update or an upsert asks for."""
    inputs = read_body(request, bodies.BatchInputForUpdate).inputs
    refuse_many(inputs)
    for each in inputs:
        refuse_read_only(each.properties)
    return inputs


class BatchUpdate(BatchView):
    write_permissions = {"POST": "change_record"}

    def example(self) -> Any:
        return {"inputs": [{"id": "", "properties": example_properties(self.object_type)}]}

    @documented(
        "Change properties of records",
        {200: bodies.BatchResponseSimplePublicObject, 207: bodies.BatchResponseSimplePublicObject},
        body=bodies.BatchInputForUpdate,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = _read_changes(request)
        ids = self._ids(inputs)
        changes = [RecordInput(each.properties, id=id_) for each, id_ in zip(inputs, ids, strict=True)]

        def save(indexes: Sequence[int]) -> Saved:
            return save_records(self.object_type, [changes[index] for index in indexes], origin=self.origin)

        saved, errors = save_traced([each.object_write_trace_id for each in inputs], save, ids)
        results = [
            represent_saved(self.object_type, record, inputs[index].properties, **traced(inputs[index]))
            for index, record in saved
        ]
        return self.batch(results, errors=errors)

    def _ids(self, inputs: Sequence[bodies.SimplePublicObjectBatchInput]) -> list[int]:
        """The record ids; 0, which no record has, for a value of a unique property that none has."""
        by_property: dict[str | None, list[int]] = {}
        for index, each in enumerate(inputs):
            by_property.setdefault(each.id_property, []).append(index)
        ids = [0] * len(inputs)
        for id_property, indexes in by_property.items():
            if not id_property:
                for index in indexes:
                    ids[index] = body_id(inputs[index].id)
                continue
            found = ids_by(self.object_type, id_property, [inputs[index].id for index in indexes])
            for index, id_ in zip(indexes, found, strict=True):
                ids[index] = id_ or 0
        return ids


class BatchUpsert(BatchView):
    write_permissions = {"POST": "change_record"}

    def example(self) -> Any:
        return {"inputs": [{"idProperty": "email", "id": "", "properties": {}}]}

    @documented(
        "Change the records that have these values of a unique property, and create those that there are not",
        {200: bodies.BatchResponseSimplePublicUpsertObject, 207: bodies.BatchResponseSimplePublicUpsertObject},
        body=bodies.BatchInputForUpdate,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = _read_changes(request)
        by = self._property(inputs)
        wanted = [
            RecordInput({by: each.id, **each.properties} if by else each.properties, None if by else body_id(each.id))
            for each in inputs
        ]

        def save(indexes: Sequence[int]) -> Saved:
            chosen = [wanted[index] for index in indexes]
            return save_records(self.object_type, chosen, origin=self.origin, upsert_by=by)

        created: set[int] = set()
        saved, errors = save_traced([each.object_write_trace_id for each in inputs], save, created=created)
        results = [
            represent_saved(
                self.object_type,
                record,
                wanted[index].properties,
                new=record.pk in created,
                **traced(inputs[index]),
            )
            for index, record in saved
        ]
        return self.batch(results, errors=errors)

    def _property(self, inputs: Sequence[bodies.SimplePublicObjectBatchInput]) -> str | None:
        """The one unique property by which all inputs find their records; None for ids."""
        properties = {each.id_property or None for each in inputs}
        if len(properties) > 1:
            raise bad_request("All inputs of one request should have the same idProperty.")
        by = properties.pop() if properties else None
        if by in (None, "hs_object_id"):
            return None
        identifying(self.object_type, str(by))
        return by


class BatchArchive(BatchView):
    write_permissions = {"POST": "change_record"}

    @documented(
        "Archive records; ids that there are not, or that are archived, are passed over",
        {204: None},
        body=bodies.BatchInputId,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = read_body(request, bodies.BatchInputId).inputs
        refuse_many(inputs)
        archiving.archive_records(self.object_type, [body_id(each.id) for each in inputs], origin=self.origin)
        return self.empty()


# Some of a batch --------------------------------------------------------------------------------

Indexed = list[tuple[int, Record]]


def save_traced(
    trace_ids: Sequence[str | None],
    save: Callable[[Sequence[int]], Saved],
    ids: Sequence[int] = (),
    created: set[int] | None = None,
) -> tuple[Indexed, list[dict[str, Any]]]:
    """Save a batch: the records by the index of their input, and the errors.

    All or none, unless each input has a trace id: then those that are refused are left out and told. `save` takes the
    indexes of the inputs to save; `ids` are the records that they change.
    """
    left = list(range(len(trace_ids)))
    errors: list[dict[str, Any]] = []
    while left:
        try:
            saved = save(left)
        except (InvalidRecords, Missing) as error:
            if not all(trace_ids):
                raise
            bad = _refused(error, left, ids)
            if not bad:
                raise
            errors += [_told(bad[index], str(trace_ids[index])) for index in sorted(bad)]
            left = [index for index in left if index not in bad]
        else:
            if created is not None:
                created |= saved.created
            return list(zip(left, saved.records, strict=True)), errors
    return [], errors


def _refused(error: Refused, left: Sequence[int], ids: Sequence[int]) -> dict[int, ApiError]:
    """Why which inputs were refused."""
    if isinstance(error, Missing):
        return {
            index: ApiError(404, f"There is no record {shown(ids[index])}, or it is archived.")
            for index in left
            if ids and ids[index] in error.ids
        }
    assert isinstance(error, InvalidRecords)
    problems: dict[int, list[Any]] = {}
    for problem in error.problems:
        problems.setdefault(left[problem.index], []).append(problem)
    return {index: invalid_records(InvalidRecords(each)) for index, each in problems.items()}


def _told(error: ApiError, trace_id: str) -> dict[str, Any]:
    return {
        "status": "error",
        "category": error.body["category"],
        "message": error.message,
        "context": {"objectWriteTraceId": [trace_id]},
    }


def traced(given: bodies.SimplePublicObjectInputForCreate | bodies.SimplePublicObjectBatchInput) -> dict[str, str]:
    return {"objectWriteTraceId": given.object_write_trace_id} if given.object_write_trace_id else {}
