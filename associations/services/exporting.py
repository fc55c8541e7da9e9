"""Export: records and associations as rows of text, one after the other in id order; memory stays as it is.

The first row names the columns. What `import_records` reads back is what was there: values are written in the form
that they are read from, and text that a spreadsheet would run is shielded (see formulas).
Called by the commands `export_records` and `export_associations`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from associations import querysets
from associations.errors import Refused
from associations.models import AssociationEnd, ChangeSet, ObjectType, Record
from associations.types import DirectedType

from .formulas import shielded

CHUNK = 2000


def record_rows(
    object_type: ObjectType, properties: Sequence[str] | None = None, *, archived: bool = False
) -> Iterator[list[str]]:
    """The live records of a type (with `archived` these as well): id, some or all properties, and when.

    Raises Refused for a property that does not exist.
    """
    known = list(object_type.properties.values_list("name", flat=True))
    chosen = known if properties is None else list(properties)
    if missing := [name for name in chosen if name not in known]:
        raise Refused(f"{object_type.label} has no property {missing[0]!r}; it has: {', '.join(sorted(known))}.")
    return _record_rows(object_type, chosen, archived)


def _record_rows(object_type: ObjectType, chosen: Sequence[str], archived: bool) -> Iterator[list[str]]:
    yield header(chosen)
    yield from rows_of(
        Record.objects.filter(object_type=object_type) if archived else querysets.live_records(object_type), chosen
    )


def header(chosen: Sequence[str]) -> list[str]:
    """The names of the columns. A property may be called as one of ours; its name never starts with an underscore."""
    own = [f"_{name}" if name in chosen else name for name in ("id", "created_at", "updated_at", "archived_at")]
    return [own[0], *chosen, *own[1:]]


def rows_of(records: QuerySet[Record], chosen: Sequence[str]) -> Iterator[list[str]]:
    """The rows of some records of one type in id order, without the header."""
    rows = records.order_by("id").values_list("id", "properties", "created_at", "updated_at", "archived_at")
    for id_, values, *times in rows.iterator(chunk_size=CHUNK):
        yield [str(id_), *(_text(values.get(name)) for name in chosen), *(_time(at) for at in times)]


ASSOCIATION_COLUMNS = [
    "from_type", "from_id", "to_type", "to_id", "type_id", "label", "inverse_label", "at", "source", "user", "note",
]  # fmt: skip


def association_rows(
    from_type: ObjectType | None = None, to_type: ObjectType | None = None, label: DirectedType | None = None
) -> Iterator[list[str]]:
    """Every association and label once, with both words and the change that made it.

    In the direction that the filters ask for; where they leave it open, as the type is defined. The unlabeled type,
    which every associated pair has, has no words.
    """
    yield ASSOCIATION_COLUMNS
    types = {each.type_id: each for each in _directions(from_type, to_type, label)}
    symmetric = [type_id for type_id, each in types.items() if each.type.is_symmetric]
    ends = (
        AssociationEnd.objects.filter(type_id__in=types)
        .exclude(Q(type_id__in=symmetric) & Q(record_id__gt=F("other_id")))
        .order_by("record_id", "type_id", "other_id")
        .values_list("record_id", "other_id", "type_id", "change_set_id")
        .iterator(chunk_size=CHUNK)
    )
    while chunk := list(itertools.islice(ends, CHUNK)):
        made_by = _provenance(change_set_id for *_, change_set_id in chunk)
        for record_id, other_id, type_id, change_set_id in chunk:
            directed = types[type_id]
            yield [
                directed.record_type.name,
                str(record_id),
                directed.other_type.name,
                str(other_id),
                str(type_id),
                shielded(directed.label),
                shielded(directed.reverse.label),
                *made_by.get(change_set_id, ["", "", "", ""]),
            ]


def _directions(
    from_type: ObjectType | None, to_type: ObjectType | None, label: DirectedType | None
) -> Iterator[DirectedType]:
    """Each type that the filters admit, in the first direction in which they do."""
    types = [label.type] if label else querysets.association_types()
    for type_ in types:
        for directed in [label] if label else [DirectedType(type_, outgoing) for outgoing in (True, False)]:
            if from_type in (None, directed.record_type) and to_type in (None, directed.other_type):
                yield directed
                break


def _provenance(change_set_ids: Iterable[int]) -> dict[int, list[str]]:
    """When, through what, by whom and with which note."""
    found = ChangeSet.objects.filter(id__in=set(change_set_ids)).select_related("user")
    return {
        each.pk: [_time(each.at), each.source, shielded(each.user.username if each.user else ""), shielded(each.note)]
        for each in found
    }


def _text(value: Any) -> str:
    """The written form of a value."""
    if isinstance(value, bool):
        return str(value).lower()
    return shielded(value) if isinstance(value, str) else "" if value is None else str(value)


def _time(at: datetime | None) -> str:
    return at.isoformat() if at else ""
