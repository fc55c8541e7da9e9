"""Undoing a run takes back exactly what it did, unless somebody changed the pair since; redoing puts it back."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations import sql
from associations.errors import Refused
from associations.models import Association, ChangeSet, Record
from associations.querysets import directed_type
from associations.services import archiving, labels, linking, merging
from associations.services.checking import check_all
from associations.services.origin import open_change_set
from associations.services.reversal import Counts
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
    unlabeled,
    words,
)
from tests.workflows import making
from workflows import jobs
from workflows.models import Enrollment, LeftPair, Run, Undo, UndoPart
from workflows.services import events, undo, undo_preview, why

pytestmark = pytest.mark.django_db

Rows = set[tuple[int, int, int]]


def rows() -> Rows:
    return set(Association.objects.values_list("source_id", "type_id", "target_id"))


def do(run: Run, *, redo: bool = False) -> Undo:
    """Look first, then do it; what was said before is what came of it."""
    run.refresh_from_db()
    said = undo_preview.look(run, redo=redo)
    before = rows()
    assert said.is_exact
    started = undo.start(run, redo=redo)
    for part in started.parts.all():
        undo.work(part.pk)
    started.refresh_from_db()
    run.refresh_from_db()
    assert started.state == Undo.State.FINISHED
    done = undo.counts_of(started)
    assert done == said.counts
    change = len(rows()) - len(before)
    removed = done.associations_removed + done.labels_removed
    assert change == done.associations_restored + done.labels_restored - removed
    assert not [each for each in check_all() if each.count and not each.is_warning]
    return started


def left(started: Undo) -> dict[tuple[int, int], str]:
    pairs = LeftPair.objects.filter(part__undo=started)
    return {(each.source_id, each.target_id): each.reason for each in pairs}


def employed(label: bool = False) -> tuple[Run, Record, Record]:
    employer = make_label("contact", "company", "Employer") if label else None
    contact, company = make_record("contact", company="Alder"), make_record("company", name="alder")
    step = making.create("company", "company", "name", label=employer)
    return making.enroll(making.make_workflow("contact", step), [contact]), contact, company


# What it takes back -------------------------------------------------------------------------------


def test_what_a_run_created_goes_with_its_labels_and_primary() -> None:
    run, contact, company = employed(label=True)
    assert words(contact, company) == {"unlabeled", "Primary", "Employer"}
    counts = undo.counts_of(do(run))
    assert (counts.associations_removed, counts.labels_removed) == (1, 2)
    assert words(contact, company) == set()
    assert run.undone_at is not None


def test_what_was_there_before_stays() -> None:
    employer = make_label("contact", "company", "Employer")
    contact, company = make_record("contact", company="Alder"), make_record("company", name="alder")
    associate(contact, company)
    run = making.do(making.create("company", "company", "name", label=employer), [contact])
    do(run)
    assert words(contact, company) == {"unlabeled", "Primary"}


def test_what_a_run_removed_comes_back_with_who_had_made_it() -> None:
    friend = make_label("contact", "company", "Friend")
    _, contact, company = employed()
    associate(contact, company, friend)
    removal = making.do(making.remove(friend, associations=True), [contact])
    assert words(contact, company) == set()
    do(removal)
    assert words(contact, company) == {"unlabeled", "Primary", "Friend"}
    made = {each.what: each for each in why.of_pair(contact, company).there}
    assert made["Associated"].value == "Alder" and made["Associated"].maker.action_run is not None
    assert made["Label Friend put on"].maker.who == "System a test"


def test_primary_goes_back_to_the_company_that_had_it() -> None:
    contact, [old, new] = make_record("contact"), make_records("company", 2)
    associate(contact, old)
    associate(contact, new)
    change(contact, company="New")
    change(new, name="new")
    step = making.create("company", "company", "name", label=primary("contact", "company"), several="oldest")
    run = making.do(step, [contact])
    assert words(contact, new) == {"unlabeled", "Primary"} and words(contact, old) == {"unlabeled"}
    do(run)
    assert words(contact, old) == {"unlabeled", "Primary"} and words(contact, new) == {"unlabeled"}
    do(run, redo=True)
    assert words(contact, new) == {"unlabeled", "Primary"} and words(contact, old) == {"unlabeled"}


def test_labels_within_one_object_type_go_in_both_directions() -> None:
    manager = make_label("contact", "contact", "Manager", "Report")
    friend = make_label("contact", "contact", "Friend")
    ann, bob = make_records("contact", [{"company": "x"}, {"company": "x"}])
    before = rows()
    run = making.do(making.create("contact", "company", "company", label=manager), [ann, bob])
    second = making.do(making.apply(friend), [bob])
    do(second)
    do(run)
    assert rows() == before == set()
    do(run, redo=True)
    do(second, redo=True)
    assert words(ann, bob) == {"unlabeled", "Manager", "Report", "Friend"}


def test_several_actions_of_a_run_are_taken_back_as_one() -> None:
    one, two = make_label("contact", "company", "One"), make_label("contact", "company", "Two")
    contact, company = make_record("contact", company="a"), make_record("company", name="a")
    associate(contact, company, two)
    before = rows()
    steps = [
        making.create("company", "company", "name", label=one),
        making.update(one, two, "replace"),
        making.remove(two),
    ]
    run = making.enroll(making.make_workflow("contact", *steps), [contact])
    assert words(contact, company) == {"unlabeled", "Primary"}
    do(run)
    assert rows() == before


def test_what_a_run_took_away_and_made_anew_is_given_back_to_who_had_made_it() -> None:
    friend = make_label("contact", "company", "Friend")
    contact, company = make_record("contact"), make_record("company")
    associate(contact, company, friend)
    before = Association.objects.get(type=friend.type.pk)
    run = making.enroll(making.make_workflow("contact", making.remove(friend), making.apply(friend)), [contact])
    during = Association.objects.get(type=friend.type.pk)
    assert during.change_set_id in undo.change_sets_of(run)
    counts = undo.counts_of(do(run))
    assert counts == Counts()  # it is there before and after
    assert Association.objects.get(type=friend.type.pk).origin_id == before.change_set_id
    do(run, redo=True)
    assert Association.objects.get(type=friend.type.pk).origin_id == during.change_set_id


def test_doing_a_part_twice_does_nothing_the_second_time() -> None:
    run, _, _ = employed()
    started = do(run)
    count = ChangeSet.objects.count()
    undo.work(started.parts.get().pk)
    assert ChangeSet.objects.count() == count


# What it leaves alone -----------------------------------------------------------------------------


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


# Redo, and again ----------------------------------------------------------------------------------


def test_an_undone_run_can_be_redone_and_undone_again() -> None:
    run, contact, company = employed(label=True)
    after = rows()
    for _ in range(2):
        do(run)
        assert rows() == set() and run.undone_at
        do(run, redo=True)
        assert rows() == after and run.undone_at is None
    assert {each.value for each in why.of_pair(contact, company).there} == {"Alder"}


def test_an_undone_run_counts_as_if_nobody_had_been_enrolled() -> None:
    run, contact, _ = employed()
    do(run)
    again = making.enroll(run.workflow, [contact])
    assert making.outcomes(again, contact) == {"created": 1}
    assert Enrollment.objects.filter(record=contact).count() == 2


def test_what_cannot_be_is_refused() -> None:
    run, _, _ = employed()
    with pytest.raises(Refused, match="not undone"):
        undo.start(run, redo=True)
    started = undo.start(run)
    with pytest.raises(Refused, match="still at work"):
        undo.start(run)
    undo.work(started.parts.get().pk)
    run.refresh_from_db()
    with pytest.raises(Refused, match="undone already"):
        undo.start(run)
    waiting = making.make_workflow("contact", making.create("company", "company", "name"))
    fresh = Run.objects.create(workflow=waiting, revision=run.revision)
    with pytest.raises(Refused, match="still at work"):
        undo_preview.look(fresh)


# Who hears of it ----------------------------------------------------------------------------------


def test_the_workflow_itself_does_not_enroll_because_of_its_undo_and_others_do() -> None:
    lacks = {"kind": "association", "type_id": str(unlabeled("contact", "company").type_id), "has": False}
    step = making.create("company", "company", "name")
    contact = make_record("contact", company="a")
    make_record("company", name="a")
    friend = make_label("contact", "company", "Friend")
    own = making.make_workflow("contact", step, triggers=[[lacks]], should_re_enroll=True)
    other = making.make_workflow("contact", making.apply(friend), triggers=[[lacks]], should_re_enroll=True)
    run = making.enroll(own, [contact])
    events.process_all()
    do(run)
    events.process_all()
    assert [each.workflow for each in Run.objects.exclude(pk=run.pk)] == [other]


# How it is done -----------------------------------------------------------------------------------


def test_the_number_of_queries_does_not_grow_with_the_pairs() -> None:
    step = making.create("company", "company", "name")

    def count(pairs: int, name: str) -> int:
        contacts = make_records("contact", [{"company": name}] * pairs)
        make_record("company", name=name)
        run = making.do(step, contacts)
        part = undo.start(run).parts.get()
        with CaptureQueriesContext(connection) as asked:
            undo.work(part.pk)
        return len(asked)

    assert count(2, "few") == count(40, "many")


def test_row_by_row_only_those_pairs_are_looked_at_that_somebody_else_touched() -> None:
    friend = make_label("contact", "company", "Friend")
    contacts, company = make_records("contact", [{"company": "a"}] * 5), make_record("company", name="a")
    run = making.do(making.create("company", "company", "name"), contacts)
    associate(contacts[1], company, friend)
    disassociate(contacts[3], company)
    said = undo_preview.look(run)
    assert sql.fetch("SELECT first_id FROM reversed_pair") == [(contacts[1].pk,)]
    assert said.counts == Counts(3, 3, left={"changed": 1})
    part = undo.start(run).parts.get()
    undo.work(part.pk)
    assert [len(words(contact, company)) for contact in contacts] == [0, 3, 0, 0, 0]
    assert undo.counts_of(part.undo) == said.counts


def test_a_part_that_nobody_else_touched_takes_few_statements() -> None:
    run, contact, company = employed(label=True)
    part = undo.start(run).parts.get()
    with CaptureQueriesContext(connection) as asked:
        undo.work(part.pk)
    assert words(contact, company) == set()
    assert not [each["sql"] for each in asked if each["sql"].startswith("INSERT INTO reversed_row")]


def test_big_runs_are_undone_in_parts_and_the_sweep_rings_for_lost_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("associations.services.match_keys.CHUNK", 2)
    make_records("contact", [{"company": "a"}] * 5)
    make_record("company", name="a")
    workflow = making.make_workflow("contact", making.create("company", "company", "name"))
    run = making.enroll_all(workflow)
    assert run.batches.count() == 3
    look = undo_preview.look(run, seconds=0)
    assert (look.seen, look.parts, look.is_exact) == (1, 3, False)
    started = undo.start(run)
    assert started.parts.count() == 3
    first = started.parts.first()
    assert first is not None
    jobs.undo_part(first.pk)
    started.refresh_from_db()
    assert started.state == Undo.State.RUNNING
    assert undo.ring_for_waiting(-1) == 2
    for part in started.parts.all():
        jobs.undo_part(part.pk)
    started.refresh_from_db()
    assert started.state == Undo.State.FINISHED and rows() == set()


def test_a_part_that_cannot_be_done_says_why_and_the_rest_is_done_when_it_is_started_again() -> None:
    run, contact, company = employed()
    started = undo.start(run)
    part = started.parts.get()
    undo.put_aside(part.pk, "the disk is full")
    started.refresh_from_db()
    assert started.state == Undo.State.FAILED and UndoPart.objects.get().error == "the disk is full"
    do(run)
    assert words(contact, company) == set()
