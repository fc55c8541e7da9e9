"""The four workflow actions of the reference model: for each enrolled record in id order, each other one in id order.

Each gives the outcomes per record: how many pairs, or 0 where the outcome is a reason about the record itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .model import Model
from .parts import Pair, Type
from .values import COMPARISONS

Outcomes = dict[int, dict[str, int]]


class Log:
    """The outcomes of one action."""

    def __init__(self, enrolled: Iterable[int]) -> None:
        self.counts: dict[int, Counter[str]] = {record: Counter() for record in sorted(enrolled)}

    def pair(self, record: int, outcome: str) -> None:
        self.counts[record][outcome] += 1

    def reason(self, record: int, outcome: str) -> None:
        """Why nothing was done for a record, if nothing was."""
        if not self.counts[record]:
            self.counts[record][outcome] = 0

    @property
    def outcomes(self) -> Outcomes:
        return {record: dict(counts) for record, counts in self.counts.items()}


@dataclass(frozen=True)
class Condition:
    """A property of a record is (not) equal to a value."""

    name: str
    value: str
    is_equal: bool = True
    or_no_value: bool = False

    def is_met(self, model: Model, record: int) -> bool:
        value = model.value(record, self.name)
        if not value:
            return self.or_no_value and not self.is_equal
        return (value == self.value) == self.is_equal


def matching(model: Model, names: tuple[str, str], comparison: str, record: int, other: int) -> bool:
    same = COMPARISONS[comparison]
    own, theirs = same(model.value(record, names[0])), same(model.value(other, names[1]))
    return own != "" and own == theirs


def create_associations(
    model: Model,
    enrolled: Iterable[int],
    unlabeled: Type,
    label: Type | None,
    names: tuple[str, str],
    comparison: str,
    several: str = "all",
    cap: int = 1000,
) -> Outcomes:
    log = Log(enrolled)
    pairs: list[Pair] = []
    for record in log.counts:
        others = [
            other
            for other in model.live(unlabeled.other_type)
            if other != record and matching(model, names, comparison, record, other)
        ]
        if not COMPARISONS[comparison](model.value(record, names[0])):
            log.reason(record, "no_value")
        elif not others:
            log.reason(record, "no_match")
        elif several == "review" and len(others) > 1:
            for _ in others:
                log.pair(record, "ambiguous")
        else:
            chosen = {"oldest": others[:1], "newest": others[-1:]}.get(several, others[:cap])
            pairs += [(record, other) for other in chosen]
            if several == "all" and len(others) > cap:
                log.pair(record, "capped")
    left_out = model.second_primaries(pairs, label)
    for record, other in pairs:
        refused = (record, other) in left_out
        log.pair(record, "limit_reached" if refused else model.try_pair(record, unlabeled, label, other))
    return log.outcomes


def apply_label(
    model: Model,
    enrolled: Iterable[int],
    unlabeled: Type,
    label: Type,
    *,
    own: Condition | None = None,
    theirs: Condition | None = None,
    match: tuple[tuple[str, str], str] | None = None,
) -> Outcomes:
    """To all, or refined by a condition on the enrolled record, on the associated one, or by matching properties."""

    def is_chosen(record: int, other: int) -> bool:
        return (
            (own is None or own.is_met(model, record))
            and (theirs is None or theirs.is_met(model, other))
            and (match is None or matching(model, *match, record, other))
        )

    log = Log(enrolled)
    pairs = associated_pairs(model, log.counts, [unlabeled], is_chosen)
    add_label(model, log, pairs, unlabeled, label)
    for record in log.counts:
        if not live_others(model, record, unlabeled):
            log.reason(record, "not_associated")
        elif match is not None and not COMPARISONS[match[1]](model.value(record, match[0][0])):
            log.reason(record, "no_value")
        else:
            log.reason(record, "condition_not_met")
    return log.outcomes


def update_labels(
    model: Model, enrolled: Iterable[int], unlabeled: Type, existing: Type, new: Type, *, replace: bool
) -> Outcomes:
    log = Log(enrolled)
    pairs = associated_pairs(model, log.counts, [existing])
    admitted = add_label(model, log, pairs, unlabeled, new)
    for record, other in admitted if replace else []:
        if model.has(record, existing, other):
            model.unlink(record, existing, other)
            log.pair(record, "label_removed")
    for record in log.counts:
        log.reason(record, "not_associated")
    return log.outcomes


def remove_labels(
    model: Model, enrolled: Iterable[int], unlabeled: Type, labels: Sequence[Type], *, associations: bool
) -> Outcomes:
    log = Log(enrolled)
    for record, other in associated_pairs(model, log.counts, labels):
        if associations:
            if model.has(record, unlabeled, other):
                model.disassociate(unlabeled, [(record, other)])
                log.pair(record, "association_removed")
            continue
        for label in labels:
            if model.has(record, label, other):
                model.unlink(record, label, other)
                log.pair(record, "label_removed")
    for record in log.counts:
        log.reason(record, "not_associated")
    return log.outcomes


def live_others(model: Model, record: int, type_: Type) -> list[int]:
    return [other for other in model.others(record, type_) if not model.records[other].archived]


def associated_pairs(
    model: Model,
    records: Iterable[int],
    types: Sequence[Type],
    is_chosen: Callable[[int, int], bool] = lambda record, other: True,
) -> list[Pair]:
    """Each record with the live ones it is associated with under any of the types, as it is before the action."""
    found = {(record, other) for record in records for type_ in types for other in live_others(model, record, type_)}
    return sorted(pair for pair in found if is_chosen(*pair))


def add_label(model: Model, log: Log, pairs: Sequence[Pair], unlabeled: Type, label: Type) -> list[Pair]:
    """Put a label on pairs that are associated, where there is room; which of them have it now."""
    left_out = model.second_primaries(pairs, label)
    admitted = []
    for record, other in pairs:
        outcome = "limit_reached"
        if (record, other) not in left_out and model.has_room(record, label, other):
            outcome = "already_there" if model.has(record, label, other) else "label_added"
            model.put_label(record, label, other)
            admitted.append((record, other))
        log.pair(record, outcome)
    return admitted
