"""Limits in actions: a pair for which there is no room is skipped whole, the rest goes on, nothing is evicted."""

from __future__ import annotations

import pytest

from associations.models import Association, AssociationChange
from tests.factories import (
    associate,
    associated,
    limit,
    make_label,
    make_record,
    make_records,
    unlabeled,
    words,
)
from tests.workflows.making import apply, create, do, everything, outcomes, sums

pytestmark = pytest.mark.django_db
BY_CITY = ("company", "city", "city")


def test_a_pair_limit_of_the_enrolled_record_is_kept() -> None:
    limit(unlabeled("contact", "company"), to=2)
    contact = make_record("contact", city="Boston")
    companies = make_records("company", [{"city": "Boston"}] * 4)
    run = do(create(*BY_CITY), [contact])
    assert associated(contact, unlabeled("contact", "company")) == {each.pk for each in companies[:2]}
    assert outcomes(run, contact) == {"created": 2, "limit_reached": 2}


def test_a_pair_limit_of_the_associated_record_is_kept() -> None:
    limit(unlabeled("contact", "company"), to=None, inverse=2)
    contacts = make_records("contact", [{"city": "Boston"}] * 3)
    company = make_record("company", city="Boston")
    run = do(create(*BY_CITY), contacts)
    assert associated(company, unlabeled("company", "contact")) == {each.pk for each in contacts[:2]}
    assert sums(run) == {"created": {"records": 2, "pairs": 2}, "limit_reached": {"records": 1, "pairs": 1}}


def test_both_directions_count_at_once() -> None:
    limit(unlabeled("contact", "company"), to=1, inverse=1)
    contacts = make_records("contact", [{"city": "Boston"}] * 3)
    companies = make_records("company", [{"city": "Boston"}] * 3)
    run = do(create(*BY_CITY), contacts)
    assert [associated(each, unlabeled("contact", "company")) for each in contacts] == [
        {companies[0].pk},
        {companies[1].pk},
        {companies[2].pk},
    ]
    assert sums(run) == {"created": {"records": 3, "pairs": 3}, "limit_reached": {"records": 3, "pairs": 6}}


def test_what_is_associated_already_takes_its_room_and_is_not_evicted() -> None:
    limit(unlabeled("contact", "company"), to=1)
    contact, before = make_record("contact", city="Boston"), make_record("company", city="Oslo")
    associate(contact, before)
    match = make_record("company", city="Boston")
    run = do(create(*BY_CITY), [contact])
    assert words(contact, before) == {"unlabeled", "Primary"}
    assert words(contact, match) == set()
    assert outcomes(run, contact) == {"limit_reached": 1}


def test_a_pair_that_is_associated_already_needs_no_room() -> None:
    partner = make_label("contact", "company", "Partner")
    contact, company = make_record("contact", city="Boston"), make_record("company", city="Boston")
    associate(contact, company)
    limit(unlabeled("contact", "company"), to=1)
    run = do(create(*BY_CITY, label=partner), [contact])
    assert outcomes(run, contact) == {"label_added": 1}


def test_limits_are_not_retroactive() -> None:
    contact = make_record("contact", city="Boston")
    companies = make_records("company", [{"city": "Boston"}] * 3)
    for company in companies:
        associate(contact, company)
    limit(unlabeled("contact", "company"), to=1)
    run = do(create(*BY_CITY), [contact])
    assert associated(contact, unlabeled("contact", "company")) == {each.pk for each in companies}
    assert outcomes(run, contact) == {"already_there": 3}


@pytest.mark.parametrize("side", ["enrolled", "associated"])
def test_where_the_label_has_no_room_the_pair_is_not_associated_either(side: str) -> None:
    partner = make_label("contact", "company", "Partner")
    limit(partner, to=1 if side == "enrolled" else None, inverse=1 if side == "associated" else None)
    contacts = make_records("contact", [{"city": "Boston"}] * (1 if side == "enrolled" else 2))
    companies = make_records("company", [{"city": "Boston"}] * (2 if side == "enrolled" else 1))
    run = do(create(*BY_CITY, label=partner), contacts)
    assert words(contacts[0], companies[0]) == {"unlabeled", "Primary", "Partner"}
    assert words(contacts[-1], companies[-1]) == set()
    assert sums(run)["limit_reached"] == {"records": 1, "pairs": 1}
    assert AssociationChange.objects.count() == 3


def test_where_the_pair_has_no_room_the_label_is_not_counted() -> None:
    partner = make_label("contact", "company", "Partner")
    limit(unlabeled("contact", "company"), to=2)
    limit(partner, to=2)
    contact, full = make_record("contact", city="Boston"), make_record("company", city="Oslo")
    associate(contact, full)
    companies = make_records("company", [{"city": "Boston"}] * 3)
    do(create(*BY_CITY, label=partner), [contact])
    assert associated(contact, partner) == {companies[0].pk}


