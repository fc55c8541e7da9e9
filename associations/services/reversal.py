"""Take back what change sets did to associations, or put it back again: exactly that, pair by pair.

A pair that somebody changed since is left alone, whole, and so is one whose rows cannot come back. What comes back
remembers who had made it (Association.origin), so that taking back in reverse order gives the state before. Called by
the undo of workflow runs, inside its transaction. Knows nothing of workflows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from associations import sql
from associations.models import AssociationType, ChangeSet
from associations.querysets import association_types

SAMPLE = 20


@dataclass
class Counts:
    """How many associations and labels go and come back, and how many pairs are left alone, by reason."""

    associations_removed: int = 0
    labels_removed: int = 0
    associations_restored: int = 0
    labels_restored: int = 0
    left: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: Counts) -> Counts:
        sums = Counter({name: value for name, value in asdict(self).items() if name != "left"})
        sums.update({name: value for name, value in asdict(other).items() if name != "left"})
        return Counts(**sums, left=dict(Counter(self.left) + Counter(other.left)))

    @property
    def left_alone(self) -> int:
        return sum(self.left.values())


@dataclass(frozen=True)
class ReversedRow:
    """An association row that goes or comes back, or is left alone; `reason` and `by` (a change set id) say why."""

    source_id: int
    type_id: int
    target_id: int
    comes_back: bool
    reason: str | None
    by: int | None


def reverse(change_sets: Sequence[int], part: Sequence[int], by: ChangeSet, *, redo: bool = False) -> Counts:
    """Take back what `change_sets` did to the pairs that some of them, `part`, touched; with `redo` put it back again.

    It is written as the change set `by`. Doing it twice does nothing the second time. A number of statements that
    does not depend on how many pairs there are.
    """
    staged = _stage(change_sets, part, by, redo=redo)
    if staged.pairs:
        sql.reverse_rows(by.pk)
    return staged.count()


def look(change_sets: Sequence[int], part: Sequence[int], *, redo: bool = False) -> tuple[Counts, list[ReversedRow]]:
    """What `reverse` would do, by the same statements, and a sample of rows. Locks nothing, changes nothing."""
    staged = _stage(change_sets, part, None, redo=redo)
    sample = [ReversedRow(*row) for row in sql.some_reversed(SAMPLE)]
    if staged.at_once:
        sample += [ReversedRow(*row, False, None, None) for row in sql.some_made(part, staged.both_ways, SAMPLE)]
    return staged.count(), sample[:SAMPLE]


@dataclass
class _Staged:
    """The types of the pairs, how many pairs are staged, and what goes or went at once, by type."""

    types: dict[int, AssociationType]
    both_ways: bool = False
    at_once: list[tuple[int, int]] = field(default_factory=list)
    pairs: int = 0

    def count(self) -> Counts:
        counts = Counts(left=dict(sql.count_left()))
        for type_id, comes_back, count in [*((id_, False, rows) for id_, rows in self.at_once), *sql.count_reversed()]:
            what = "associations" if type_id in self.types and self.types[type_id].is_unlabeled else "labels"
            name = f"{what}_{'restored' if comes_back else 'removed'}"
            setattr(counts, name, getattr(counts, name) + count)
        return counts


def _stage(change_sets: Sequence[int], part: Sequence[int], by: ChangeSet | None, *, redo: bool) -> _Staged:
    """Stage the rows and mark the pairs that are left alone. What can go at once is gone then, if it is done (`by`)."""
    sql.begin_reversal(change_sets, part)
    touched = sql.touched_types()
    types = _types_beside(touched)
    staged = _Staged(types, any(type_.from_object_type_id == type_.to_object_type_id for type_ in types.values()))
    ids = sorted(types.keys() | set(touched))
    if not ids:
        return staged
    unlabeled = [type_.pk for type_ in types.values() if type_.is_unlabeled]
    if by:
        sql.hold_ends(end for type_ in types.values() for end in (type_.from_object_type_id, type_.to_object_type_id))
    # Who only looks takes nothing away, so that what comes back would not find the room.
    at_once = not redo and (by is not None or not sql.have_removed())
    if at_once and by:
        sql.hold_made(part, unlabeled)
    staged.pairs = sql.stage_reversed_pairs(ids, staged.both_ways, mixed_only=at_once)
    if at_once:
        staged.at_once = (
            sql.take_back_made(part, staged.both_ways, by.pk) if by else sql.count_made(part, staged.both_ways)
        )
    if staged.pairs:
        _look_at_pairs(staged, ids, unlabeled, redo=redo, hold=by is not None)
    return staged


def _look_at_pairs(staged: _Staged, ids: Sequence[int], unlabeled: Sequence[int], *, redo: bool, hold: bool) -> None:
    """Stage what is to be done to the rows of the staged pairs, and mark those that are left alone."""
    types = staged.types.values()
    if hold:
        sql.hold_reversed_pairs(unlabeled, staged.both_ways)
    sql.stage_reversed_rows(ids, staged.both_ways, redo=redo)
    sql.leave_changed_pairs(ids, unlabeled, staged.both_ways)
    sql.leave_lost_pairs()
    primary = [type_.pk for type_ in types if type_.is_primary]
    limited = {type_.pk: type_ for type_ in types if (type_.max_to, type_.inverse_max_to) != (None, None)}
    if limited and hold:
        sql.lock_reversed_records()
    # A pair that is left alone keeps what another one waits for, so this is asked until nothing changes.
    while (primary and sql.leave_taken_primaries(primary)) or (limited and _leave_over_limit(limited)):
        pass


def _types_beside(type_ids: Sequence[int]) -> dict[int, AssociationType]:
    """All types of the pairs of object types that some types are for."""
    pairs = {(each.from_object_type_id, each.to_object_type_id) for each in association_types().filter(id__in=type_ids)}
    firsts, seconds = {first for first, _ in pairs}, {second for _, second in pairs}
    beside = association_types().filter(from_object_type__in=firsts, to_object_type__in=seconds)
    return {each.pk: each for each in beside if (each.from_object_type_id, each.to_object_type_id) in pairs}


def _leave_over_limit(limited: dict[int, AssociationType]) -> int:
    """Mark the pairs whose rows find no room under a limit once all has gone that goes; how many."""
    rows = sql.reversed_rows_of(limited)
    if not any(comes_back for *_, comes_back in rows):
        return 0
    directed = {type_.id for type_ in limited.values()} | {type_.inverse_id for type_ in limited.values()}
    usage = Counter({(record, type_id): count for record, type_id, count in sql.usage_of_rows(sorted(directed))})

    def ends(source: int, type_: AssociationType, target: int) -> list[tuple[tuple[int, int], int | None]]:
        return [((source, type_.id), type_.max_to), ((target, type_.inverse_id), type_.inverse_max_to)]

    for _, _, source, type_id, target, comes_back in rows:
        if not comes_back:
            usage.subtract(end for end, _ in ends(source, limited[type_id], target))
    refused: dict[tuple[int, int], None] = {}
    for first, second, source, type_id, target, comes_back in rows:
        if not comes_back or (first, second) in refused:
            continue
        found = ends(source, limited[type_id], target)
        if any(most is not None and usage[end] >= most for end, most in found):
            refused[first, second] = None
        else:
            usage.update(end for end, _ in found)
    sql.leave_pairs(list(refused), "limit_reached")
    return len(refused)
