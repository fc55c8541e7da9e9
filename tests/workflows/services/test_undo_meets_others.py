"""An undo meets other writers: whoever comes first, a pair goes whole or stays whole, and each removal is told once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.db import transaction

from associations import sql
from associations.models import FormerAssociation, Record
from associations.services import linking
from associations.services.checking import check_all
from associations.services.origin import open_change_set
from associations.types import DirectedType
from tests.concurrency import at_once, meanwhile, needs_two_writers
from tests.factories import ORIGIN, disassociate, make_label, make_record, make_records, unlabeled, words
from tests.workflows import making
from workflows.models import LeftPair
from workflows.services import undo

pytestmark = [needs_two_writers, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
Undoing = tuple[Callable[[], None], Record, Record]


@pytest.fixture
def begun(transactional_db: None) -> Undoing:
    """The undo of a run that associated one pair and labelled it, still to be done; and the two records."""
    contact, company = make_record("contact", company="a"), make_record("company", name="a")
    employer = make_label("contact", "company", "Employer")
    run = making.do(making.create("company", "company", "name", label=employer), [contact])
    part = undo.start(run).parts.get()
    return partial(undo.work, part.pk), contact, company


@pytest.fixture
def friend(transactional_db: None) -> DirectedType:
    return make_label("contact", "company", "Friend")


def put_on(label: DirectedType, contact: Record, company: Record) -> int:
    """As an action does it: a label for a pair that is associated, never an association."""
    with transaction.atomic():
        sql.clear_stage()
        sql.stage_rows([(contact.pk, company.pk)])
        return linking.add_label_staged(label, unlabeled("contact", "company"), open_change_set(ORIGIN)).labels


def is_sound() -> bool:
    return not [each for each in check_all() if each.count and not each.is_warning]


def test_a_label_that_is_just_being_put_on_keeps_the_pair(begun: Undoing, friend: DirectedType) -> None:
    work, contact, company = begun
    with meanwhile(work):
        assert put_on(friend, contact, company) == 1
    assert words(contact, company) == {"unlabeled", "Primary", "Employer", "Friend"}
    assert LeftPair.objects.get().reason == "changed"


def test_a_label_for_a_pair_that_is_just_being_undone_is_not_put_on(begun: Undoing, friend: DirectedType) -> None:
    work, contact, company = begun
    with meanwhile(partial(put_on, friend, contact, company)) as other:
        work()
    assert other.result() == 0
    assert words(contact, company) == set()


def test_what_somebody_is_just_removing_is_removed_and_told_once(begun: Undoing) -> None:
    work, contact, company = begun
    with meanwhile(work):
        disassociate(contact, company)
    assert words(contact, company) == set()
    assert FormerAssociation.objects.count() == 3


def test_who_removes_what_is_just_being_undone_finds_nothing(begun: Undoing) -> None:
    work, contact, company = begun
    with meanwhile(partial(disassociate, contact, company)) as other:
        work()
    assert other.result().associations == 0
    assert FormerAssociation.objects.count() == 3


def test_parts_and_people_at_once_leave_each_pair_whole(monkeypatch: pytest.MonkeyPatch, friend: DirectedType) -> None:
    monkeypatch.setattr("associations.services.match_keys.CHUNK", 5)
    contacts = make_records("contact", [{"company": "a"}] * 20)
    company = make_record("company", name="a")
    run = making.enroll_all(making.make_workflow("contact", making.create("company", "company", "name")))
    parts = [part.pk for part in undo.start(run).parts.all()]
    assert len(parts) == 4

    def label() -> None:
        for contact in contacts:
            put_on(friend, contact, company)

    def take_away() -> None:
        for contact in contacts[::3]:
            disassociate(contact, company)

    at_once(*(partial(undo.work, part) for part in parts[:2]), label, take_away)
    for part in parts:
        undo.work(part)
    for contact in contacts:
        assert words(contact, company) in (set(), {"unlabeled", "Primary", "Friend"})
    assert is_sound()