def test_the_label_of_a_known_pair_is_refused_under_its_limit_and_the_association_stays() -> None:
    partner = make_label("contact", "company", "Partner")
    limit(partner, to=1)
    contact = make_record("contact", city="Boston")
    first, second = make_records("company", [{"city": "Boston"}, {"city": "Boston"}])
    associate(contact, second)
    run = do(create(*BY_CITY, label=partner), [contact])
    assert words(contact, first) == {"unlabeled", "Partner"}
    assert words(contact, second) == {"unlabeled", "Primary"}
    assert outcomes(run, contact) == {"created": 1, "limit_reached": 1}


def test_the_other_records_of_the_set_go_on() -> None:
    limit(unlabeled("contact", "company"), to=1)
    full, free = make_records("contact", [{"city": "Boston"}, {"city": "Boston"}])
    associate(full, make_record("company", city="Oslo"))
    company = make_record("company", city="Boston")
    run = do(create(*BY_CITY), [full, free])
    assert outcomes(run, full) == {"limit_reached": 1}
    assert outcomes(run, free) == {"created": 1}
    assert words(free, company) == {"unlabeled", "Primary"}


def test_a_refused_record_gets_no_primary_company() -> None:
    limit(unlabeled("company", "contact"), to=1)
    contacts = make_records("contact", [{"city": "Boston"}, {"city": "Boston"}])
    make_record("company", city="Boston")
    do(create(*BY_CITY), contacts)
    assert Association.objects.filter(source=contacts[1]).count() == 0


def test_a_second_run_under_limits_changes_nothing() -> None:
    partner = make_label("contact", "company", "Partner")
    limit(unlabeled("contact", "company"), to=2, inverse=2)
    limit(partner, to=2, inverse=1)
    contacts = make_records("contact", [{"city": "Boston"}] * 4)
    make_records("company", [{"city": "Boston"}] * 3)
    do(create(*BY_CITY, label=partner), contacts)
    before = everything()
    run = do(create(*BY_CITY, label=partner), contacts)
    assert everything() == before
    assert set(sums(run)) == {"already_there", "limit_reached"}


def test_apply_skips_the_pairs_over_a_limit() -> None:
    partner = make_label("contact", "company", "Partner")
    limit(partner, to=2)
    contact, companies = make_record("contact"), make_records("company", 3)
    for company in companies:
        associate(contact, company)
    associate(contact, companies[2], partner)
    run = do(apply(partner), [contact])
    assert associated(contact, partner) == {companies[0].pk, companies[2].pk}
    assert outcomes(run, contact) == {"label_added": 1, "already_there": 1, "limit_reached": 1}


def test_apply_keeps_the_limit_of_the_other_side() -> None:
    partner = make_label("contact", "company", "Partner")
    limit(partner, to=None, inverse=2)
    contacts, company = make_records("contact", 3), make_record("company")
    for contact in contacts:
        associate(contact, company)
    run = do(apply(partner), contacts)
    assert associated(company, partner.reverse) == {each.pk for each in contacts[:2]}
    assert outcomes(run, contacts[2]) == {"limit_reached": 1}


# Within one object type -------------------------------------------------------------------------


def test_a_symmetric_limit_counts_a_record_at_either_end() -> None:
    limit(unlabeled("contact", "contact"), to=1)
    people = make_records("contact", [{"city": "Boston"}] * 5)
    run = do(create("contact", "city", "city"), people)
    assert [associated(each, unlabeled("contact", "contact")) for each in people] == [
        {people[1].pk},
        {people[0].pk},
        {people[3].pk},
        {people[2].pk},
        set(),
    ]
    assert outcomes(run, people[0]) == {"created": 1, "limit_reached": 3}
    assert outcomes(run, people[1]) == {"already_there": 1, "limit_reached": 3}
    assert outcomes(run, people[4]) == {"limit_reached": 4}


def test_each_direction_of_a_paired_label_has_its_own_limit() -> None:
    manager = make_label("contact", "contact", "Manager", "Employee")
    limit(manager, to=1, inverse=2)
    workers = make_records("contact", [{"city": "Boston"}] * 3)
    boss = make_record("contact", lastname="Boston")
    run = do(create("contact", "city", "lastname", label=manager), workers)
    assert associated(boss, manager.reverse) == {each.pk for each in workers[:2]}
    assert outcomes(run, workers[2]) == {"limit_reached": 1}
    second_boss = make_record("contact", lastname="Boston")
    run = do(create("contact", "city", "lastname", label=manager), workers[:1])
    assert words(workers[0], second_boss) == set()
    assert outcomes(run, workers[0]) == {"already_there": 1, "limit_reached": 1}


def test_a_pair_refused_one_way_may_be_made_the_other_way() -> None:
    mentor = make_label("contact", "contact", "Mentor", "Student")
    limit(mentor, to=1, inverse=None)
    first, second, third = make_records("contact", [{"city": "Boston"}] * 3)
    run = do(create("contact", "city", "city", label=mentor), [first, second, third])
    # Each has one mentor at most: the first of those that match.
    assert associated(first, mentor) == {second.pk}
    assert associated(second, mentor) == {first.pk}
    assert associated(third, mentor) == {first.pk}
    assert words(second, third) == set()
    assert outcomes(run, first) == {"created": 1, "limit_reached": 1}
    assert outcomes(run, third) == {"created": 1, "limit_reached": 1}
