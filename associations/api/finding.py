"""Find records as the API names them: by id, or by the value of a property that identifies them.

Called by the views of objects.
"""

from __future__ import annotations

from collections.abc import Sequence

from associations import sql
from associations.models import ObjectType, Property, Record
from associations.querysets import live_records
from associations.services.derived import holders_of, unique_key
from crmproject.api.errors import bad_request, not_found, shown
from crmproject.api.paging import read_id


def ids_by(object_type: ObjectType, id_property: str | None, raw: Sequence[str]) -> list[int | None]:
    """The record id for each of these, None for what names no record: at most two queries.

    Without `id_property` they are ids. Raises ApiError for a property that does not identify a record.
    """
    if not id_property or id_property == "hs_object_id":
        return [read_id(each) for each in raw]
    prop = identifying(object_type, id_property)
    keys = [unique_key(each) for each in raw]
    holders = holders_of(prop, [key for key in keys if key])
    return [holders.get(key) if key else None for key in keys]


def identifying(object_type: ObjectType, name: str) -> Property:
    prop = object_type.properties.filter(name=name, has_unique_value=True).select_related("object_type").first()
    if prop is None:
        raise bad_request(
            f"idProperty {shown(name)!r} is no property of {object_type.plural_label} with unique values."
        )
    return prop


def find_record(object_type: ObjectType, raw: str, id_property: str | None, *, archived: bool = False) -> Record:
    """One record; of one that was merged the one that it was merged into. Raises ApiError (404) if there is none."""
    [id_] = ids_by(object_type, id_property, [raw])
    for _ in range(10):  # a merged record may have been merged again
        record = Record.objects.filter(object_type=object_type, pk=id_).first() if id_ else None
        if record is None:
            raise not_found()
        if record.merged_into_id is None:
            if (record.archived_at is not None) != archived:
                raise not_found()
            return record
        id_ = record.merged_into_id
    raise not_found()


def find_live_id(object_type: ObjectType, raw: str, id_property: str | None) -> int:
    """The id of a live record, to be changed. Raises ApiError (404) if there is none."""
    [id_] = ids_by(object_type, id_property, [raw])
    if id_ is None:
        raise not_found()
    return id_


def find_records(
    object_type: ObjectType, raw: Sequence[str], id_property: str | None, *, archived: bool = False
) -> tuple[list[Record], list[str]]:
    """The records in the order asked for, each once, and what named none."""
    ids = ids_by(object_type, id_property, raw)
    wanted = [id_ for id_ in ids if id_ is not None]
    if archived:
        records = Record.objects.filter(object_type=object_type, merged_into=None).exclude(archived_at=None)
        records = records.filter(pk__in=sql.these(wanted))
    else:
        records = live_records(object_type, wanted)
    found = {record.pk: record for record in records}
    missing = [each for each, id_ in zip(raw, ids, strict=True) if id_ not in found]
    return [found[id_] for id_ in dict.fromkeys(wanted) if id_ in found], list(dict.fromkeys(missing))
