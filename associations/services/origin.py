"""Who makes a change, and through what. Every service that changes something takes an origin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from associations import sql
from associations.models import ChangeSet, Record
from crmproject import queues


@dataclass(frozen=True)
class Origin:
    """Who and through what. `source_id` names the action run or API token; `depth` counts workflows on the way."""

    source: str
    user_id: int | None = None
    source_id: int | None = None
    note: str = ""
    depth: int = 0

    @classmethod
    def user(cls, user_id: int | None) -> Origin:
        return cls(ChangeSet.Source.USER, user_id=user_id)

    @classmethod
    def system(cls, note: str = "") -> Origin:
        return cls(ChangeSet.Source.SYSTEM, note=note)


def open_change_set(origin: Origin, saving: sql.Saving = sql.NOTHING, *, is_processed: bool = False) -> ChangeSet:
    """Begin the change set of a change, in the change's own transaction; once committed, the bell rings. Not where it
    `is_processed`: the caller knows that no workflow wants to hear of it, and keeps the figures. Records that it saves
    are written along with it: to send them alone would take as long again."""
    now = timezone.now()
    change_set = ChangeSet(
        at=now,
        processed_at=now if is_processed else None,
        source=origin.source,
        source_id=origin.source_id,
        user_id=origin.user_id,
        note=origin.note[:200],
        depth=origin.depth,
    )
    change_set.pk = sql.insert_change_set(change_set, saving)
    for row in (change_set, *saving.new):
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    if not is_processed:
        queues.ring(settings.RECORD_EVENTS_JOB)
    return change_set


def write_events(change_set: ChangeSet, kind: str, records: Iterable[tuple[Record, dict[str, Any]]]) -> None:
    """Tell what happened to records, each with its properties as they were before."""
    sql.write_events(change_set.pk, kind, list(records))
