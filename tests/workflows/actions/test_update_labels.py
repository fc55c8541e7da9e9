"""Update association labels: append a label to an existing one, or put it in its place (action 3)."""

from __future__ import annotations

import pytest

from associations.models import AssociationChange
from associations.services import archiving
from associations.types import DirectedType
from tests.factories import (
    ORIGIN,
    associate,
    associated,
    limit,
    make_label,
    make_record,
    make_records,
    primary,
    words,
)
from tests.workflows.making import do, everything, outcomes, sums, update

pytestmark = pytest.mark.django_db
MODES = pytest.mark.parametrize("mode", ["append", "replace"])


@pytest.fixture
def evaluator(db: None) -> DirectedType:
    return make_label("deal", "contact", "Evaluator")


@pytest.fixture
def user(db: None) -> DirectedType:
    return make_label("deal", "contact", "User")


def test_append_keeps_the_existing_label_and_adds_the_new_one(evaluator: DirectedType, user: DirectedType) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    run = do(update(evaluator, user), [deal])
    assert words(deal, contact) == {"unlabeled", "Evaluator", "User"}
    assert outcomes(run, deal) == {"label_added": 1}


def test_append_is_what_happens_when_nothing_is_said(evaluator: DirectedType, user: DirectedType) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    do(update(evaluator, user, mode=""), [deal])
    assert words(deal, contact) == {"unlabeled", "Evaluator", "User"}


def test_replace_takes_the_existing_label_off_and_puts_the_new_one_on(
    evaluator: DirectedType, user: DirectedType
) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    run = do(update(evaluator, user, "replace"), [deal])
    assert words(deal, contact) == {"unlabeled", "User"}
    assert outcomes(run, deal) == {"label_added": 1, "label_removed": 1}
    told = AssociationChange.objects.filter(change_set=run.batches.get().action_runs.get().change_set)
    assert set(told.values_list("type", "added")) == {(user.type.pk, True), (evaluator.type.pk, False)}


def test_replace_by_a_label_that_is_there_already_takes_the_old_one_off(
    evaluator: DirectedType, user: DirectedType
) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator, user)
    run = do(update(evaluator, user, "replace"), [deal])
    assert words(deal, contact) == {"unlabeled", "User"}
    assert outcomes(run, deal) == {"already_there": 1, "label_removed": 1}


@MODES
def test_pairs_without_the_existing_label_stay_as_they_are(
    mode: str, evaluator: DirectedType, user: DirectedType
) -> None:
    with_label, without = make_record("deal"), make_record("deal")
    contact = make_record("contact")
    associate(with_label, contact, evaluator)
    associate(without, contact)
    alone = make_record("deal")
    run = do(update(evaluator, user, mode), [with_label, without, alone])
    assert words(without, contact) == {"unlabeled"}
    assert outcomes(run, without) == {"not_associated": 0}
    assert outcomes(run, alone) == {"not_associated": 0}


@MODES
def test_other_labels_and_the_association_stay(mode: str, evaluator: DirectedType, user: DirectedType) -> None:
    payer = make_label("deal", "contact", "Payer")
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator, payer)
    do(update(evaluator, user, mode), [deal])
    assert {"unlabeled", "Payer", "User"} <= words(deal, contact)


@MODES
def test_every_pair_with_the_label_is_updated_and_counted(
    mode: str, evaluator: DirectedType, user: DirectedType
) -> None:
    deal, contacts = make_record("deal"), make_records("contact", 3)
    for contact in contacts:
        associate(deal, contact, evaluator)
    run = do(update(evaluator, user, mode), [deal])
    assert associated(deal, user) == {each.pk for each in contacts}
    assert outcomes(run, deal)["label_added"] == 3


@MODES
def test_only_enrolled_records_are_touched(mode: str, evaluator: DirectedType, user: DirectedType) -> None:
    deal, bystander, contact = make_record("deal"), make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    associate(bystander, contact, evaluator)
    do(update(evaluator, user, mode), [deal])
    assert words(bystander, contact) == {"unlabeled", "Evaluator"}


@MODES
def test_archived_associated_records_are_left_out(mode: str, evaluator: DirectedType, user: DirectedType) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    archiving.archive_records(contact.object_type, [contact.pk], origin=ORIGIN)
    run = do(update(evaluator, user, mode), [deal])
    assert words(deal, contact) == {"unlabeled", "Evaluator"}
    assert outcomes(run, deal) == {"not_associated": 0}


@MODES
def test_a_second_run_changes_nothing(mode: str, evaluator: DirectedType, user: DirectedType) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    do(update(evaluator, user, mode), [deal])
    before = everything()
    run = do(update(evaluator, user, mode), [deal])
    assert everything() == before
    assert outcomes(run, deal) == ({"already_there": 1} if mode == "append" else {"not_associated": 0})


# Limits: replace is atomic per pair -------------------------------------------------------------


