"""An action meets other writers: who comes first decides, and nothing is half done. (Runs as a whole: test_running.)"""

from __future__ import annotations

import pytest

from associations.models import Association, AssociationChange, Record
from associations.services import archiving, merging
from tests.concurrency import meanwhile, needs_two_writers
from tests.factories import (
    ORIGIN,
    associate,
    associated,
    limit,
    make_label,
    make_record,
    make_records,
    object_type,
    unlabeled,
    words,
)
from tests.workflows.making import Step, apply, create, do, make_workflow, outcomes, remove, sums, update, work_off
from workflows.models import Batch, Enrollment, Run
from workflows.services import enrollment, execution, lifecycle

pytestmark = pytest.mark.django_db
BY_CITY = ("company", "city", "city")


def waiting_run(step: Step, records: list[Record]) -> tuple[Run, int]:
    run = enrollment.enroll_records(make_workflow(records[0].object_type, step), [each.pk for each in records])
    return run, run.batches.get().pk


# Between two actions ----------------------------------------------------------------------------


def test_a_record_archived_between_two_actions_gets_the_first_one_only() -> None:
    partner = make_label("contact", "company", "Partner")
    company = make_record("company", city="Boston")
    stays, leaves = make_records("contact", [{"city": "Boston"}, {"city": "Boston"}])
    workflow = make_workflow("contact", create(*BY_CITY), apply(partner))
    run = enrollment.enroll_records(workflow, [stays.pk, leaves.pk])
    execution.run_action(run.batches.get().pk, 0)
    archiving.archive_records(leaves.object_type, [leaves.pk], origin=ORIGIN)
    work_off()
    assert outcomes(run, leaves, 0) == {"created": 1}
    assert outcomes(run, leaves, 1) == {"record_archived": 0}
    assert outcomes(run, stays, 1) == {"label_added": 1}
    assert words(leaves, company) == {"unlabeled", "Primary"}


def test_a_workflow_turned_off_between_two_actions_skips_the_rest() -> None:
    partner = make_label("contact", "company", "Partner")
    company, contact = make_record("company", city="Boston"), make_record("contact", city="Boston")
    workflow = make_workflow("contact", create(*BY_CITY), apply(partner))
    run = enrollment.enroll_records(workflow, [contact.pk])
    execution.run_action(run.batches.get().pk, 0)
    lifecycle.turn_off(workflow)
    work_off()
    assert words(contact, company) == {"unlabeled", "Primary"}
    assert outcomes(run, contact, 0) == {"created": 1}
    assert outcomes(run, contact, 1) == {"workflow_off": 0}
    assert Enrollment.objects.get().state == Enrollment.State.FINISHED


def test_a_record_deleted_between_two_actions_is_no_longer_there() -> None:
    partner = make_label("contact", "company", "Partner")
    make_record("company", city="Boston")
    stays, leaves = make_records("contact", [{"city": "Boston"}, {"city": "Boston"}])
    workflow = make_workflow("contact", create(*BY_CITY), apply(partner))
    run = enrollment.enroll_records(workflow, [stays.pk, leaves.pk])
    execution.run_action(run.batches.get().pk, 0)
    archiving.delete_records(leaves.object_type, [leaves.pk], origin=ORIGIN)
    work_off()
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert sums(run, 1) == {"label_added": {"records": 1, "pairs": 1}}


def test_the_next_action_sees_what_the_one_before_did_and_not_more() -> None:
    first, second = make_label("contact", "company", "First"), make_label("contact", "company", "Second")
    limit(first, to=1)
    company, other = make_records("company", [{"city": "Boston"}, {"city": "Boston"}])
    contact = make_record("contact", city="Boston")
    workflow = make_workflow(
        "contact", create(*BY_CITY, label=first), update(first, second), remove(first), create(*BY_CITY, label=first)
    )
    run = enrollment.enroll_records(workflow, [contact.pk])
    work_off()
    assert outcomes(run, contact, 0) == {"created": 1, "limit_reached": 1}
    assert outcomes(run, contact, 1) == {"label_added": 1}
    assert outcomes(run, contact, 2) == {"label_removed": 1}
    assert outcomes(run, contact, 3) == {"label_added": 1, "limit_reached": 1}
    assert words(contact, company) == {"unlabeled", "Primary", "First", "Second"}
    assert words(contact, other) == set()


# At the same moment -----------------------------------------------------------------------------


