"""Beyond HubSpot: turn flows on and off, enroll and unenroll records, look at revisions. Thin over the services."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from associations.querysets import Surroundings
from crmproject.api.documenting import AFTER, documented, limit
from crmproject.api.errors import bad_request, iso, not_found, shown
from crmproject.api.paging import collection, next_page, read_after, read_id, read_limit
from crmproject.api.reading import read, read_body
from workflows.flows import write_flow
from workflows.services import enrollment, flows, unenrolling

from . import bodies, run_bodies
from .base import BEYOND, ENABLE, RUN, AutomationView
from .runs import represent_runs

MOST_NAMED = 10_000
MOST = 100
EVERYBODY: list[list[dict[str, Any]]] = [[]]


class TurnOn(AutomationView):
    name = "Turn on"
    permissions = {"POST": ENABLE}

    def example(self) -> Any:
        return {"enrollExistingRecords": False}

    @documented(
        "Turn a flow on, with or without the records that meet its triggers now",
        {200: bodies.ApiFlow},
        body=bodies.TurnOn,
        tag=BEYOND,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        asked = read(request.data or {}, bodies.TurnOn)
        if asked.enroll_existing_records:
            self.require(RUN)
        switched = flows.switch_flow(
            self.workflow(), on=True, enroll_existing=asked.enroll_existing_records, user_id=self.user_id
        )
        return Response(flows.flows_of([switched])[0])


class TurnOff(AutomationView):
    name = "Turn off"
    permissions = {"POST": ENABLE}

    @documented("Turn a flow off; actions not done yet are skipped", {200: bodies.ApiFlow}, tag=BEYOND)
    def post(self, request: Request, **kwargs: str) -> Response:
        return Response(flows.flows_of([flows.switch_flow(self.workflow(), on=False)])[0])


class Enroll(AutomationView):
    name = "Enroll records"
    permissions = {"POST": RUN}

    def example(self) -> Any:
        return {"inputs": [{"id": "1"}]}

    @documented(
        "Enroll records: named ones, those that meet the triggers now, or all",
        {201: run_bodies.Run},
        body=bodies.Enroll,
        tag=BEYOND,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        workflow, asked = self.workflow(), read_body(request, bodies.Enroll)
        if (asked.inputs is None) == (asked.enroll is None):
            raise bad_request("Say whom to enroll: either inputs, the records, or enroll, MATCHING or ALL.")
        if asked.inputs is not None:
            run = enrollment.enroll_records(workflow, _ids(asked.inputs), user_id=self.user_id)
        else:
            criteria = EVERYBODY if asked.enroll == "ALL" else None
            run = enrollment.enroll_matching(workflow, criteria, user_id=self.user_id)
        return Response(represent_runs([run])[0], status=201)


class Unenroll(AutomationView):
    name = "Unenroll records"
    permissions = {"POST": RUN}

    def example(self) -> Any:
        return {"inputs": [{"id": "1"}]}

    @documented(
        "Unenroll records; actions not done yet are left out",
        {200: bodies.Unenrolled},
        body=bodies.Unenroll,
        tag=BEYOND,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        ids = _ids(read_body(request, bodies.Unenroll).inputs)
        return Response({"unenrolled": unenrolling.unenroll_records(self.workflow(), ids)})


def _ids(inputs: list[bodies.RecordId]) -> list[int]:
    if len(inputs) > MOST_NAMED:
        raise bad_request(f"At most {MOST_NAMED:,} records can be named at once, and these are {len(inputs):,}.")
    ids = []
    for number, each in enumerate(inputs):
        if (id_ := read_id(each.id)) is None:
            message = f"{shown(each.id)!r} is no record id."
            raise bad_request(message, errors=[{"message": message, "in": f"inputs[{number}].id"}])
        ids.append(id_)
    if not ids:
        raise bad_request("inputs is empty; say which records.")
    return ids


class Revisions(AutomationView):
    name = "Revisions"

    @documented(
        "What ran and what runs, the newest first",
        {200: bodies.CollectionResponseRevisions},
        parameters=[limit(MOST, MOST), AFTER],
        tag=BEYOND,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        workflow = self.workflow()
        most, before = read_limit(request, default=MOST, most=MOST), read_after(request.query_params.get("after"))
        revisions = workflow.revisions.order_by("-number")
        found = list((revisions.filter(number__lt=before) if before else revisions)[: most + 1])
        paging = next_page(request, found[most - 1].number) if len(found) > most else None
        results = [
            {
                "revisionId": str(each.edits),
                "number": each.number,
                "createdAt": iso(each.created_at),
                "createdByUserId": str(each.created_by_id) if each.created_by_id else None,
                "isCurrent": workflow.is_enabled and each.pk == workflow.revision_id,
            }
            for each in found[:most]
        ]
        return Response(collection(results, paging))


class Revision(AutomationView):
    name = "Revision"

    @documented("A flow as it was in a revision", {200: bodies.ApiFlow}, tag=BEYOND)
    def get(self, request: Request, **kwargs: str) -> Response:
        workflow, edits = self.workflow(), read_id(self.kwargs["revisionId"])
        if edits == workflow.edits:
            return Response(flows.flows_of([workflow])[0])
        revision = workflow.revisions.filter(edits=edits).first() if edits else None
        if revision is None:
            raise not_found(f"No revision {shown(self.kwargs['revisionId'])} of this flow ever ran.")
        flow = write_flow(workflow, revision.definition, Surroundings(workflow.object_type))
        return Response({**flow, "revisionId": str(revision.edits), "isEnabled": False})
