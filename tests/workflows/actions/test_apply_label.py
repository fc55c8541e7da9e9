"""Apply an association label to records that are associated already (action 2)."""

from __future__ import annotations

from typing import Any

import pytest

from associations.models import AssociationChange, Record
from associations.services import archiving
from associations.types import DirectedType
from tests.factories import (
    ORIGIN,
    associate,
    associate_pairs,
    make_label,
    make_property,
    make_record,
    make_records,
    words,
)
from tests.workflows.making import apply, do, everything, looked_for, outcomes, sums

pytestmark = pytest.mark.django_db
UNLABELED, PLAIN = {"unlabeled", "Primary"}, {"unlabeled"}


@pytest.fixture
def partner(db: None) -> DirectedType:
    return make_label("contact", "company", "Partner")


def associated_pair(
    contact: dict[str, Any] | None = None, company: dict[str, Any] | None = None
) -> tuple[Record, Record]:
    pair = make_record("contact", **(contact or {})), make_record("company", **(company or {}))
    associate(*pair)
    return pair


# To all -----------------------------------------------------------------------------------------


def test_all_associated_records_of_the_type_get_the_label(partner: DirectedType) -> None:
    contact, first = associated_pair()
    second = make_record("company")
    associate(contact, second)
    run = do(apply(partner), [contact])
    assert words(contact, first) == {"unlabeled", "Primary", "Partner"}
    assert words(contact, second) == {"unlabeled", "Partner"}
    assert outcomes(run, contact) == {"label_added": 2}
    assert looked_for(run, contact) == {None}


def test_to_all_is_what_happens_when_nothing_is_said(partner: DirectedType) -> None:
    contact, company = associated_pair()
    do(apply(partner, apply_to=""), [contact])
    assert "Partner" in words(contact, company)


def test_no_association_is_ever_created(partner: DirectedType) -> None:
    contact, company = make_record("contact", city="Boston"), make_record("company", city="Boston")
    for step in (
        apply(partner),
        apply(partner, "matching_property", enrolled_property="city", associated_property="city"),
        apply(partner, "enrolled_property", enrolled_property="city", value="Boston"),
        apply(partner, "associated_property", associated_property="city", value="Boston"),
    ):
        run = do(step, [contact])
        assert words(contact, company) == set()
        assert outcomes(run, contact) == {"not_associated": 0}


def test_the_label_is_read_from_both_sides() -> None:
    employer = make_label("contact", "company", "Employer", "Employee")
    contact, company = associated_pair()
    do(apply(employer.reverse), [company])
    assert words(contact, company) == {"unlabeled", "Primary", "Employer"}
    assert words(company, contact) == {"unlabeled", "Primary", "Employee"}


def test_a_label_that_is_there_already_stays(partner: DirectedType) -> None:
    contact, company = make_record("contact"), make_record("company")
    associate(contact, company, partner)
    before = everything()
    assert outcomes(do(apply(partner), [contact]), contact) == {"already_there": 1}
    assert everything() == before


def test_other_labels_stay(partner: DirectedType) -> None:
    billing = make_label("contact", "company", "Billing")
    contact, company = make_record("contact"), make_record("company")
    associate(contact, company, billing)
    do(apply(partner), [contact])
    assert words(contact, company) == {"unlabeled", "Primary", "Billing", "Partner"}


def test_associated_records_of_other_types_are_left_alone(partner: DirectedType) -> None:
    contact, _ = associated_pair()
    deal = make_record("deal")
    associate(contact, deal)
    do(apply(partner), [contact])
    assert words(contact, deal) == PLAIN


def test_archived_associated_records_are_left_out(partner: DirectedType) -> None:
    contact, company = associated_pair()
    archiving.archive_records(company.object_type, [company.pk], origin=ORIGIN)
    run = do(apply(partner), [contact])
    assert words(contact, company) == UNLABELED
    assert outcomes(run, contact) == {"not_associated": 0}