class TestWhileAnotherWriterIsAtIt:
    pytestmark = [needs_two_writers, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

    @pytest.fixture(autouse=True)
    def _match_keys_are_kept_already(self, transactional_db: None) -> None:
        """Building them would wait for the other writer, and see what it did."""
        for name, other in (("contact", "company"), ("company", "contact")):
            record = make_record(name, city="Nowhere")
            do(create(other, "city", "city"), [record])
            archiving.delete_records(record.object_type, [record.pk], origin=ORIGIN)

    def test_a_company_that_is_being_archived_is_not_associated(self) -> None:
        company, contact = make_record("company", city="Boston"), make_record("contact", city="Boston")
        run, batch = waiting_run(create(*BY_CITY), [contact])
        with meanwhile(lambda: execution.run_action(batch, 0)):
            archiving.archive_records(company.object_type, [company.pk], origin=ORIGIN)
        assert not Association.objects.exists()
        assert outcomes(run, contact) == {"no_match": 0}

    def test_a_company_that_is_being_merged_away_is_not_associated_in_place_of_the_survivor(self) -> None:
        merged, survivor = make_records("company", [{"city": "Boston"}, {"city": "Oslo"}])
        contact = make_record("contact", city="Boston")
        _, batch = waiting_run(create(*BY_CITY), [contact])
        with meanwhile(lambda: execution.run_action(batch, 0)):
            merging.merge_records(object_type("company"), survivor.pk, merged.pk, origin=ORIGIN)
        assert words(contact, merged) == set()

    def test_an_enrolled_record_that_is_being_archived_is_not_associated(self) -> None:
        make_record("company", city="Boston")
        stays, leaves = make_records("contact", [{"city": "Boston"}, {"city": "Boston"}])
        run, batch = waiting_run(create(*BY_CITY), [stays, leaves])
        with meanwhile(lambda: execution.run_action(batch, 0)):
            archiving.archive_records(leaves.object_type, [leaves.pk], origin=ORIGIN)
        assert outcomes(run, stays) == {"created": 1}
        assert associated(leaves, unlabeled("contact", "company")) == set()

    def test_a_record_that_is_being_deleted_does_not_hold_up_the_others(self) -> None:
        gone, stays = make_records("company", [{"city": "Boston"}, {"city": "Boston"}])
        contacts = make_records("contact", [{"city": "Boston"}] * 3)
        run, batch = waiting_run(create(*BY_CITY), contacts)
        with meanwhile(lambda: execution.run_action(batch, 0)):
            archiving.delete_records(gone.object_type, [gone.pk], origin=ORIGIN)
        assert run.batches.get().state == Batch.State.FINISHED
        assert associated(stays, unlabeled("company", "contact")) == {each.pk for each in contacts}
        assert sums(run) == {"created": {"records": 3, "pairs": 3}}

    def test_the_last_room_under_a_limit_goes_to_the_first_of_two_batches(self) -> None:
        limit(unlabeled("company", "contact"), to=2)
        company = make_record("company", city="Boston")
        contacts = make_records("contact", [{"city": "Boston"}] * 4)
        first, batch = waiting_run(create(*BY_CITY), contacts[:2])
        second, other = waiting_run(create(*BY_CITY), contacts[2:])
        with meanwhile(lambda: execution.run_action(other, 0)):
            execution.run_action(batch, 0)
        assert associated(company, unlabeled("company", "contact")) == {each.pk for each in contacts[:2]}
        assert sums(first) == {"created": {"records": 2, "pairs": 2}}
        assert sums(second) == {"limit_reached": {"records": 2, "pairs": 2}}

    def test_what_two_batches_both_want_to_associate_is_told_once(self) -> None:
        company, contact = make_record("company", city="Boston"), make_record("contact", city="Boston")
        first, batch = waiting_run(create(*BY_CITY), [contact])
        second, other = waiting_run(create("contact", "city", "city"), [company])
        with meanwhile(lambda: execution.run_action(other, 0)):
            execution.run_action(batch, 0)
        assert outcomes(first, contact) == {"created": 1}
        assert outcomes(second, company) == {"already_there": 1}
        assert AssociationChange.objects.count() == Association.objects.count() == 2

    def test_of_two_batches_that_remove_one_label_one_removes_it(self) -> None:
        partner = make_label("contact", "company", "Partner")
        company, contact = make_record("company"), make_record("contact")
        associate(contact, company, partner)
        first, batch = waiting_run(remove(partner), [contact])
        second, other = waiting_run(remove(partner.reverse), [company])
        with meanwhile(lambda: execution.run_action(other, 0)):
            execution.run_action(batch, 0)
        assert outcomes(first, contact) == {"label_removed": 1}
        assert outcomes(second, company) == {"not_associated": 0}
        assert AssociationChange.objects.filter(added=False).count() == 1

    def test_a_replacement_of_a_label_that_is_being_taken_off_puts_nothing_in_its_place(self) -> None:
        old, new = make_label("contact", "company", "Old"), make_label("contact", "company", "New")
        company, contact = make_record("company"), make_record("contact")
        associate(contact, company, old)
        _, batch = waiting_run(remove(old, associations=True), [contact])
        _, other = waiting_run(update(old.reverse, new.reverse, "replace"), [company])
        with meanwhile(lambda: execution.run_action(other, 0)):
            execution.run_action(batch, 0)
        assert words(contact, company) == set()
        assert not Association.objects.exists()
