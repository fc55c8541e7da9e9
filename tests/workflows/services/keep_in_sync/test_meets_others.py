"""Keeping in sync meets other writers: whoever asks for an association keeps it, whoever comes first."""

from __future__ import annotations

import pytest

from associations.models import AssociationClaim, Record
from associations.services import archiving
from tests.concurrency import meanwhile, needs_two_writers
from tests.factories import ORIGIN, associate, change, make_label, make_record, words
from tests.workflows.making import create, do, enroll, make_workflow, process_all
from workflows.models import Batch
from workflows.services import enrollment, execution

from .keeping import kept, settle, synced

pytestmark = [needs_two_writers, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def pair(transactional_db: None) -> tuple[Record, Record]:
    for name, other in (("contact", "company"), ("company", "contact")):  # match keys are kept already
        record = make_record(name, city="Nowhere")
        do(create(other, "city", "city"), [record])
        archiving.delete_records(record.object_type, [record.pk], origin=ORIGIN)
    return make_record("contact", city="Boston"), make_record("company", city="Boston")


def due() -> list[Batch]:
    """The batches that keep in sync and wait."""
    process_all()
    return [run.batches.get() for run in synced() if run.finished_at is None]


def test_who_asks_first_keeps_it(pair: tuple[Record, Record]) -> None:
    contact, company = pair
    enroll(make_workflow("contact", kept()), [contact])
    change(contact, city="Oslo")
    [batch] = due()
    with meanwhile(lambda: execution.run_action(batch.pk, 0)):
        associate(contact, company)
    assert words(contact, company) == {"unlabeled", "Primary"}


def test_who_asks_while_it_is_taken_back_makes_it_anew(pair: tuple[Record, Record]) -> None:
    contact, company = pair
    enroll(make_workflow("contact", kept()), [contact])
    change(contact, city="Oslo")
    [batch] = due()
    with meanwhile(lambda: associate(contact, company)):
        execution.run_action(batch.pk, 0)
    assert words(contact, company) == {"unlabeled", "Primary"}
    assert not AssociationClaim.objects.exists()


def test_a_label_that_is_just_being_put_on_keeps_the_association(pair: tuple[Record, Record]) -> None:
    contact, company = pair
    enroll(make_workflow("contact", kept(make_label("contact", "company", "One"))), [contact])
    change(contact, city="Oslo")
    [batch] = due()
    with meanwhile(lambda: execution.run_action(batch.pk, 0)):
        associate(contact, company, make_label("contact", "company", "Two"))
    assert words(contact, company) == {"unlabeled", "Primary", "Two"}


def test_of_two_that_take_it_back_at_once_one_does(pair: tuple[Record, Record]) -> None:
    contact, company = pair
    enroll(make_workflow("contact", kept()), [contact])
    enroll(make_workflow("company", create("contact", "city", "city", keep_in_sync=True)), [company])
    assert AssociationClaim.objects.count() == 2
    change(contact, city="Oslo")
    first, other = due()
    with meanwhile(lambda: execution.run_action(other.pk, 0)):
        execution.run_action(first.pk, 0)
    assert words(contact, company) == set()


def test_what_is_associated_by_the_values_of_before_is_taken_back(pair: tuple[Record, Record]) -> None:
    contact, company = pair
    run = enrollment.enroll_records(make_workflow("contact", kept()), [contact.pk])
    process_all()

    def change_and_look() -> None:
        change(company, city="Oslo")
        process_all()

    with meanwhile(change_and_look):
        execution.run_action(run.batches.get().pk, 0)
    settle()
    assert words(contact, company) == set()
