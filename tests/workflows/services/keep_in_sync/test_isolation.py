"""A bad record among those that are kept in sync: it is put aside, all others are brought in sync."""

from __future__ import annotations

import pytest

from associations.models import Record
from tests.factories import associated, change, make_record, make_records, unlabeled
from tests.refusing import refused_by_the_database
from tests.workflows.making import enroll, make_workflow, work_off
from workflows.models import Batch, Enrollment, Run, Workflow
from workflows.services import isolation, lifecycle

from .keeping import is_sound, kept, settle, synced

pytestmark = pytest.mark.django_db


@pytest.fixture
def contacts() -> list[Record]:
    make_record("company", city="Boston")
    return make_records("contact", [{"city": "Boston"} for _ in range(9)])


@pytest.fixture
def oslo(contacts: list[Record]) -> Record:
    return make_record("company", city="Oslo")


@pytest.fixture
def workflow(contacts: list[Record]) -> Workflow:
    made = make_workflow("contact", kept())
    enroll(made, contacts)
    return made


def move(contacts: list[Record]) -> None:
    for each in contacts:
        change(each, city="Oslo")


def of(contact: Record) -> set[int]:
    return associated(contact, unlabeled("contact", "company"))


@pytest.mark.parametrize("bad", [0, 4, 8])
@pytest.mark.parametrize("turned_off", [False, True])
def test_the_others_are_brought_in_sync_and_the_bad_one_can_be_tried_again(
    workflow: Workflow, contacts: list[Record], oslo: Record, bad: int, turned_off: bool
) -> None:
    """By a change of values (named records), and by turning on again (everybody, in a range)."""
    before = of(contacts[bad])
    if turned_off:
        lifecycle.turn_off(workflow)
    move(contacts)
    with refused_by_the_database(contacts[bad]):
        settle(at_once=False)
        if turned_off:
            lifecycle.turn_on(workflow)
            settle(at_once=False)
    for each in contacts:
        assert of(each) == (before if each == contacts[bad] else {oslo.pk})
    [run] = synced()
    assert run.state == Run.State.FAILED
    failed = run.batches.get(state=Batch.State.FAILED)
    assert "this record is bad" in failed.error
    put_aside = Enrollment.objects.get(batch=failed)
    assert (put_aside.record_id, put_aside.state) == (contacts[bad].pk, Enrollment.State.FAILED)
    assert is_sound()

    assert isolation.retry([failed]) == 1
    work_off()
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert of(contacts[bad]) == {oslo.pk}
    assert Enrollment.objects.filter(ordinal__isnull=False).count() == len(contacts), "nobody is enrolled by it"
    assert is_sound()
