"""Create associations: paired and single labels within one object type, and Primary."""

from __future__ import annotations

import pytest

from associations.models import Association, AssociationChange
from associations.querysets import directed_type
from tests.factories import (
    associate,
    associated,
    make_label,
    make_property,
    make_record,
    make_records,
    primary,
    unlabeled,
    words,
)
from tests.workflows.making import apply, create, do, everything, outcomes, sums

pytestmark = pytest.mark.django_db

# Within one object type -------------------------------------------------------------------------


def test_a_paired_label_reads_its_own_word_on_each_side() -> None:
    make_property("contact", "manager_name")
    manager_of = make_label("contact", "contact", "Manager", "Employee")
    boss, worker = make_record("contact", firstname="Ann"), make_record("contact", firstname="Bob", manager_name="ann")
    run = do(create("contact", "manager_name", "firstname", label=manager_of), [boss, worker])
    assert words(worker, boss) == {"unlabeled", "Manager"}
    assert words(boss, worker) == {"unlabeled", "Employee"}
    assert outcomes(run, worker) == {"created": 1}
    assert outcomes(run, boss) == {"no_value": 0}


def test_the_other_word_of_a_paired_label_puts_it_the_other_way_round() -> None:
    make_property("contact", "manager_name")
    employee_of = make_label("contact", "contact", "Manager", "Employee").reverse
    boss, worker = make_record("contact", firstname="Ann"), make_record("contact", firstname="Bob", manager_name="ann")
    do(create("contact", "firstname", "manager_name", label=employee_of), [boss, worker])
    assert words(worker, boss) == {"unlabeled", "Manager"}
    assert words(boss, worker) == {"unlabeled", "Employee"}


def test_the_built_in_parent_company_label_works_from_the_child() -> None:
    make_property("company", "subsidiary_of")
    parent_of = directed_type(14)
    parent, child = make_records("company", [{"name": "Acme"}, {"name": "Acme Ltd", "subsidiary_of": "ACME"}])
    do(create("company", "subsidiary_of", "name", label=parent_of), [child])
    assert str(parent_of) == "Parent company"
    assert associated(child, parent_of) == {parent.pk}
    assert associated(parent, parent_of.reverse) == {child.pk}


def test_a_pair_that_matches_from_both_ends_is_associated_once_and_told_for_the_lower_id() -> None:
    first, second = make_records("contact", [{"city": "Boston"}, {"city": "Boston"}])
    run = do(create("contact", "city", "city"), [first, second])
    assert Association.objects.count() == AssociationChange.objects.count() == 1
    assert outcomes(run, first) == {"created": 1}
    assert outcomes(run, second) == {"already_there": 1}


def test_a_single_label_met_from_both_ends_is_put_once() -> None:
    colleague = make_label("contact", "contact", "Colleague")
    people = make_records("contact", [{"city": "Boston"}] * 3)
    run = do(create("contact", "city", "city", label=colleague), people)
    assert Association.objects.filter(type=colleague.type).count() == 3
    assert AssociationChange.objects.count() == 6
    assert [outcomes(run, each) for each in people] == [
        {"created": 2},
        {"created": 1, "already_there": 1},
        {"already_there": 2},
    ]


def test_a_single_label_on_known_pairs_is_told_for_the_lower_id() -> None:
    colleague = make_label("contact", "contact", "Colleague")
    first, second = make_records("contact", [{"city": "Boston"}, {"city": "Boston"}])
    associate(second, first)
    run = do(create("contact", "city", "city", label=colleague), [first, second])
    assert outcomes(run, first) == {"label_added": 1}
    assert outcomes(run, second) == {"already_there": 1}
    assert words(first, second) == words(second, first) == {"unlabeled", "Colleague"}


def test_a_paired_label_met_from_both_ends_is_put_both_ways() -> None:
    mentor = make_label("contact", "contact", "Mentor", "Student")
    first, second = make_records("contact", [{"city": "Boston"}, {"city": "Boston"}])
    run = do(create("contact", "city", "city", label=mentor), [first, second])
    assert words(first, second) == words(second, first) == {"unlabeled", "Mentor", "Student"}
    assert outcomes(run, first) == {"created": 1}
    assert outcomes(run, second) == {"label_added": 1}


def test_the_ledger_of_a_symmetric_pair_has_each_value_at_its_own_end() -> None:
    first, second = make_records("contact", [{"city": "BOSTON"}, {"city": "boston"}])
    do(create("contact", "city", "city"), [second])
    told = AssociationChange.objects.get()
    assert (told.source_id, told.source_value) == (first.pk, "BOSTON")
    assert (told.target_id, told.target_value) == (second.pk, "boston")


@pytest.mark.parametrize("paired", [True, False])
def test_a_second_run_within_one_object_type_changes_nothing(paired: bool) -> None:
    label = make_label("contact", "contact", "Mentor", "Student" if paired else "")
    people = make_records("contact", [{"city": "Boston"}] * 3)
    do(create("contact", "city", "city", label=label), people)
    before = everything()
    run = do(create("contact", "city", "city", label=label), people)
    assert everything() == before
    assert sums(run) == {"already_there": {"records": 3, "pairs": 6}}


