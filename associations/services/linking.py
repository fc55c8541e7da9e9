"""Associate records, put labels on associations, take both off again: for pairs given by hand and for staged sets.

The `…_staged` functions are the one place where associations are written. They work on the pairs that stand in
the stage (see associations.sql), inside the caller's transaction, in a number of statements that does not depend on how
many pairs there are. Called by admin, API and (staged) by the actions of workflows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction

from associations import querysets, sql
from associations.errors import LimitReached, Missing, Refused
from associations.models import AssociationType, ChangeSet
from associations.types import DirectedType

from . import limits
from .origin import Origin, open_change_set


@dataclass(frozen=True)
class LinkCounts:
    """How many rows a change by hand wrote: associations, labels on them, or removals of either."""

    associations: int = 0
    labels: int = 0


# By hand ----------------------------------------------------------------------------------------


def associate(
    unlabeled: DirectedType, pairs: Iterable[tuple[int, int]], *, origin: Origin, labels: Sequence[DirectedType] = ()
) -> LinkCounts:
    """Associate each (record, other) and put the labels on the pair. What is there already stays as it is.

    Raises LimitReached where a limit forbids one of the pairs, Refused where a record does not exist, is
    archived, or is associated with itself, or a label is one of other object types; nothing is written then.
    """
    # Primary comes first, so that no other company of the request is made the primary one before.
    wanted = sorted(labels_of_pair(unlabeled, labels), key=lambda label: not label.type.is_primary)
    with transaction.atomic():
        stage_by_hand(unlabeled, pairs)
        change_set = open_change_set(origin)
        first, more = (wanted[0], wanted[1:]) if wanted else (None, [])
        made = associate_staged(unlabeled, first, change_set)
        put = made.labels
        refuse_if_over_limit([unlabeled, first] if first else [unlabeled])
        for label in more:
            put += add_label_staged(label, unlabeled, change_set).labels
            refuse_if_over_limit([label])
    return LinkCounts(made.associations, put)


def remove_labels(labels: Sequence[DirectedType], pairs: Iterable[tuple[int, int]], *, origin: Origin) -> LinkCounts:
    """Take labels off pairs; the associations stay [H]. The unlabeled type is no label: see `disassociate`."""
    labels = [label for label in dict.fromkeys(labels) if not label.type.is_unlabeled]
    with transaction.atomic():
        sql.clear_stage()
        sql.stage_rows(pairs)
        return LinkCounts(labels=remove_labels_staged(labels, open_change_set(origin)))


def disassociate(unlabeled: DirectedType, pairs: Iterable[tuple[int, int]], *, origin: Origin) -> LinkCounts:
    """Remove associations with all their labels [H]."""
    with transaction.atomic():
        sql.clear_stage()
        sql.stage_rows(pairs)
        change_set = open_change_set(origin)
        disassociate_staged(unlabeled, change_set)
        removed = sql.count_removed(change_set.pk, unlabeled.type.pk)
    return LinkCounts(associations=removed)


def stage_by_hand(unlabeled: DirectedType, pairs: Iterable[tuple[int, int]]) -> None:
    """Stage pairs that somebody named, their ends held. Raises what `associate` raises of records."""
    pairs = list(dict.fromkeys(pairs))
    if selves := [record for record, other in pairs if record == other]:
        raise Refused(f"A record is never associated with itself: {selves[0]}.")
    hold_ends(unlabeled)
    for object_type, ids in (
        (unlabeled.record_type, {record for record, _ in pairs}),
        (unlabeled.other_type, {other for _, other in pairs}),
    ):
        if missing := ids - set(querysets.live_records(object_type, ids).values_list("id", flat=True)):
            raise Missing(object_type.label, missing)
    sql.clear_stage()
    sql.stage_rows(pairs)


def stage_again(pairs: Iterable[tuple[int, int]]) -> None:
    """Have these pairs on the stage and no others; their ends are held already."""
    sql.clear_stage()
    sql.stage_rows(pairs)


def labels_of_pair(unlabeled: DirectedType, labels: Sequence[DirectedType]) -> list[DirectedType]:
    """The labels, each once. Every association has the unlabeled type anyway, so naming it adds nothing."""
    for label in labels:
        if (label.record_type, label.other_type) != (unlabeled.record_type, unlabeled.other_type):
            raise Refused(
                f"{label} is no label of a {unlabeled.record_type.label.lower()}"
                f" for a {unlabeled.other_type.label.lower()}."
            )
    return [label for label in dict.fromkeys(labels) if not label.type.is_unlabeled]


def refuse_if_over_limit(types: Sequence[DirectedType]) -> None:
    """Refuse the whole request where staged pairs were refused under one of these types, and say which limits."""
    if not (refused := sql.refused_pairs(sql.LIMIT_REACHED, 100)):
        return
    record, other = refused[0]
    bounds = [
        f"one {side.record_type.label.lower()} may have at most {side.max_to} {side.other_type.plural_label.lower()}"
        + (f" ({side})" if side.label else "")
        for directed in types
        for side in dict.fromkeys((directed, directed.reverse))
        if side.max_to is not None
    ]
    if types[-1].type.is_primary:
        bounds.append("a record has one primary company")
    raise LimitReached(
        f"{record} and {other} cannot be associated ({types[-1]}): the limit is reached – {' and '.join(bounds)}.",
        refused,
    )


# As a set ---------------------------------------------------------------------------------------


def associate_staged(
    unlabeled: DirectedType, label: DirectedType | None, change_set: ChangeSet, *, claimant: int | None = None
) -> sql.Written:
    """Associate the staged pairs and put `label` on them, new or not.

    Pairs for which there is no room under a limit are marked in the stage and left out whole. What is staged are live
    records: the caller has said `hold_ends` before it looked. `claimant`: who keeps them in sync, and claims what
    stands for no other reason; everybody else's asking releases claims (see services.claims).
    """
    types = [unlabeled, label] if label else [unlabeled]
    _refuse_deleted(label)
    _refuse_second_primaries(label)
    limits.refuse_over_limit(types)
    staged = sql.count_staged(unlabeled, label or unlabeled)
    releases = staged.are_some_claimed and claimant is None
    # A label never stands without its association. Whoever releases claims looks once more when it has them.
    if staged.all_stand and not releases:
        written = sql.Written(staged.admitted)
    else:
        with _asked_for(types, releases):
            written = _associate(unlabeled, label, change_set, staged)
    if claimant is not None:
        sql.claim_staged(claimant, types, change_set.pk, others=staged.are_some_claimed)
    return written


def _associate(
    unlabeled: DirectedType, label: DirectedType | None, change_set: ChangeSet, staged: sql.Staged
) -> sql.Written:
    primary_id = AssociationType.PRIMARY_OF.get(unlabeled.type.pk)
    admitted = staged.admitted
    # One object type's pairs may be staged from both their ends; Primary is first taken from another company.
    if not (staged.some_have_others or unlabeled.type.is_symmetric or (label and label.type.is_primary)):
        types = [each.type.pk for each in (unlabeled, label) if each]
        written = sql.insert_new_pairs(unlabeled, types, primary_id, change_set.pk, about=admitted)
        if written == admitted * len(types) + (staged.sources if primary_id else 0):
            return sql.Written(admitted, admitted, admitted if label else 0)
        # Somebody else associates some of these records in this very moment, and may take them apart again.
        sql.take_back_new_pairs(unlabeled, change_set.pk)
    made = 0
    if sql.count_associated_pairs(unlabeled) < admitted:
        made = sql.insert_associations(unlabeled, change_set.pk)
        if primary_id and not (label and label.type.is_primary):
            sql.insert_first_primaries(unlabeled, primary_id, change_set.pk)
    return sql.Written(admitted, made, _put_label_staged(label, unlabeled, change_set, admitted) if label else 0)


def add_label_staged(label: DirectedType, unlabeled: DirectedType, change_set: ChangeSet) -> sql.Written:
    """Put a label on the staged pairs that are associated; never associates.

    Pairs for which there is no room under a limit are marked in the stage and left as they are.
    """
    hold_ends(unlabeled)
    are_some_claimed = _refuse_deleted(label)
    _refuse_second_primaries(label)
    limits.refuse_over_limit([label])
    with _asked_for([label], are_some_claimed):
        admitted = sql.count_admitted()
        put = _put_label_staged(label, unlabeled, change_set, admitted)
    return sql.Written(admitted, labels=put)


def hold_ends(unlabeled: DirectedType) -> None:
    """Keep the records of both object types, and the labels between them, while the transaction lasts."""
    sql.hold_ends([unlabeled.record_type.pk, unlabeled.other_type.pk])


def _refuse_deleted(label: DirectedType | None) -> bool:
    """A label is deleted when nothing uses it: whoever puts it on something comes before, or too late. Returns whether
    anybody claims anything, which is asked along with it."""
    if label is None:
        return False
    exists, are_some_claimed = sql.type_exists(label.type.pk)
    if not exists:
        raise Refused("A label that was to be put on is deleted.")
    return are_some_claimed


@contextmanager
def _asked_for(types: Sequence[DirectedType], are_some_claimed: bool) -> Iterator[None]:
    """Release the claims on the staged pairs' rows: before these are written, so that whoever takes one back at this
    moment is waited for, and after, for a row that was written and claimed meanwhile."""
    if are_some_claimed:
        sql.release_staged(types)
    yield
    if are_some_claimed:
        sql.release_staged(types)


def _refuse_second_primaries(label: DirectedType | None) -> None:
    """Before limits are counted, so that a pair that is left out takes nobody's room."""
    if label is not None and label.type.is_primary:
        sql.lock_staged_records()
        sql.refuse_second_primaries(label)


