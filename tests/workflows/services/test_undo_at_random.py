"""Random runs undone in reverse give the state before; one undone in the middle keeps what the later ones did, and what
goes at once is what would go row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from associations import sql
from associations.errors import LimitReached
from associations.models import Association, FormerAssociation, Record
from associations.services.checking import check_all
from associations.types import DirectedType
from tests.factories import associate, disassociate, limit, make_label, make_records, primary, remove_label
from tests.workflows import making
from workflows.models import LeftPair, Run, Undo
from workflows.services import undo, undo_preview

NAMES = ["a", "b"]
# Shrinking sets up a town for each try and takes minutes; the first example that fails is small enough to read.
quickly = settings(
    deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
Rows = dict[tuple[int, int, int], tuple[int, str | None]]


def standing() -> Rows:
    """Every association row with who had made it and the value that matched."""
    columns = ("source_id", "type_id", "target_id", "change_set_id", "origin_id", "source_value")
    return {
        (source, type_, target): (origin or change_set, value)
        for source, type_, target, change_set, origin, value in Association.objects.values_list(*columns)
    }


def undone(run: Run, *, redo: bool = False) -> Undo:
    """Look first, then do it; what was said before is what came of it."""
    run.refresh_from_db()
    said = undo_preview.look(run, redo=redo).counts
    started = undo.start(run, redo=redo)
    for part in started.parts.all():
        undo.work(part.pk)
    assert undo.counts_of(started) == said
    return started


def told(started: Undo) -> tuple[Any, ...]:
    """What came of an undo: what stands, what it removed, which pairs it left and because of whom, and its sums."""
    own = FormerAssociation.objects.filter(removed_by__in=started.parts.values("change_set"))
    removed = own.values_list("source", "type", "target", "added_by", "origin", "source_value", "target_value")
    left = LeftPair.objects.filter(part__undo=started).values_list("source_id", "target_id", "reason", "change_set_id")
    return standing(), set(removed), set(left), undo.counts_of(started)


@contextmanager
def row_by_row() -> Iterator[None]:
    """Within the block no pair is left out of those that are looked at."""
    stage = sql.stage_reversed_pairs

    def stage_all(type_ids: Sequence[int], both_ways: bool, *, mixed_only: bool) -> int:
        return stage(type_ids, both_ways, mixed_only=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql, "stage_reversed_pairs", stage_all)
        yield


class Town:
    """Three contacts and three companies, labels of each kind, and a limit on one of them."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self.contacts = make_records("contact", [{"company": draw(st.sampled_from(NAMES))} for _ in range(3)])
        self.companies = make_records("company", [{"name": draw(st.sampled_from(NAMES))} for _ in range(3)])
        self.labels = [make_label("contact", "company", "One"), make_label("contact", "company", "Two", "Back")]
        self.labels[0] = limit(self.labels[0], to=draw(st.sampled_from([1, 2, None])), inverse=2)
        self.labels.append(primary("contact", "company"))
        self.between = [make_label("contact", "contact", "Boss", "Report"), make_label("contact", "contact", "Friend")]
        for contact in self.contacts:
            label = [draw(st.sampled_from(self.labels[1:]))] if draw(st.booleans()) else []
            if draw(st.booleans()):
                associate(contact, draw(st.sampled_from(self.companies)), *label)

    def label(self) -> DirectedType:
        return self.draw(st.sampled_from(self.labels))

    def step(self) -> making.Step:
        kind = self.draw(st.sampled_from(["create", "create", "between", "apply", "update", "remove", "unbind"]))
        label, other = self.label(), self.label()
        if kind == "create":
            several = self.draw(st.sampled_from(["oldest", "newest"] + ["all"] * (not label.type.is_primary)))
            return making.create("company", "company", "name", label=label, several=several)
        if kind == "between":
            return making.create("contact", "company", "company", label=self.draw(st.sampled_from(self.between)))
        if kind == "update" and label != other:
            return making.update(label, other, self.draw(st.sampled_from(["append", "replace"])))
        if kind in ("remove", "unbind"):
            return making.remove(label, associations=kind == "unbind")
        return making.apply(label)

    def run(self) -> Run:
        enrolled: list[Record] = self.draw(st.lists(st.sampled_from(self.contacts), min_size=1, unique=True))
        steps = [self.step() for _ in range(self.draw(st.integers(1, 2)))]
        return making.enroll(making.make_workflow("contact", *steps), enrolled)

    def by_hand(self) -> None:
        """Somebody changes one of the pairs, or makes one."""
        contact, company = self.draw(st.sampled_from(self.contacts)), self.draw(st.sampled_from(self.companies))
        kind = self.draw(st.sampled_from(["associate", "disassociate", "remove_label"]))
        if kind == "disassociate":
            disassociate(contact, company)
        elif kind == "remove_label":
            remove_label(contact, company, self.label())
        else:
            with suppress(LimitReached):
                associate(contact, company, *[self.label()] * self.draw(st.integers(0, 1)))


def is_sound() -> bool:
    return not [each for each in check_all() if each.count and not each.is_warning]


@pytest.mark.django_db
@given(data=st.data())
@settings(quickly, max_examples=18)
def test_runs_undone_in_reverse_give_the_state_before_and_redone_the_one_after(data: st.DataObject) -> None:
    with transaction.atomic():
        town = Town(data.draw)
        states, runs = [standing()], []
        for _ in range(data.draw(st.integers(1, 4))):
            runs.append(town.run())
            states.append(standing())
        for run, before in zip(reversed(runs), reversed(states[:-1]), strict=True):
            undone(run)
            assert standing() == before
            assert is_sound()
        for run, after in zip(runs, states[1:], strict=True):
            undone(run, redo=True)
            assert standing() == after
        transaction.set_rollback(True)


@pytest.mark.django_db
@given(data=st.data())
@settings(quickly, max_examples=12)
def test_a_run_undone_in_the_middle_keeps_what_the_later_ones_did(data: st.DataObject) -> None:
    with transaction.atomic():
        town = Town(data.draw)
        runs = [town.run() for _ in range(3)]
        later = {id_ for run in runs[1:] for id_ in undo.change_sets_of(run)}
        before = standing()
        undone(runs[0])
        after = standing()
        assert {key: made for key, made in before.items() if made[0] in later}.items() <= after.items()
        assert is_sound()
        kept = set(undo.change_sets_of(runs[0]))
        for key, (made_by, _) in after.items():  # of its own only what a later run or its undo left stands there
            if made_by in kept:
                assert key in before
        transaction.set_rollback(True)


@pytest.mark.django_db
@given(data=st.data())
@settings(quickly, max_examples=25)
def test_what_goes_at_once_is_what_would_go_row_by_row(data: st.DataObject) -> None:
    with transaction.atomic():
        town = Town(data.draw)
        runs = [town.run() for _ in range(data.draw(st.integers(1, 3)))]
        for _ in range(data.draw(st.integers(0, 2))):
            town.by_hand()
        run = data.draw(st.sampled_from(runs))
        with transaction.atomic():
            at_once = told(undone(run))
            transaction.set_rollback(True)
        with row_by_row():
            assert told(undone(run)) == at_once
        assert is_sound()
        transaction.set_rollback(True)
