"""Remove association labels, or the associations that have them (action 4)."""

from __future__ import annotations

import pytest

from associations.models import Association, AssociationChange
from associations.services import archiving
from associations.types import DirectedType
from tests.factories import ORIGIN, associate, make_label, make_record, make_records, primary, words
from tests.workflows.making import do, everything, outcomes, remove, sums

pytestmark = pytest.mark.django_db
WITH_ASSOCIATIONS = pytest.mark.parametrize("associations", [False, True], ids=["labels", "associations"])


@pytest.fixture
def evaluator(db: None) -> DirectedType:
    return make_label("deal", "contact", "Evaluator")


@pytest.fixture
def user(db: None) -> DirectedType:
    return make_label("deal", "contact", "User")


def test_removing_a_label_keeps_the_association(evaluator: DirectedType) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    run = do(remove(evaluator), [deal])
    assert words(deal, contact) == words(contact, deal) == {"unlabeled"}
    assert outcomes(run, deal) == {"label_removed": 1}
    assert sums(run) == {"label_removed": {"records": 1, "pairs": 1}}


def test_several_labels_go_at_once_and_others_stay(evaluator: DirectedType, user: DirectedType) -> None:
    payer = make_label("deal", "contact", "Payer")
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator, user, payer)
    run = do(remove(evaluator, user), [deal])
    assert words(deal, contact) == {"unlabeled", "Payer"}
    assert outcomes(run, deal) == {"label_removed": 2}


def test_with_the_associations_the_pair_goes_with_all_its_labels(evaluator: DirectedType, user: DirectedType) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator, user)
    run = do(remove(evaluator, associations=True), [deal])
    assert words(deal, contact) == words(contact, deal) == set()
    assert not Association.objects.exists()
    assert outcomes(run, deal) == {"association_removed": 1}
    told = AssociationChange.objects.filter(change_set=run.batches.get().action_runs.get().change_set, added=False)
    assert {each.type_id for each in told} >= {evaluator.type.pk, user.type.pk}
    assert told.count() == 3


def test_with_the_associations_one_of_the_labels_is_enough(evaluator: DirectedType, user: DirectedType) -> None:
    deal, (first, second, third) = make_record("deal"), make_records("contact", 3)
    associate(deal, first, evaluator)
    associate(deal, second, user)
    associate(deal, third)
    run = do(remove(evaluator, user, associations=True), [deal])
    assert words(deal, first) == words(deal, second) == set()
    assert words(deal, third) == {"unlabeled"}
    assert outcomes(run, deal) == {"association_removed": 2}


@WITH_ASSOCIATIONS
def test_pairs_without_the_label_stay(associations: bool, evaluator: DirectedType, user: DirectedType) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, user)
    run = do(remove(evaluator, associations=associations), [deal])
    assert words(deal, contact) == {"unlabeled", "User"}
    assert outcomes(run, deal) == {"not_associated": 0}


@WITH_ASSOCIATIONS
def test_only_enrolled_records_are_touched(associations: bool, evaluator: DirectedType) -> None:
    deal, bystander, contact = make_record("deal"), make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    associate(bystander, contact, evaluator)
    do(remove(evaluator, associations=associations), [deal])
    assert words(bystander, contact) == {"unlabeled", "Evaluator"}


@WITH_ASSOCIATIONS
def test_the_other_side_can_be_enrolled_as_well(associations: bool) -> None:
    employer = make_label("contact", "company", "Employer", "Employee")
    contact, company = make_record("contact"), make_record("company")
    associate(contact, company, employer)
    do(remove(employer.reverse, associations=associations), [company])
    assert words(contact, company) == (set() if associations else {"unlabeled", "Primary"})


@WITH_ASSOCIATIONS
def test_archived_associated_records_are_left_out(associations: bool, evaluator: DirectedType) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    archiving.archive_records(contact.object_type, [contact.pk], origin=ORIGIN)
    do(remove(evaluator, associations=associations), [deal])
    assert words(deal, contact) == {"unlabeled", "Evaluator"}


@WITH_ASSOCIATIONS
def test_a_second_run_changes_nothing(associations: bool, evaluator: DirectedType) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    do(remove(evaluator, associations=associations), [deal])
    before = everything()
    run = do(remove(evaluator, associations=associations), [deal])
    assert everything() == before
    assert outcomes(run, deal) == {"not_associated": 0}


def test_the_removal_is_told_with_the_action_run_that_did_it(evaluator: DirectedType) -> None:
    deal, contact = make_record("deal"), make_record("contact")
    associate(deal, contact, evaluator)
    run = do(remove(evaluator), [deal])
    told = AssociationChange.objects.get(added=False)
    assert told.change_set.source_id == run.batches.get().action_runs.get().pk
    assert (told.type_id, {told.source_id, told.target_id}) == (evaluator.type.pk, {deal.pk, contact.pk})


def test_primary_can_be_taken_off_and_the_company_stays() -> None:
    contact, company = make_record("contact"), make_record("company")
    associate(contact, company)
    do(remove(primary("contact", "company")), [contact])
    assert words(contact, company) == {"unlabeled"}


# Within one object type -------------------------------------------------------------------------


@WITH_ASSOCIATIONS
def test_a_pair_met_from_both_ends_goes_once_and_is_told_for_the_lower_id(associations: bool) -> None:
    colleague = make_label("contact", "contact", "Colleague")
    first, second = make_records("contact", 2)
    associate(second, first, colleague)
    run = do(remove(colleague, associations=associations), [first, second])
    assert words(first, second) == (set() if associations else {"unlabeled"})
    assert outcomes(run, first) == {"association_removed" if associations else "label_removed": 1}
    assert outcomes(run, second) == {"not_associated": 0}


def test_both_directions_of_a_paired_label_go_with_either_word() -> None:
    manager = make_label("contact", "contact", "Manager", "Employee")
    for label, enrolled in ((manager, 0), (manager.reverse, 1)):
        pair = worker, boss = make_records("contact", 2)
        associate(worker, boss, manager)
        do(remove(label), [pair[enrolled]])
        assert words(worker, boss) == words(boss, worker) == {"unlabeled"}


def test_a_paired_label_stays_where_the_enrolled_record_is_on_the_other_side_of_it() -> None:
    manager = make_label("contact", "contact", "Manager", "Employee")
    worker, boss = make_records("contact", 2)
    associate(worker, boss, manager)
    run = do(remove(manager), [boss])
    assert words(worker, boss) == {"unlabeled", "Manager"}
    assert outcomes(run, boss) == {"not_associated": 0}


def test_only_the_chosen_direction_goes_where_a_pair_has_both() -> None:
    mentor = make_label("contact", "contact", "Mentor", "Student")
    first, second = make_records("contact", 2)
    associate(first, second, mentor, mentor.reverse)
    do(remove(mentor), [first])
    assert words(first, second) == {"unlabeled", "Student"}


def test_both_words_of_a_paired_label_can_go_at_once() -> None:
    mentor = make_label("contact", "contact", "Mentor", "Student")
    first, second = make_records("contact", 2)
    associate(first, second, mentor, mentor.reverse)
    run = do(remove(mentor, mentor.reverse), [first])
    assert words(first, second) == {"unlabeled"}
    assert outcomes(run, first) == {"label_removed": 2}


def test_with_the_associations_labels_that_lie_the_other_way_round_go_too() -> None:
    mentor = make_label("contact", "contact", "Mentor", "Student")
    manager = make_label("contact", "contact", "Manager", "Employee")
    first, second = make_records("contact", 2)
    associate(first, second, mentor, manager.reverse)
    do(remove(mentor, associations=True), [first])
    assert not Association.objects.exists()
