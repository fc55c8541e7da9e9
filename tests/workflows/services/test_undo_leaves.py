"""What an undo leaves alone, whole and listed: what somebody changed since, and what cannot come back."""

from __future__ import annotations

import pytest

from associations import sql
from associations.models import Association
from associations.querysets import directed_type
from associations.services import archiving, labels, linking, merging
from associations.services.origin import open_change_set
from tests.factories import (
    ORIGIN,
    associate,
    change,
    disassociate,
    limit,
    make_label,
    make_record,
    make_records,
    object_type,
    primary,
    remove_label,
    words,
)
from tests.workflows import making
from workflows.models import LeftPair

from .test_undo import do, employed, left

pytestmark = pytest.mark.django_db


def test_a_pair_that_somebody_changed_since_is_left_alone_and_listed() -> None:
    friend = make_label("contact", "company", "Friend")
    run, contact, company = employed()
    associate(contact, company, friend)
    who = Association.objects.get(type=friend.type.pk).change_set_id
    assert left(do(run)) == {(contact.pk, company.pk): "changed"}
    assert LeftPair.objects.get().change_set_id == who
    assert words(contact, company) == {"unlabeled", "Primary", "Friend"}


def test_a_change_that_began_before_the_run_and_ended_after_it_is_one() -> None:
    began_before = open_change_set(ORIGIN)
    run, contact, company = employed(label=True)
    employer = directed_type(Association.objects.get(type__label="Employer").type_id)
    sql.clear_stage()
    sql.stage_rows([(contact.pk, company.pk)])
    assert linking.remove_labels_staged([employer], began_before) == 1
    assert left(do(run)) == {(contact.pk, company.pk): "changed"}
    assert words(contact, company) == {"unlabeled", "Primary"}


def test_a_label_that_was_put_on_and_taken_off_since_is_no_change() -> None:
    friend = make_label("contact", "company", "Friend")
    run, contact, company = employed()
    associate(contact, company, friend)
    remove_label(contact, company, friend)
    do(run)
    assert words(contact, company) == set()


def test_what_a_person_made_anew_is_the_persons() -> None:
    run, contact, company = employed()
    disassociate(contact, company)
    associate(contact, company)
    do(run)
    assert "unlabeled" in words(contact, company)


def test_what_somebody_removed_already_needs_no_undo() -> None:
    run, contact, company = employed()
    disassociate(contact, company)
    assert left(do(run)) == {}


def test_a_label_of_a_later_run_keeps_the_association_until_that_run_is_undone_too() -> None:
    friend = make_label("contact", "company", "Friend")
    run, contact, company = employed()
    later = making.do(making.apply(friend), [contact])
    do(run)
    assert words(contact, company) == {"unlabeled", "Primary", "Friend"}
    do(later)
    assert words(contact, company) == {"unlabeled", "Primary"}
    do(run)  # again, for what it left the first time
    assert words(contact, company) == set()


def test_what_finds_no_room_under_a_limit_is_left_as_it_is() -> None:
    one, two = make_label("contact", "company", "One"), make_label("contact", "company", "Two")
    [ann, bob], company = make_records("contact", 2), make_record("company")
    associate(ann, company, one)
    run = making.do(making.update(one, two, "replace"), [ann])
    limit(one, to=None, inverse=1)
    associate(bob, company, one)
    assert left(do(run)) == {(ann.pk, company.pk): "limit_reached"}
    assert words(ann, company) == {"unlabeled", "Primary", "Two"}
    remove_label(bob, company, one)
    do(run)
    assert words(ann, company) == {"unlabeled", "Primary", "One"}


def test_a_primary_that_another_company_has_by_now_stays_there() -> None:
    contact, [old, new, third] = make_record("contact", company="new"), make_records("company", 3)
    change(new, name="new")
    for each in (old, new, third):
        associate(contact, each)
    step = making.create("company", "company", "name", label=primary("contact", "company"), several="oldest")
    run = making.do(step, [contact])
    associate(contact, third, primary("contact", "company"))
    assert left(do(run)) == {(contact.pk, old.pk): "primary_taken"}
    assert words(contact, third) == {"unlabeled", "Primary"}


def test_records_and_labels_that_are_gone_are_listed() -> None:
    friend = make_label("contact", "company", "Friend")
    contacts, company = make_records("contact", 3), make_record("company")
    for contact in contacts:
        associate(contact, company, friend)
    run = making.do(making.remove(friend), contacts)
    merged, deleted, kept = contacts
    other = make_record("contact")
    merging.merge_records(object_type("contact"), other.pk, merged.pk, origin=ORIGIN)
    archiving.delete_records(object_type("contact"), [deleted.pk], origin=ORIGIN)
    found = left(do(run))
    assert set(found) == {(merged.pk, company.pk), (deleted.pk, company.pk)}
    assert words(kept, company) >= {"Friend"}


def test_a_deleted_label_cannot_come_back() -> None:
    friend = make_label("contact", "company", "Friend")
    contact, company = make_record("contact"), make_record("company")
    associate(contact, company, friend)
    run = making.do(making.remove(friend), [contact])
    run.workflow.references.all().delete()
    labels.delete_label(friend.type)
    assert left(do(run)) == {(contact.pk, company.pk): "label_gone"}


def test_an_archived_record_is_as_if_the_run_had_not_been() -> None:
    run, contact, company = employed()
    archiving.archive_records(object_type("company"), [company.pk], origin=ORIGIN)
    do(run)
    archiving.restore_records(object_type("company"), [company.pk], origin=ORIGIN)
    assert words(contact, company) == set()
