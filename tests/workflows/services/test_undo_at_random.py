"""Random runs undone in reverse give the state before; one undone in the middle keeps what the later ones did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from associations.models import Association, Record
from associations.services.checking import check_all
from associations.types import DirectedType
from tests.factories import associate, limit, make_label, make_records, primary
from tests.workflows import making
from workflows.models import Run
from workflows.services import undo

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


def undone(run: Run, *, redo: bool = False) -> None:
    run.refresh_from_db()
    started = undo.start(run, redo=redo)
    for part in started.parts.all():
        undo.work(part.pk)


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
        # What one run takes away and makes anew is there before and after, and stays the run's: see ARCHITECTURE.md.
        # Primary is taken from another company, too.
        to_primary = str(self.labels[-1].type_id)
        removing = [
            step
            for step in steps
            if step[0] in ("update_labels", "remove_labels") or step[1].get("label") == to_primary
        ]
        steps = [step for step in steps if step not in removing] + removing[:1]
        return making.enroll(making.make_workflow("contact", *steps), enrolled)


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