def _put_label_staged(label: DirectedType, unlabeled: DirectedType, change_set: ChangeSet, admitted: int) -> int:
    if label.type.is_primary:
        # Setting another company as primary takes it from the old one in the same transaction [H].
        sql.remove_other_primaries(label, change_set.pk)
    labelled = sql.insert_labels(label, unlabeled, change_set.pk, about=admitted)
    if label.type.is_primary and sql.remove_other_primaries(label, change_set.pk):
        # A first company that somebody else associated meanwhile became primary on its own: it gives way.
        labelled += sql.insert_labels(label, unlabeled, change_set.pk, about=admitted)
    return labelled


def remove_labels_staged(labels: Sequence[DirectedType], change_set: ChangeSet) -> int:
    """Take labels off the staged pairs that were not refused. Counts of labels removed."""
    removed = 0
    for own, other in [("source", "target"), ("target", "source")]:
        if ids := [label.type.pk for label in labels if (own, other) in label.orientations]:
            removed += sql.remove_staged(own, change_set.pk, ids)
    return removed


def disassociate_staged(unlabeled: DirectedType, change_set: ChangeSet) -> None:
    """Remove the associations of the staged pairs with all their labels."""
    sql.lock_staged_associations(unlabeled)
    types = querysets.types_of_pair(unlabeled.record_type, unlabeled.other_type)
    ids = sorted({directed.type.pk for directed in types})
    # Within one object type labels may lie either way round; across types all rows of a pair lie alike.
    for own, _ in unlabeled.orientations:
        sql.remove_staged(own, change_set.pk, ids)
