"""Create associations: when two values are equal, and what happens when several records match."""

from __future__ import annotations

import pytest

from associations.models import MatchIndex, MatchKey
from associations.services import archiving
from tests.factories import (
    ORIGIN,
    associated,
    change,
    make_label,
    make_property,
    make_record,
    make_records,
    object_type,
    unlabeled,
    words,
)
from tests.workflows.making import create, do, everything, looked_for, outcomes, sums
from workflows.actions import ACTIONS

pytestmark = pytest.mark.django_db
BY_CITY = ("company", "city", "city")


# How values are compared ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comparison", "enrolled", "associated", "equal"),
    [
        ("normalized", "Boston", "Boston", True),
        ("normalized", "  new   YORK ", "New York", True),
        ("normalized", "Ｂｏｓｔｏｎ", "boston", True),
        ("normalized", "Straße", "STRASSE", True),
        ("normalized", "Cafe\u0301", "CAFÉ", True),
        ("normalized", "100%", "100_", False),
        ("normalized", "O'Fallon", "o'fallon", True),
        ("normalized", 'a.b\\c"d', 'A.B\\C"D', True),
        ("normalized", "Boston", "Bostons", False),
        ("exact", "Boston", "Boston", True),
        ("exact", "Boston", "boston", False),
        ("exact", "New York", "New  York", False),
        ("phone", "(617) 555-0123", "+1 617 555 0123", True),
        ("phone", "+49 30 901820", "030 901820", False),
        ("domain", "ann@www.example.com", "https://example.com/about", True),
        ("domain", "ann@example.com", "example.org", False),
        ("domain", "Boston", "Boston", False),
    ],
)
def test_values_are_compared_as_the_action_says(comparison: str, enrolled: str, associated: str, equal: bool) -> None:
    contact, company = make_record("contact", city=enrolled), make_record("company", city=associated)
    do(create(*BY_CITY, comparison=comparison), [contact])
    assert bool(words(contact, company)) is equal


def test_normalized_is_the_default_for_text() -> None:
    contact, company = make_record("contact", city=" BOSTON"), make_record("company", city="boston")
    do(create(*BY_CITY), [contact])
    assert words(contact, company)


def test_phone_number_is_the_default_where_both_are_phone_numbers() -> None:
    contact = make_record("contact", mobilephone="(617) 555-0123")
    company = make_record("company", phone="+16175550123")
    do(create("company", "mobilephone", "phone"), [contact])
    assert words(contact, company)


def test_phone_number_is_not_the_default_where_only_one_is_a_phone_number() -> None:
    make_property("company", "hotline")
    contact = make_record("contact", phone="(617) 555-0123")
    company, same = make_records("company", [{"hotline": "+16175550123"}, {"hotline": "(617) 555-0123"}])
    do(create("company", "phone", "hotline"), [contact])
    assert words(contact, company) == set()
    assert words(contact, same)


def test_the_default_for_phone_numbers_can_be_overruled() -> None:
    contact, company = make_record("contact", phone="(617) 555-0123"), make_record("company", phone="+16175550123")
    do(create("company", "phone", "phone", comparison="exact"), [contact])
    assert words(contact, company) == set()


def test_what_is_no_phone_number_is_no_value_and_shown_in_the_log() -> None:
    contact = make_record("contact", phone="ask Ann")
    make_record("company", phone="ask Ann")
    run = do(create("company", "phone", "phone"), [contact])
    assert outcomes(run, contact) == {"no_value": 0}
    assert looked_for(run, contact) == {"ask Ann"}


def test_multi_line_text_matches_across_its_lines() -> None:
    deal = make_record("deal", description="Big\n  one")
    company = make_record("company", description="big one")
    do(create("company", "description", "description"), [deal])
    assert words(deal, company)


def test_very_long_values_match_as_a_whole() -> None:
    long = "x" * 60_000
    deal = make_record("deal", description=long + "1")
    other, same = make_records("company", [{"description": long + "2"}, {"description": long + "1"}])
    do(create("company", "description", "description"), [deal])
    assert words(deal, same)
    assert words(deal, other) == set()


def test_two_actions_compare_the_same_property_each_in_its_own_way() -> None:
    contact = make_record("contact", city="Boston")
    make_records("company", [{"city": "Boston"}, {"city": "BOSTON"}])
    assert outcomes(do(create(*BY_CITY, comparison="exact"), [contact]), contact) == {"created": 1}
    assert outcomes(do(create(*BY_CITY), [contact]), contact) == {"created": 1, "already_there": 1}


def test_keys_are_kept_for_what_is_matched_on_only_and_follow_the_values() -> None:
    contact, company = make_record("contact", city="Boston"), make_record("company", city="Oslo", state="NO")
    assert not MatchKey.objects.exists()
    do(create(*BY_CITY), [contact])
    assert {(each.property.name, each.comparison) for each in MatchIndex.objects.select_related("property")} == {
        ("city", "normalized")
    }
    change(company, city="Boston")
    do(create(*BY_CITY), [contact])
    assert words(contact, company)


