"""Create associations where property values match (action 1)."""

from __future__ import annotations

import pytest

from associations.models import Association, AssociationChange, Record
from associations.services import archiving
from tests import factories
from tests.factories import ORIGIN, associate, associated, make_label, make_record, make_records, unlabeled, words
from tests.workflows.making import create, do, everything, looked_for, outcomes, sums

pytestmark = pytest.mark.django_db
BY_CITY = ("company", "city", "city")


def make_matching() -> tuple[Record, Record]:
    return make_record("contact", city="Boston"), make_record("company", city="Boston")


def test_records_whose_values_match_are_associated_both_ways() -> None:
    contact, company = make_matching()
    run = do(create(*BY_CITY), [contact])
    assert words(contact, company) == {"unlabeled", "Primary"}
    assert words(company, contact) == {"unlabeled", "Primary"}
    assert outcomes(run, contact) == {"created": 1}
    assert sums(run) == {"created": {"records": 1, "pairs": 1}}


def test_only_the_values_are_compared_not_the_names_of_the_properties() -> None:
    factories.make_property("company", "location")
    contact, company = make_record("contact", city="Boston"), make_record("company", location="Boston")
    do(create("company", "city", "location"), [contact])
    assert words(contact, company) == {"unlabeled", "Primary"}


def test_every_matching_record_is_associated() -> None:
    contact = make_record("contact", city="Boston")
    boston = make_records("company", [{"city": "Boston"}] * 3)
    make_record("company", city="Paris")
    run = do(create(*BY_CITY), [contact])
    assert associated(contact, unlabeled("contact", "company")) == {each.pk for each in boston}
    assert outcomes(run, contact) == {"created": 3}


def test_the_label_is_put_on_new_pairs() -> None:
    partner = make_label("contact", "company", "Partner")
    contact, company = make_matching()
    run = do(create(*BY_CITY, label=partner), [contact])
    assert words(contact, company) == {"unlabeled", "Primary", "Partner"}
    assert outcomes(run, contact) == {"created": 1}


def test_a_pair_that_is_associated_already_just_gets_the_label() -> None:
    partner = make_label("contact", "company", "Partner")
    contact, company = make_matching()
    associate(contact, company)
    by_hand = Association.objects.get(type=unlabeled("contact", "company").type).change_set_id
    run = do(create(*BY_CITY, label=partner), [contact])
    assert words(contact, company) == {"unlabeled", "Primary", "Partner"}
    assert outcomes(run, contact) == {"label_added": 1}
    assert Association.objects.get(type=unlabeled("contact", "company").type).change_set_id == by_hand


def test_a_pair_that_has_everything_already_stays_as_it_is() -> None:
    partner = make_label("contact", "company", "Partner")
    contact, company = make_matching()
    associate(contact, company, partner)
    before = everything()
    run = do(create(*BY_CITY, label=partner), [contact])
    assert everything() == before
    assert outcomes(run, contact) == {"already_there": 1}


def test_other_labels_of_the_pair_stay() -> None:
    partner, billing = make_label("contact", "company", "Partner"), make_label("contact", "company", "Billing")
    contact, company = make_matching()
    associate(contact, company, billing)
    do(create(*BY_CITY, label=partner), [contact])
    assert words(contact, company) == {"unlabeled", "Primary", "Partner", "Billing"}


def test_archived_records_are_left_out() -> None:
    contact, company = make_matching()
    archiving.archive_records(company.object_type, [company.pk], origin=ORIGIN)
    run = do(create(*BY_CITY), [contact])
    assert words(contact, company) == set()
    assert outcomes(run, contact) == {"no_match": 0}


def test_a_restored_record_matches_again() -> None:
    contact, company = make_matching()
    do(create(*BY_CITY), [make_record("contact", city="Paris")])  # the keys are kept from here on
    archiving.archive_records(company.object_type, [company.pk], origin=ORIGIN)
    archiving.restore_records(company.object_type, [company.pk], origin=ORIGIN)
    do(create(*BY_CITY), [contact])
    assert words(contact, company) == {"unlabeled", "Primary"}


def test_a_record_is_never_associated_with_itself() -> None:
    one, two, alone = make_records("company", [{"city": "Boston"}, {"city": "Boston"}, {"city": "Paris"}])
    run = do(create("company", "city", "city"), [one, alone])
    assert associated(one, unlabeled("company", "company")) == {two.pk}
    assert outcomes(run, alone) == {"no_match": 0}
    assert looked_for(run, alone) == {"Paris"}


def test_records_of_other_types_with_the_same_value_are_not_meant() -> None:
    contact, other_contact = make_records("contact", [{"city": "Boston"}, {"city": "Boston"}])
    run = do(create(*BY_CITY), [contact])
    assert words(contact, other_contact) == set()
    assert outcomes(run, contact) == {"no_match": 0}