def test_where_a_limit_refuses_the_new_label_the_old_one_stays(evaluator: DirectedType, user: DirectedType) -> None:
    limit(user, to=1)
    deal, contacts = make_record("deal"), make_records("contact", 3)
    for contact in contacts:
        associate(deal, contact, evaluator)
    run = do(update(evaluator, user, "replace"), [deal])
    assert [words(deal, each) for each in contacts] == [
        {"unlabeled", "User"},
        {"unlabeled", "Evaluator"},
        {"unlabeled", "Evaluator"},
    ]
    assert outcomes(run, deal) == {"label_added": 1, "label_removed": 1, "limit_reached": 2}


def test_a_limit_of_the_associated_side_is_kept_by_a_whole_set(evaluator: DirectedType, user: DirectedType) -> None:
    limit(user, to=None, inverse=1)
    deals, contact = make_records("deal", 3), make_record("contact")
    for deal in deals:
        associate(deal, contact, evaluator)
    run = do(update(evaluator, user, "replace"), deals)
    assert associated(contact, user.reverse) == {deals[0].pk}
    assert associated(contact, evaluator.reverse) == {deals[1].pk, deals[2].pk}
    assert sums(run) == {
        "label_added": {"records": 1, "pairs": 1},
        "label_removed": {"records": 1, "pairs": 1},
        "limit_reached": {"records": 2, "pairs": 2},
    }


def test_the_existing_labels_room_is_not_the_new_ones(evaluator: DirectedType, user: DirectedType) -> None:
    limit(evaluator, to=1)
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    do(update(evaluator, user), [deal])
    assert words(deal, contact) == {"unlabeled", "Evaluator", "User"}


def test_a_refused_replacement_is_refused_again_and_changes_nothing(
    evaluator: DirectedType, user: DirectedType
) -> None:
    limit(user, to=1)
    deal, contacts = make_record("deal"), make_records("contact", 2)
    for contact in contacts:
        associate(deal, contact, evaluator)
    do(update(evaluator, user, "replace"), [deal])
    before = everything()
    run = do(update(evaluator, user, "replace"), [deal])
    assert everything() == before
    assert outcomes(run, deal) == {"limit_reached": 1}


def test_append_under_a_limit_leaves_the_pair_as_it_was(evaluator: DirectedType, user: DirectedType) -> None:
    limit(user, to=1)
    deal, contacts = make_record("deal"), make_records("contact", 2)
    for contact in contacts:
        associate(deal, contact, evaluator)
    run = do(update(evaluator, user), [deal])
    assert words(deal, contacts[1]) == {"unlabeled", "Evaluator"}
    assert outcomes(run, deal) == {"label_added": 1, "limit_reached": 1}


# Within one object type, and Primary ------------------------------------------------------------


@MODES
def test_a_single_label_within_one_type_is_updated_once(mode: str) -> None:
    colleague, friend = make_label("contact", "contact", "Colleague"), make_label("contact", "contact", "Friend")
    first, second = make_records("contact", 2)
    associate(second, first, colleague)
    run = do(update(colleague, friend, mode), [first, second])
    expected = {"unlabeled", "Friend"} | ({"Colleague"} if mode == "append" else set())
    assert words(first, second) == words(second, first) == expected
    removed = {"label_removed": 1} if mode == "replace" else {}
    assert outcomes(run, first) == {"label_added": 1, **removed}
    assert outcomes(run, second) == {"already_there": 1}


def test_a_paired_label_is_replaced_on_the_side_where_it_reads_so() -> None:
    manager = make_label("contact", "contact", "Manager", "Employee")
    mentor = make_label("contact", "contact", "Mentor", "Student")
    boss, worker = make_records("contact", 2)
    associate(worker, boss, manager)
    run = do(update(manager, mentor, "replace"), [boss, worker])
    assert words(worker, boss) == {"unlabeled", "Mentor"}
    assert words(boss, worker) == {"unlabeled", "Student"}
    assert outcomes(run, boss) == {"not_associated": 0}


def test_replace_by_primary_takes_it_from_the_company_that_had_it() -> None:
    employer, is_primary = make_label("contact", "company", "Employer"), primary("contact", "company")
    contact, (before, after) = make_record("contact"), make_records("company", 2)
    associate(contact, before)
    associate(contact, after, employer)
    run = do(update(employer, is_primary, "replace"), [contact])
    assert words(contact, before) == {"unlabeled"}
    assert words(contact, after) == {"unlabeled", "Primary"}
    assert outcomes(run, contact) == {"label_added": 1, "label_removed": 1}


def test_of_several_replacements_by_primary_the_refused_ones_keep_their_label() -> None:
    employer, is_primary = make_label("contact", "company", "Employer"), primary("contact", "company")
    contact, (first, second) = make_record("contact"), make_records("company", 2)
    associate(contact, second, employer)
    associate(contact, first, employer)
    do(update(employer, is_primary, "replace"), [contact])
    assert words(contact, first) == {"unlabeled", "Primary"}
    assert words(contact, second) == {"unlabeled", "Employer"}
