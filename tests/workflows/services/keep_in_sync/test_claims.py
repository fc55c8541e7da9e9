"""Keeping in sync takes back nothing of anybody else's, and what it asked for before it was edited or undone."""

from __future__ import annotations

import pytest

from associations.models import AssociationClaim, Record
from associations.services import labels
from tests.factories import (
    associate,
    associated,
    change,
    disassociate,
    make_label,
    make_record,
    remove_label,
    unlabeled,
    words,
)
from tests.workflows.making import (
    apply,
    create,
    enroll,
    make_workflow,
    outcomes,
    process_all,
    set_steps,
)
from workflows.models import Workflow
from workflows.services import lifecycle, pruning, undo

from .keeping import kept, settle, synced

pytestmark = pytest.mark.django_db


def test_what_a_person_made_or_also_asked_for_stays(contact: Record, company: Record) -> None:
    asked, made = make_record("company", city="Boston"), make_record("company", city="Boston")
    associate(contact, made)
    workflow = make_workflow("contact", kept())
    enroll(workflow, [contact])
    associate(contact, asked)
    change(contact, city="Oslo")
    settle()
    assert associated(contact, unlabeled("contact", "company")) == {asked.pk, made.pk}
    assert words(contact, company) == set()


def test_what_another_action_also_asked_for_stays(workflow: Workflow, contact: Record, company: Record) -> None:
    enroll(make_workflow("contact", create("company", "city", "city")), [contact])
    change(contact, city="Oslo")
    settle()
    assert words(contact, company) == {"unlabeled", "Primary"}


def test_of_two_that_keep_in_sync_the_last_one_takes_it_back(contact: Record, company: Record) -> None:
    change(contact, state="MA")
    change(company, state="MA")
    enroll(make_workflow("contact", kept()), [contact])
    enroll(make_workflow("company", create("contact", "state", "state", keep_in_sync=True)), [company])
    change(contact, city="Oslo")
    settle()
    assert words(contact, company) == {"unlabeled", "Primary"}
    change(company, state="NY")
    settle()
    assert words(contact, company) == set()


def test_a_label_goes_with_the_association_or_from_one_that_was_there(contact: Record, company: Record) -> None:
    employer, other = make_label("contact", "company", "Employer", "Employee"), make_record("company", city="Boston")
    associate(contact, other)
    enroll(make_workflow("contact", kept(employer)), [contact])
    assert words(contact, company) == {"unlabeled", "Employer"}
    assert words(contact, other) == {"unlabeled", "Employer", "Primary"}
    change(contact, city="Oslo")
    settle()
    assert (words(contact, company), words(contact, other)) == (set(), {"unlabeled", "Primary"})
    assert outcomes(synced()[0], contact) == {"no_match": 0, "association_removed": 1, "label_removed": 2}


def test_somebody_elses_label_keeps_the_association(workflow: Workflow, contact: Record, company: Record) -> None:
    enroll(make_workflow("contact", apply(make_label("contact", "company", "Local"))), [contact])
    change(contact, city="Oslo")
    settle()
    assert words(contact, company) == {"unlabeled", "Primary", "Local"}
    assert not AssociationClaim.objects.exists()


def test_a_pair_that_was_removed_and_made_again_by_somebody_is_theirs(
    workflow: Workflow, contact: Record, company: Record
) -> None:
    disassociate(contact, company)
    associate(contact, company)
    change(contact, city="Oslo")
    settle()
    assert words(contact, company) == {"unlabeled", "Primary"}


def test_an_action_that_is_edited_or_moved_takes_back_what_it_had_asked_for(
    workflow: Workflow, contact: Record, company: Record
) -> None:
    change(contact, state="Boston")
    settle()
    one, two = make_label("contact", "company", "One"), make_label("contact", "company", "Two")
    set_steps(workflow, kept(one))
    lifecycle.edited(workflow)
    settle()
    assert words(contact, company) == {"unlabeled", "Primary", "One"}
    set_steps(workflow, apply(make_label("contact", "company", "Local")), kept(two))
    lifecycle.edited(workflow)
    settle()
    assert words(contact, company) == {"unlabeled", "Primary", "Two"}
    assert synced()[-1].batches.get().action_runs.count() == 1  # Local is put on by no run that keeps in sync
    labels.delete_label(one.type)


@pytest.mark.parametrize("how", ["removed", "not kept", "deleted"])
def test_what_nobody_keeps_in_sync_any_longer_stays(
    workflow: Workflow, contact: Record, company: Record, how: str
) -> None:
    if how == "deleted":
        lifecycle.delete(workflow)
    else:
        local = make_label("contact", "company", "Local")
        set_steps(workflow, create("company", "city", "city") if how == "not kept" else apply(local))
        lifecycle.edited(workflow)
    change(contact, city="Oslo")
    settle()
    assert words(contact, company) == {"unlabeled", "Primary"}
    assert not AssociationClaim.objects.exists()


def test_an_undone_run_is_not_kept_in_sync_and_a_redone_one_is(
    workflow: Workflow, contact: Record, company: Record
) -> None:
    run = workflow.runs.get()
    for redo in (False, True):
        for part in undo.start(run, redo=redo).parts.all():
            undo.work(part.pk)
        run.refresh_from_db()
        settle()
        assert words(contact, company) == ({"unlabeled", "Primary"} if redo else set())
        if not redo:
            change(contact, state="MA")
            make_record("company", city="Boston")
            settle()
            assert synced() == []
    change(contact, city="Oslo")
    settle()
    assert words(contact, company) == set()


def test_what_it_took_back_can_be_put_back_and_is_nobodys_then(
    workflow: Workflow, contact: Record, company: Record
) -> None:
    change(contact, city="Oslo")
    settle()
    for part in undo.start(synced()[0]).parts.all():
        undo.work(part.pk)
    settle()
    change(contact, city="Rome")
    settle()
    assert words(contact, company) == {"unlabeled", "Primary"}


def test_who_takes_a_label_off_by_hand_leaves_the_rest_in_sync(contact: Record, company: Record) -> None:
    label = make_label("contact", "company", "Employer")
    enroll(make_workflow("contact", kept(label)), [contact])
    remove_label(contact, company, label)
    change(contact, city="Oslo")
    settle()
    assert words(contact, company) == set()


def test_claims_on_what_is_gone_are_forgotten_with_old_history(
    workflow: Workflow, contact: Record, company: Record
) -> None:
    other = make_record("company", city="Boston")
    settle()
    disassociate(contact, company)
    process_all()
    pruning.prune_history(-1)
    assert list(AssociationClaim.objects.values_list("target", flat=True)) == [other.pk]
