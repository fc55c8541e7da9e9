"""Records as the API shows them: which properties, their history, and whom they are associated with.

A fixed number of queries for any number of records. Called by the views of objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from associations import sql
from associations.models import AssociationEnd, ChangeSet, ObjectType, Record, RecordEvent
from associations.querysets import types_of_pair
from associations.system_properties import COLUMNS, always_shown, moment, system_value, text_of
from associations.types import DirectedType

from .base import full_name, plural_name

# What is shown of a record when nobody says what.
DEFAULTS = {
    "contact": ("email", "firstname", "lastname"),
    "company": ("name", "domain"),
    "deal": ("amount", "closedate", "dealname", "dealstage", "pipeline"),
    "ticket": (
        "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_priority", "subject"
    ),
}  # fmt: skip
SHOWN_ASSOCIATIONS = 100
SOURCE_TYPES = {
    ChangeSet.Source.USER: "CRM_UI",
    ChangeSet.Source.API: "INTEGRATION",
    ChangeSet.Source.IMPORT: "IMPORT",
    ChangeSet.Source.WORKFLOW: "AUTOMATION_PLATFORM",
    ChangeSet.Source.SYSTEM: "INTERNAL_PROCESSING",
}


def defaults_of(object_type: ObjectType) -> tuple[str, ...]:
    if object_type.name in DEFAULTS and object_type.is_builtin:
        return DEFAULTS[object_type.name]
    return (object_type.primary_property, *object_type.required_properties, *object_type.secondary_properties)


def shown_names(object_type: ObjectType, asked: Sequence[str]) -> list[str]:
    """The properties to show: those asked for that there are, or the defaults. The system's come always."""
    always = always_shown(object_type)
    if not asked:
        return list(dict.fromkeys((*always, *defaults_of(object_type))))
    known = set(object_type.properties.filter(name__in=asked).values_list("name", flat=True)) | COLUMNS.keys()
    return list(dict.fromkeys((*always, *(name for name in asked if name in known))))


def value_of(record: Record, name: str) -> str | None:
    if name in COLUMNS:
        return system_value(record, name)
    return text_of(record.properties.get(name))


def represent(record: Record, names: Iterable[str], **more: Any) -> dict[str, Any]:
    """SimplePublicObject: `names` are the properties, with null for no value."""
    archived = record.archived_at is not None
    return {
        "id": str(record.pk),
        "properties": {name: value_of(record, name) for name in names},
        "createdAt": moment(record.created_at),
        "updatedAt": moment(record.updated_at),
        "archived": archived,
        **({"archivedAt": moment(record.archived_at)} if record.archived_at else {}),
        **more,
    }


def represent_saved(object_type: ObjectType, record: Record, given: Iterable[str], **more: Any) -> dict[str, Any]:
    """A record just saved: the properties that were set, and of the defaults those that have a value."""
    names = [*always_shown(object_type), *(name for name in defaults_of(object_type) if name in record.properties)]
    return represent(record, dict.fromkeys((*names, *given)), **more)


# History ----------------------------------------------------------------------------------------


def histories_of(records: Sequence[Record], names: Sequence[str]) -> dict[int, dict[str, list[dict[str, Any]]]]:
    """propertiesWithHistory of each record: the values that a property had, the newest first."""
    events = (
        RecordEvent.objects.filter(record__in=sql.these([each.pk for each in records]))
        .exclude(kind__in=[RecordEvent.Kind.ARCHIVED, RecordEvent.Kind.RESTORED])
        .select_related("change_set")
        .order_by("record_id", "-id")
    )
    by_record: dict[int, list[RecordEvent]] = {}
    for event in events:
        by_record.setdefault(event.record_id, []).append(event)
    return {
        record.pk: {name: _history(record, name, by_record.get(record.pk, [])) for name in names} for record in records
    }


def _history(record: Record, name: str, events: Sequence[RecordEvent]) -> list[dict[str, Any]]:
    """Going back from the value of now: each event that changed it tells what it made of what was before."""
    versions = []
    value = record.properties.get(name)
    for event in events:
        before = event.before.get(name)
        if before != value:
            change = event.change_set
            versions.append(
                {
                    "value": text_of(value) or "",
                    "timestamp": moment(change.at),
                    "sourceType": SOURCE_TYPES[ChangeSet.Source(change.source)],
                    **({"sourceId": str(change.source_id)} if change.source_id else {}),
                    **({"sourceLabel": change.note} if change.note else {}),
                    **({"updatedByUserId": change.user_id} if change.user_id else {}),
                }
            )
            value = before
    return versions


# Associations -----------------------------------------------------------------------------------


def type_names(object_type: ObjectType, other: ObjectType) -> dict[int, str]:
    """What each type id of a pair is called in an `associations` block: contact_to_company_unlabeled and so on."""
    directed_types = types_of_pair(object_type, other)
    pair = f"{_snake(object_type)}_to_{_snake(other)}"
    has_primary = any(each.type.is_primary for each in directed_types)
    return {each.type_id: _type_name(each, pair, has_primary=has_primary) for each in directed_types}


def _type_name(directed: DirectedType, pair: str, *, has_primary: bool) -> str:
    if directed.type.is_primary:
        return pair
    if directed.type.is_unlabeled:
        return f"{pair}_unlabeled" if has_primary else pair
    if directed.type.is_paired_within_one_type and not directed.outgoing:
        return f"{directed.type.name}_inverse"
    return directed.type.name


def _snake(object_type: ObjectType) -> str:
    return object_type.name if object_type.is_builtin else full_name(object_type)


def associations_of(
    records: Sequence[Record], object_type: ObjectType, others: Sequence[ObjectType]
) -> dict[int, dict[str, list[tuple[int, str]]]]:
    """By record and key (companies): the others and the type's name, in id order, one more than is shown.

    Archived others are left out.
    """
    found: dict[int, dict[str, list[tuple[int, str]]]] = {}
    for other in others:
        names = type_names(object_type, other)
        place = Window(RowNumber(), partition_by=F("record_id"), order_by=[F("other_id"), F("type_id")])
        ends = (
            AssociationEnd.objects.filter(
                record__in=sql.these([each.pk for each in records]), type_id__in=names, other__archived_at=None
            )
            .annotate(place=place)
            .filter(place__lte=SHOWN_ASSOCIATIONS + 1)
            .order_by("record_id", "place")
            .values_list("record_id", "other_id", "type_id")
        )
        for record_id, other_id, type_id in ends:
            by_key = found.setdefault(record_id, {})
            by_key.setdefault(plural_name(other), []).append((other_id, names[type_id]))
    return found


def association_block(found: Mapping[str, Sequence[tuple[int, str]]], address: str) -> dict[str, Any]:
    """`associations` of one record; `address` is that of its associations, for the rest of a long list."""
    block = {}
    for key, entries in found.items():
        shown = entries[:SHOWN_ASSOCIATIONS]
        block[key] = {"results": [{"id": str(id_), "type": name} for id_, name in shown]}
        if len(entries) > len(shown):
            after = str(shown[-1][0])
            block[key]["paging"] = {"next": {"after": after, "link": f"{address}/{key}?after={after}"}}  # type: ignore[assignment]
    return block