def test_only_enrolled_records_are_touched(partner: DirectedType) -> None:
    contact, company = associated_pair()
    bystander = make_record("contact")
    associate(bystander, company)
    do(apply(partner), [contact])
    assert words(bystander, company) == UNLABELED


def test_a_second_run_changes_nothing(partner: DirectedType) -> None:
    contacts, companies = make_records("contact", 3), make_records("company", 3)
    associate_pairs([(contacts[0], companies[0]), (contacts[0], companies[1]), (contacts[1], companies[2])])
    first = do(apply(partner), contacts)
    assert sums(first) == {
        "label_added": {"records": 2, "pairs": 3},
        "not_associated": {"records": 1, "pairs": 0},
    }
    before = everything()
    second = do(apply(partner), contacts)
    assert everything() == before
    assert sums(second) == {
        "already_there": {"records": 2, "pairs": 3},
        "not_associated": {"records": 1, "pairs": 0},
    }


def test_a_single_label_within_one_type_is_put_once_and_told_for_the_lower_id() -> None:
    colleague = make_label("contact", "contact", "Colleague")
    first, second = make_records("contact", 2)
    associate(second, first)
    run = do(apply(colleague), [first, second])
    assert words(first, second) == words(second, first) == {"unlabeled", "Colleague"}
    assert outcomes(run, first) == {"label_added": 1}
    assert outcomes(run, second) == {"already_there": 1}
    assert AssociationChange.objects.filter(type=colleague.type.pk).count() == 1


def test_a_paired_label_within_one_type_is_put_as_the_enrolled_record_sees_it() -> None:
    manager = make_label("contact", "contact", "Manager", "Employee")
    boss, worker = make_records("contact", 2)
    associate(boss, worker)
    do(apply(manager), [worker])
    assert words(worker, boss) == {"unlabeled", "Manager"}
    assert words(boss, worker) == {"unlabeled", "Employee"}


# Refined by a matching property -----------------------------------------------------------------


def matching(label: DirectedType, own: str, theirs: str, **more: Any) -> Any:
    return apply(label, "matching_property", enrolled_property=own, associated_property=theirs, **more)


def test_only_those_with_a_matching_property_get_the_label(partner: DirectedType) -> None:
    contact, match = associated_pair({"city": "Boston"}, {"city": " BOSTON "})
    other = make_record("company", city="Oslo")
    associate(contact, other)
    run = do(matching(partner, "city", "city"), [contact])
    assert words(contact, match) == {"unlabeled", "Primary", "Partner"}
    assert words(contact, other) == PLAIN
    assert outcomes(run, contact) == {"label_added": 1}
    assert looked_for(run, contact) == {"Boston"}


def test_the_matching_values_are_kept_in_the_ledger(partner: DirectedType) -> None:
    contact, company = associated_pair({"city": "Boston"}, {"city": "BOSTON"})
    do(matching(partner, "city", "city"), [contact])
    told = AssociationChange.objects.get(type=partner.type.pk)
    assert (told.source_id, told.source_value) == (contact.pk, "Boston")
    assert (told.target_id, told.target_value) == (company.pk, "BOSTON")


def test_the_log_says_why_nothing_matched(partner: DirectedType) -> None:
    differs, _ = associated_pair({"city": "Boston"}, {"city": "Oslo"})
    empty, _ = associated_pair({}, {"city": "Oslo"})
    alone = make_record("contact", city="Oslo")
    run = do(matching(partner, "city", "city"), [differs, empty, alone])
    assert outcomes(run, differs) == {"condition_not_met": 0}
    assert looked_for(run, differs) == {"Boston"}
    assert outcomes(run, empty) == {"no_value": 0}
    assert outcomes(run, alone) == {"not_associated": 0}


def test_no_value_matches_no_value_neither(partner: DirectedType) -> None:
    contact, company = associated_pair()
    do(matching(partner, "city", "city"), [contact])
    assert words(contact, company) == UNLABELED


