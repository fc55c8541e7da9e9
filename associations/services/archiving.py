"""Archive, restore and delete records: each one transaction over a set of ids.

Called by admin, API and merging.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from associations import sql
from associations.errors import Refused
from associations.models import FormerAssociation, ObjectType, Record, RecordEvent

from .derived import again_if_overtaken, lock_schema, refuse_taken_values, remove_derived, write_derived
from .origin import Origin, open_change_set, write_events


def archive_records(object_type: ObjectType, ids: Iterable[int], *, origin: Origin) -> int:
    """Archive live records: they take part in nothing, and keep their associations for a restore.

    What makes their values found (unique values, match keys) goes. Ids that are archived already are left alone.
    Returns how many were archived.
    """
    with transaction.atomic():
        sql.lock_ends([object_type.pk])
        records = lock_records(object_type, ids, archived=False)
        if not records:
            return 0
        now = timezone.now()
        Record.objects.filter(id__in=[record.pk for record in records]).update(archived_at=now, updated_at=now)
        remove_derived(records)
        write_events(open_change_set(origin), RecordEvent.Kind.ARCHIVED, [(each, each.properties) for each in records])
    return len(records)


def restore_records(object_type: ObjectType, ids: Iterable[int], *, origin: Origin) -> int:
    """Bring archived records back; this enrolls them in nothing [H].

    Raises InvalidRecords where another record has taken a unique value in the meantime, Refused for a merged one.
    Returns how many were restored.
    """

    def change() -> int:
        schema = lock_schema(object_type)
        records = lock_records(object_type, ids, archived=True)
        if merged := next((record for record in records if record.merged_into_id), None):
            raise Refused(f"{merged.pk} was merged into {merged.merged_into_id} and cannot be restored.")
        if not records:
            return 0
        refuse_taken_values(schema.unique, records, {record.pk for record in records})
        Record.objects.filter(id__in=[record.pk for record in records]).update(
            archived_at=None, updated_at=timezone.now()
        )
        write_derived(schema, records)
        write_events(open_change_set(origin), RecordEvent.Kind.RESTORED, [(each, each.properties) for each in records])
        return len(records)

    return again_if_overtaken(change)


def delete_records(object_type: ObjectType, ids: Iterable[int], *, origin: Origin) -> int:
    """Delete records for good, archived or not, with everything that holds their values.

    The ledger keeps that associations were there, without the values that matched. Returns how many were deleted.
    """
    with transaction.atomic():
        sql.lock_ends([object_type.pk])
        chosen = Record.objects.filter(object_type=object_type, id__in=list(ids)).order_by("id")
        found = list(chosen.select_for_update().values_list("id", flat=True))
        if not found:
            return 0
        change_set = open_change_set(origin)
        sql.remove_all_of(found, change_set.pk)
        for end in ("source", "target"):
            FormerAssociation.objects.filter(**{f"{end}__in": found}).update(source_value=None, target_value=None)
        Record.objects.filter(id__in=found).delete()
    return len(found)


def lock_records(object_type: ObjectType, ids: Iterable[int], *, archived: bool) -> list[Record]:
    """The records of these ids that are (not) archived, locked in id order."""
    records = Record.objects.filter(
        object_type=object_type, id__in=list(ids), archived_at__isnull=not archived
    ).select_related("object_type")
    return list(records.order_by("id").select_for_update(of=("self",)))
