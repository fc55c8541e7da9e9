"""What the tests of keep in sync share: an action that does so, all that comes of a change, and its runs."""

from __future__ import annotations

from typing import Any

from associations.services.checking import check_all
from associations.types import DirectedType
from tests.workflows.making import (
    Step,
    create,
    process_all,
    work_off,
)
from workflows.models import Run


def kept(label: DirectedType | None = None, **more: Any) -> Step:
    return create("company", "city", "city", label=label, keep_in_sync=True, **more)


def settle(*, at_once: bool = True) -> None:
    """Process what happened, and what comes of it, until nothing waits; `at_once` as a worker does it."""
    while True:
        process_all(at_once=at_once)
        if not Run.objects.filter(finished_at=None).exists():
            return
        work_off()


def synced() -> list[Run]:
    return list(Run.objects.filter(cause=Run.Cause.KEEP_IN_SYNC).order_by("id"))


def is_sound() -> bool:
    return not [each for each in check_all() if each.count and not each.is_warning]