# When several match -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("several", "chosen"), [("all", {0, 1, 2}), ("oldest", {0}), ("newest", {2}), ("review", set())]
)
def test_which_of_several_matching_records_are_associated(several: str, chosen: set[int]) -> None:
    contact = make_record("contact", city="Boston")
    companies = make_records("company", [{"city": "Boston"}] * 3)
    do(create(*BY_CITY, several=several), [contact])
    assert associated(contact, unlabeled("contact", "company")) == {companies[each].pk for each in chosen}


@pytest.mark.parametrize("several", ["all", "oldest", "newest", "review"])
def test_a_single_match_is_associated_whatever_is_to_happen_to_several(several: str) -> None:
    contact, company = make_record("contact", city="Boston"), make_record("company", city="Boston")
    run = do(create(*BY_CITY, several=several), [contact])
    assert words(contact, company)
    assert outcomes(run, contact) == {"created": 1}


def test_a_record_put_up_for_review_says_how_many_matched_and_on_what() -> None:
    contact = make_record("contact", city="Boston")
    make_records("company", [{"city": "Boston"}] * 3)
    run = do(create(*BY_CITY, several="review"), [contact])
    assert outcomes(run, contact) == {"ambiguous": 3}
    assert looked_for(run, contact) == {"Boston"}


def test_review_of_one_record_does_not_keep_the_others_from_being_associated() -> None:
    unclear, clear = make_records("contact", [{"city": "Boston"}, {"city": "Oslo"}])
    make_records("company", [{"city": "Boston"}, {"city": "Boston"}, {"city": "Oslo"}])
    run = do(create(*BY_CITY, several="review"), [unclear, clear])
    assert sums(run) == {"ambiguous": {"records": 1, "pairs": 2}, "created": {"records": 1, "pairs": 1}}


def test_archived_records_do_not_make_a_match_ambiguous() -> None:
    contact = make_record("contact", city="Boston")
    company, archived = make_records("company", [{"city": "Boston"}, {"city": "Boston"}])
    archiving.archive_records(archived.object_type, [archived.pk], origin=ORIGIN)
    assert outcomes(do(create(*BY_CITY, several="review"), [contact]), contact) == {"created": 1}
    assert words(contact, company)


# The cap ----------------------------------------------------------------------------------------


def test_beyond_the_cap_the_oldest_are_associated_and_the_log_says_capped() -> None:
    contact = make_record("contact", city="Boston")
    companies = make_records("company", [{"city": "Boston"}] * 5)
    run = do(create(*BY_CITY, cap=2), [contact])
    assert associated(contact, unlabeled("contact", "company")) == {each.pk for each in companies[:2]}
    assert outcomes(run, contact) == {"created": 2, "capped": 1}
    assert looked_for(run, contact) == {"Boston"}


def test_the_cap_is_not_reached_by_exactly_as_many() -> None:
    contact = make_record("contact", city="Boston")
    make_records("company", [{"city": "Boston"}] * 2)
    assert outcomes(do(create(*BY_CITY, cap=2), [contact]), contact) == {"created": 2}


def test_the_cap_is_per_enrolled_record() -> None:
    contacts = make_records("contact", [{"city": "Boston"}, {"city": "Boston"}])
    make_records("company", [{"city": "Boston"}] * 2)
    run = do(create(*BY_CITY, cap=1), contacts)
    assert sums(run) == {"capped": {"records": 2, "pairs": 2}, "created": {"records": 2, "pairs": 2}}


def test_a_capped_record_gets_no_more_by_a_second_run() -> None:
    contact = make_record("contact", city="Boston")
    make_records("company", [{"city": "Boston"}] * 3)
    do(create(*BY_CITY, cap=2), [contact])
    before = everything()
    assert outcomes(do(create(*BY_CITY, cap=2), [contact]), contact) == {"already_there": 2, "capped": 1}
    assert everything() == before


def test_the_cap_is_1000_unless_the_action_says_otherwise() -> None:
    action = ACTIONS["create_associations"]
    config = action.read(create(*BY_CITY)[1], object_type("contact"))
    assert config.cap == 1_000


def test_the_label_goes_to_the_associated_ones_only() -> None:
    partner = make_label("contact", "company", "Partner")
    contact = make_record("contact", city="Boston")
    first, second = make_records("company", [{"city": "Boston"}, {"city": "Boston"}])
    do(create(*BY_CITY, label=partner, several="newest"), [contact])
    assert words(contact, first) == set()
    assert words(contact, second) == {"unlabeled", "Primary", "Partner"}
