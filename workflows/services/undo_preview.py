"""What undoing a run would do, before it is done: by the same code, and nothing is changed and nobody is held up.

At once, as far as a moment reaches; of a big run the queue counts all parts when asked to, as it would undo them (see
undo.work), with every pair that would be left alone. Called by admin, API and the command `undo_run`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from django.db import transaction

from associations.services import reversal
from associations.services.reversal import Counts, ReversedRow
from workflows.models import Run, Undo, UndoPart

from . import undo


@dataclass
class Preview:
    """What an undo or redo would do. Where time was short an estimate, of the first `seen` of `parts`; `counted` is the
    queue's own count, where it was asked for one."""

    counts: Counts = field(default_factory=Counts)
    sample: list[ReversedRow] = field(default_factory=list)
    parts: int = 0
    seen: int = 0
    counted: Undo | None = None

    @property
    def is_exact(self) -> bool:
        return self.seen == self.parts

    @property
    def is_counting(self) -> bool:
        return self.counted is not None and self.counted.state == Undo.State.RUNNING


def look(run: Run, *, redo: bool = False, seconds: float | None = None) -> Preview:
    """Look at part after part for so many seconds; without a number at all of them. Raises Refused as `undo.start`."""
    undo.refuse_impossible(run, redo=redo)
    found = Preview()
    change_sets = undo.change_sets_of(run)
    batches = list(undo.batches_of(run).values_list("id", flat=True))
    found.parts = len(batches)
    started = time.monotonic()
    for batch_id in batches:
        if seconds is not None and found.seen and time.monotonic() - started > seconds:
            break
        with transaction.atomic():
            counts, sample = reversal.look(change_sets, undo.change_sets_of_batch(batch_id), redo=redo)
        found.counts += counts
        found.sample = (found.sample + sample)[: reversal.SAMPLE]
        found.seen += 1
    return found


def count(run: Run, *, user_id: int | None = None, redo: bool = False) -> Undo:
    """Have the queue count all parts; it takes the place of an older count. Raises Refused as `undo.start`."""
    with transaction.atomic():
        counted = undo.begin(run, user_id=user_id, redo=redo, is_preview=True)
    undo.finish(counted)
    return counted


def best(run: Run, *, redo: bool, seconds: float) -> Preview:
    """What the queue has counted so far, if it was asked to; else what can be seen in so many seconds. Raises Refused
    as `undo.start`."""
    kind = Undo.Kind.REDO if redo else Undo.Kind.UNDO
    counted = run.undos.filter(is_preview=True, kind=kind).first()
    if counted is None:
        return look(run, redo=redo, seconds=seconds)
    undo.refuse_impossible(run, redo=redo)
    states = list(counted.parts.values_list("state", flat=True))
    return Preview(
        counts=undo.counts_of(counted),
        parts=len(states),
        seen=sum(state == UndoPart.State.FINISHED for state in states),
        counted=counted,
    )
