"""Undoing a run takes back exactly what it did, unless somebody changed the pair since; redoing puts it back."""

from __future__ import annotations

import pytest

from associations.errors import Refused
from associations.models import Association, ChangeSet, Record
from associations.services.checking import check_all
from associations.services.reversal import Counts
from tests.factories import (
    associate,
    change,
    make_label,
    make_record,
    make_records,
    primary,
    unlabeled,
    words,
)
from tests.workflows import making
from workflows.models import Enrollment, LeftPair, Run, Undo
from workflows.services import undo, undo_preview, why

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
    making.process_all()
    do(run)
    making.process_all()
    assert [each.workflow for each in Run.objects.exclude(pk=run.pk)] == [other]
