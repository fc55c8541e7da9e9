"""Outcomes as a picture: one bar for an action, cut in proportion to how many records each outcome had."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workflows.models import Outcome
from workflows.querysets import OutcomeSum

# What a bar is wide, in the picture's own units.
WIDTH = 1000

_TONES = {
    "did": (Outcome.CREATED, Outcome.LABEL_ADDED, Outcome.LABEL_REMOVED, Outcome.ASSOCIATION_REMOVED),
    "same": (Outcome.ALREADY_THERE,),
    "stopped": (Outcome.LIMIT_REACHED, Outcome.CAPPED, Outcome.AMBIGUOUS),
}
TONE = {outcome: tone for tone, outcomes in _TONES.items() for outcome in outcomes}


@dataclass(frozen=True)
class Bar:
    """One outcome: `x` and `width` are its piece of the whole bar, `share` its percentage, `tone` a class of CSS."""

    sum: OutcomeSum
    x: int
    width: int
    share: str
    tone: str


def bars_of(sums: Iterable[OutcomeSum]) -> list[Bar]:
    sums = list(sums)
    total = sum(each.records for each in sums)
    bars, before = [], 0
    for each in sums:
        x = WIDTH * before // total
        before += each.records
        share = 100 * each.records / total
        words = f"{share:.0f} %" if share >= 1 else "under 1 %"
        bars.append(Bar(each, x, WIDTH * before // total - x, words, TONE.get(each.outcome, "nothing")))
    return bars