# Primary ----------------------------------------------------------------------------------------


def test_the_first_company_of_a_record_becomes_its_primary_one() -> None:
    contact = make_record("contact", city="Boston")
    first, second = make_records("company", [{"city": "Boston"}, {"city": "Boston"}])
    do(create("company", "city", "city"), [contact])
    assert associated(contact, primary("contact", "company")) == {first.pk}
    assert words(contact, second) == {"unlabeled"}


def test_the_first_company_becomes_primary_when_the_company_is_enrolled_too() -> None:
    contact = make_record("contact", city="Boston")
    first, second = make_records("company", [{"city": "Boston"}, {"city": "Boston"}])
    do(create("contact", "city", "city"), [second, first])
    assert associated(contact, primary("contact", "company")) == {first.pk}
    assert associated(second, primary("company", "contact")) == set()


def test_a_record_that_has_a_primary_company_keeps_it() -> None:
    contact = make_record("contact", city="Boston")
    before, match = make_record("company", city="Oslo"), make_record("company", city="Boston")
    associate(contact, before)
    do(create("company", "city", "city"), [contact])
    assert associated(contact, primary("contact", "company")) == {before.pk}
    assert words(contact, match) == {"unlabeled"}


def test_primary_as_the_label_takes_it_from_the_company_that_had_it() -> None:
    is_primary = primary("contact", "company")
    contact = make_record("contact", city="Boston")
    before, match = make_record("company", city="Oslo"), make_record("company", city="Boston")
    associate(contact, before)
    run = do(create("company", "city", "city", label=is_primary, several="oldest"), [contact])
    assert associated(contact, is_primary) == {match.pk}
    assert words(contact, before) == {"unlabeled"}
    assert outcomes(run, contact) == {"created": 1}
    taken, given = AssociationChange.objects.filter(type=1).order_by("-change_set", "-added")[:2][::-1]
    assert {(taken.added, taken.target_id), (given.added, given.target_id)} == {(False, before.pk), (True, match.pk)}
    assert taken.change_set_id == given.change_set_id


def test_primary_as_the_label_a_second_time_changes_nothing() -> None:
    contact = make_record("contact", city="Boston")
    associate(contact, make_record("company", city="Oslo"))
    make_record("company", city="Boston")
    step = create("company", "city", "city", label=primary("contact", "company"), several="oldest")
    do(step, [contact])
    before = everything()
    assert outcomes(do(step, [contact]), contact) == {"already_there": 1}
    assert everything() == before


def test_of_two_companies_that_want_to_be_primary_the_older_one_is_and_the_other_pair_is_skipped_whole() -> None:
    contact = make_record("contact", city="Boston")
    first, second = make_records("company", [{"city": "Boston"}, {"city": "Boston"}])
    step = create("contact", "city", "city", label=primary("company", "contact"), several="oldest")
    run = do(step, [first, second])
    assert words(contact, first) == {"unlabeled", "Primary"}
    assert words(contact, second) == set()
    assert outcomes(run, first) == {"created": 1}
    assert outcomes(run, second) == {"limit_reached": 1}
    assert not AssociationChange.objects.filter(target=second.pk).exists()


def test_a_company_may_be_the_primary_one_of_all_its_matches() -> None:
    company = make_record("company", city="Boston")
    contacts = make_records("contact", [{"city": "Boston"}] * 3)
    run = do(create("contact", "city", "city", label=primary("company", "contact")), [company])
    assert associated(company, primary("company", "contact")) == {each.pk for each in contacts}
    assert outcomes(run, company) == {"created": 3}


def test_apply_primary_to_several_companies_goes_to_the_oldest() -> None:
    contact = make_record("contact")
    first, second = make_records("company", 2)
    associate(contact, second)
    associate(contact, first)
    step = apply(primary("contact", "company"))
    run = do(step, [contact])
    assert associated(contact, primary("contact", "company")) == {first.pk}
    assert outcomes(run, contact) == {"label_added": 1, "limit_reached": 1}
    before = everything()
    do(step, [contact])
    assert everything() == before


def test_deals_and_tickets_have_their_own_primary_company() -> None:
    make_property("ticket", "city")
    make_property("deal", "city")
    company = make_record("company", city="Boston")
    for name in ("deal", "ticket"):
        record = make_record(name, city="Boston")
        do(create("company", "city", "city"), [record])
        assert associated(record, primary(name, "company")) == {company.pk}
        assert associated(record, unlabeled(name, "company")) == {company.pk}


def test_pairs_without_a_company_have_no_primary() -> None:
    contact, deal = make_record("contact", firstname="x"), make_record("deal", dealname="x")
    do(create("deal", "firstname", "dealname"), [contact])
    assert words(contact, deal) == {"unlabeled"}