@pytest.mark.parametrize(
    ("type_", "field_type", "own", "same", "differs"),
    [
        ("number", "number", "5.0", 5, 6),
        ("number", "number", 0.1 + 0.2, 0.30000000000000004, 0.3),
        ("date", "date", "2026-11-23", "2026-11-23", "2026-11-24"),
        ("datetime", "date", "2026-11-23T08:00:00+01:00", "2026-11-23T07:00:00Z", "2026-11-23T08:00:00Z"),
        ("bool", "booleancheckbox", "yes", True, False),
    ],
)
def test_properties_of_any_one_type_can_be_compared(
    partner: DirectedType, type_: str, field_type: str, own: Any, same: Any, differs: Any
) -> None:
    make_property("contact", "mine", type=type_, field_type=field_type)
    make_property("company", "theirs", type=type_, field_type=field_type)
    contact, match = associated_pair({"mine": own}, {"theirs": same})
    other = make_record("company", theirs=differs)
    associate(contact, other)
    do(matching(partner, "mine", "theirs"), [contact])
    assert "Partner" in words(contact, match)
    assert "Partner" not in words(contact, other)


def test_the_log_writes_yes_and_no_alike_on_every_database(partner: DirectedType) -> None:
    for name in ("contact", "company"):
        make_property(name, "vip", type="bool", field_type="booleancheckbox")
    contact, _ = associated_pair({"vip": True}, {"vip": True})
    run = do(matching(partner, "vip", "vip"), [contact])
    assert looked_for(run, contact) == {"true"}


def test_phone_numbers_are_compared_as_phone_numbers_by_default(partner: DirectedType) -> None:
    contact, company = associated_pair({"phone": "(617) 555-0123"}, {"phone": "+1 617 555 0123"})
    do(matching(partner, "phone", "phone"), [contact])
    assert "Partner" in words(contact, company)


def test_how_values_are_compared_can_be_chosen(partner: DirectedType) -> None:
    contact, company = associated_pair({"email": "ann@example.com"}, {"domain": "www.example.com"})
    do(matching(partner, "email", "domain"), [contact])
    assert "Partner" not in words(contact, company)
    do(matching(partner, "email", "domain", comparison="domain"), [contact])
    assert "Partner" in words(contact, company)


# Refined by a value -----------------------------------------------------------------------------

CASES = [
    # the record's value, operator, or has no value, met?
    ("Boston", "is_equal_to", False, True),
    ("Oslo", "is_equal_to", False, False),
    ("boston", "is_equal_to", False, False),
    (None, "is_equal_to", False, False),
    (None, "is_equal_to", True, False),
    ("Oslo", "is_not_equal_to", False, True),
    ("Boston", "is_not_equal_to", False, False),
    (None, "is_not_equal_to", False, False),
    (None, "is_not_equal_to", True, True),
    ("Boston", "is_not_equal_to", True, False),
]


@pytest.mark.parametrize(("value", "operator", "or_no_value", "met"), CASES)
def test_the_enrolled_records_value_decides_for_all(
    partner: DirectedType, value: str | None, operator: str, or_no_value: bool, met: bool
) -> None:
    contact, company = associated_pair({"city": value}, {"city": "Elsewhere"})
    step = apply(
        partner,
        "enrolled_property",
        enrolled_property="city",
        operator=operator,
        value="Boston",
        or_no_value=or_no_value,
    )
    run = do(step, [contact])
    assert ("Partner" in words(contact, company)) is met
    assert outcomes(run, contact) == ({"label_added": 1} if met else {"condition_not_met": 0})


@pytest.mark.parametrize(("value", "operator", "or_no_value", "met"), CASES)
def test_the_associated_records_value_decides_for_each(
    partner: DirectedType, value: str | None, operator: str, or_no_value: bool, met: bool
) -> None:
    contact, company = associated_pair({"city": "Elsewhere"}, {"city": value})
    step = apply(
        partner,
        "associated_property",
        associated_property="city",
        operator=operator,
        value="Boston",
        or_no_value=or_no_value,
    )
    run = do(step, [contact])
    assert ("Partner" in words(contact, company)) is met
    assert outcomes(run, contact) == ({"label_added": 1} if met else {"condition_not_met": 0})