def test_only_enrolled_records_are_associated() -> None:
    contact, company = make_matching()
    bystander = make_record("contact", city="Boston")
    do(create(*BY_CITY), [contact])
    assert associated(company, unlabeled("company", "contact")) == {contact.pk}
    assert words(bystander, company) == set()


def test_no_value_never_matches_not_even_another_no_value() -> None:
    contact, company = make_record("contact", firstname="Ann"), make_record("company", name="Acme")
    run = do(create(*BY_CITY), [contact])
    assert words(contact, company) == set()
    assert outcomes(run, contact) == {"no_value": 0}
    assert looked_for(run, contact) == {None}


def test_empty_text_is_no_value() -> None:
    contact, company = make_record("contact", city="   "), make_record("company", city="")
    run = do(create(*BY_CITY), [contact])
    assert words(contact, company) == set()
    assert outcomes(run, contact) == {"no_value": 0}


def test_the_log_shows_the_value_that_was_looked_for_and_not_found() -> None:
    contact = make_record("contact", city='Bo\'s 100% \\ "town"')
    run = do(create(*BY_CITY), [contact])
    assert outcomes(run, contact) == {"no_match": 0}
    assert looked_for(run, contact) == {'Bo\'s 100% \\ "town"'}


def test_the_log_shows_the_value_that_was_found_as_the_enrolled_record_has_it() -> None:
    contact = make_record("contact", city="BOSTON")
    make_record("company", city="boston")
    assert looked_for(do(create(*BY_CITY), [contact]), contact) == {"BOSTON"}


def test_each_record_of_a_set_gets_its_own_outcome() -> None:
    partner = make_label("contact", "company", "Partner")
    values = [{"city": "Boston"}, {"city": "Boston"}, {"city": "Boston"}, {"city": "Oslo"}, {}]
    new, known, complete, lost, empty = make_records("contact", values)
    company = make_record("company", city="Boston")
    associate(known, company)
    associate(complete, company, partner)
    run = do(create(*BY_CITY, label=partner), [new, known, complete, lost, empty])
    assert sums(run) == {
        "already_there": {"records": 1, "pairs": 1},
        "created": {"records": 1, "pairs": 1},
        "label_added": {"records": 1, "pairs": 1},
        "no_match": {"records": 1, "pairs": 0},
        "no_value": {"records": 1, "pairs": 0},
    }


def test_a_record_may_have_several_outcomes() -> None:
    partner = make_label("contact", "company", "Partner")
    contact = make_record("contact", city="Boston")
    new, known = make_records("company", [{"city": "Boston"}, {"city": "Boston"}])
    associate(contact, known)
    run = do(create(*BY_CITY, label=partner), [contact])
    assert outcomes(run, contact) == {"created": 1, "label_added": 1}
    assert words(contact, new) == {"unlabeled", "Partner"}


def test_a_second_run_changes_nothing() -> None:
    partner = make_label("contact", "company", "Partner")
    contacts = make_records("contact", [{"city": "Boston"}, {"city": "Oslo"}, {}])
    make_records("company", [{"city": "Boston"}, {"city": "Oslo"}, {"city": "Oslo"}])
    do(create(*BY_CITY, label=partner), contacts)
    before = everything()
    run = do(create(*BY_CITY, label=partner), contacts)
    assert everything() == before
    assert sums(run) == {"already_there": {"records": 2, "pairs": 3}, "no_value": {"records": 1, "pairs": 0}}


# Provenance -------------------------------------------------------------------------------------


def test_every_row_knows_the_action_run_that_made_it() -> None:
    partner = make_label("contact", "company", "Partner")
    contact, _ = make_matching()
    run = do(create(*BY_CITY, label=partner), [contact])
    action_run = run.batches.get().action_runs.get()
    assert action_run.change_set is not None
    assert action_run.change_set.source == "workflow"
    assert action_run.change_set.source_id == action_run.pk
    assert set(Association.objects.values_list("change_set", flat=True)) == {action_run.change_set_id}


def test_the_ledger_keeps_the_two_values_that_matched() -> None:
    partner = make_label("company", "contact", "Partner")
    company, contact = make_record("company", city="BOSTON"), make_record("contact", city="Boston ")
    do(create("contact", "city", "city", label=partner), [company])
    told = AssociationChange.objects.values_list("type", "source", "target", "source_value", "target_value", "added")
    # All types of contact and company lie from the contact to the company, whoever was enrolled.
    assert set(told) == {
        (type_id, contact.pk, company.pk, "Boston", "BOSTON", True) for type_id in (279, 1, partner.type.pk)
    }


def test_what_was_there_before_keeps_its_provenance() -> None:
    contact, company = make_matching()
    associate(contact, company)
    by_hand = set(Association.objects.values_list("change_set", flat=True))
    do(create(*BY_CITY), [contact])
    assert set(Association.objects.values_list("change_set", flat=True)) == by_hand
