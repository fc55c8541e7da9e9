"""Merge two records of one type: the survivor keeps the union of their associations and labels [H].

Called by admin and API.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from associations import querysets, sql
from associations.comparison import name_key
from associations.errors import LimitReached, Missing, Refused
from associations.models import ObjectType, Record, RecordEvent

from .archiving import lock_records
from .derived import lock_schema, remove_derived, write_derived
from .origin import Origin, open_change_set, write_events


def merge_records(object_type: ObjectType, survivor_id: int, merged_id: int, *, origin: Origin) -> Record:
    """Merge one record into another: its values fill the survivor's gaps, its associations move over.

    The merged record stays as an archived one that points to the survivor. Where both had a Primary company the
    survivor's stays. Raises LimitReached where the union would exceed a limit; nothing is changed then.
    """
    if survivor_id == merged_id:
        raise Refused("A record cannot be merged with itself.")
    with transaction.atomic():
        schema = lock_schema(object_type)
        # All: its associations move over, and may be with records of any type.
        sql.lock_ends(ObjectType.objects.values_list("id", flat=True))
        records = {record.pk: record for record in lock_records(object_type, [survivor_id, merged_id], archived=False)}
        if missing := {survivor_id, merged_id} - records.keys():
            raise Missing(object_type.label, missing)
        survivor, merged = records[survivor_id], records[merged_id]
        before = survivor.properties
        now = timezone.now()
        merged.archived_at = merged.updated_at = survivor.updated_at = now
        merged.merged_into = survivor
        survivor.properties = {**merged.properties, **survivor.properties}
        survivor.name_key = name_key(survivor.properties.get(schema.object_type.primary_property))
        Record.objects.bulk_update(
            [survivor, merged], ["properties", "name_key", "archived_at", "updated_at", "merged_into"]
        )

        remove_derived([merged])
        write_derived(schema, [survivor])

        change_set = open_change_set(origin)
        used_before = sql.usage_of_record(survivor_id)
        sql.remove_all_of([merged_id], change_set.pk)
        sql.adopt_removed(merged_id, survivor_id, change_set.pk)
        _refuse_over_limit(survivor_id, used_before)
        write_events(change_set, RecordEvent.Kind.MERGED, [(survivor, before), (merged, merged.properties)])
    return survivor


def _refuse_over_limit(survivor_id: int, used_before: dict[int, int]) -> None:
    """Limits are not retroactive: only one that the merge itself exceeds is in the way."""
    for type_id, used in sql.usage_of_record(survivor_id).items():
        directed = querysets.directed_type(type_id)
        if directed.max_to is not None and used > max(directed.max_to, used_before.get(type_id, 0)):
            raise LimitReached(
                f"The merged record would be associated with {used} {directed.other_type.plural_label.lower()}"
                f" ({directed}), and the limit is {directed.max_to}."
            )
