"""How many records one record may be associated with: set per type and direction, counted at both ends."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from associations import querysets
from associations.errors import LimitReached
from associations.models import Association, Record
from associations.models.schema import MAX_LIMIT
from associations.services import archiving, labels
from tests.factories import (
    ORIGIN,
    associate,
    associate_pairs,
    associated,
    disassociate,
    limit,
    make_label,
    make_records,
    primary,
    remove_label,
    unlabeled,
    words,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def contacts() -> list[Record]:
    return make_records("contact", 4)


@pytest.fixture
def deals() -> list[Record]:
    return make_records("deal", 4)


# Setting ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [0, -1, MAX_LIMIT + 1])
def test_a_limit_is_from_1_to_10000_or_many(wrong: int) -> None:
    with pytest.raises(ValidationError, match="from 1 to 10,000, or empty for many"):
        limit(unlabeled("contact", "deal"), to=wrong)
    with pytest.raises(ValidationError) as refusal:
        limit(unlabeled("deal", "contact"), to=None, inverse=wrong)
    assert limit(unlabeled("contact", "deal"), to=MAX_LIMIT).max_to == MAX_LIMIT
    assert limit(unlabeled("contact", "deal"), to=None).max_to is None
    assert len(refusal.value.message_dict) == 1


def test_a_labels_limit_cannot_exceed_its_pairs() -> None:
    limit(unlabeled("contact", "deal"), to=3)
    buyer = make_label("contact", "deal", "Purchase", "Buyer")
    with pytest.raises(ValidationError, match="The limit of the pair itself is 3"):
        limit(buyer, to=4)
    assert limit(buyer, to=3, inverse=4).max_to == 3


def test_a_pairs_limit_cannot_fall_below_a_labels() -> None:
    limit(make_label("deal", "contact", "Buyer", "Purchase"), to=4)
    with pytest.raises(ValidationError, match="The limit of the label Purchase is 4; lower that one first"):
        limit(unlabeled("contact", "deal"), to=None, inverse=3)
    assert limit(unlabeled("contact", "deal"), to=3, inverse=4).reverse.max_to == 4


def test_a_symmetric_type_has_one_limit_for_both_ways() -> None:
    colleague = make_label("contact", "contact", "Colleague")
    with pytest.raises(ValidationError, match="has one limit"):
        labels.set_limits(colleague, max_to=2, inverse_max_to=3)
    with pytest.raises(ValidationError, match="has one limit"):
        labels.set_limits(unlabeled("contact", "contact"), max_to=2, inverse_max_to=None)


def test_primary_is_no_limit_to_set() -> None:
    with pytest.raises(ValidationError, match="has one primary company"):
        limit(primary("contact", "company"), to=1)


def test_a_built_in_label_can_be_limited() -> None:
    parent = limit(querysets.directed_type(14), to=1)
    child, *parents = make_records("company", 3)
    associate(child, parents[0], parent)
    with pytest.raises(LimitReached):
        associate(child, parents[1], parent)


# Counting ---------------------------------------------------------------------------------------


def test_a_write_over_the_limit_is_refused_and_names_the_limit(contacts: list[Record], deals: list[Record]) -> None:
    limit(unlabeled("contact", "deal"), to=2)
    associate_pairs([(contacts[0], deals[0]), (contacts[0], deals[1])])
    with pytest.raises(LimitReached) as refusal:
        associate(contacts[0], deals[2])
    assert "one contact may have at most 2 deals" in str(refusal.value)
    assert refusal.value.pairs == [(contacts[0].pk, deals[2].pk)]
    assert words(contacts[0], deals[2]) == set()


def test_the_limit_that_is_named_is_the_one_that_was_reached(contacts: list[Record], deals: list[Record]) -> None:
    limit(unlabeled("contact", "deal"), to=1)
    buyer = make_label("contact", "deal", "Purchase", "Buyer")
    associate(contacts[0], deals[0])
    with pytest.raises(LimitReached, match="one contact may have at most 1 deals") as refusal:
        associate(contacts[0], deals[1], buyer)
    assert "primary" not in str(refusal.value)


def test_a_limit_counts_at_the_other_end_too(contacts: list[Record], deals: list[Record]) -> None:
    limit(unlabeled("contact", "deal"), to=None, inverse=2)
    with pytest.raises(LimitReached, match="one deal may have at most 2 contacts"):
        associate_pairs([(contact, deals[0]) for contact in contacts])
    associate_pairs([(contact, deals[0]) for contact in contacts[:2]])
    with pytest.raises(LimitReached):
        associate(deals[0], contacts[2])  # asked from the other side


def test_a_request_over_the_limit_writes_nothing_of_it(contacts: list[Record], deals: list[Record]) -> None:
    limit(unlabeled("contact", "deal"), to=2)
    with pytest.raises(LimitReached) as refusal:
        associate_pairs([(contacts[0], deal) for deal in deals])
    assert refusal.value.pairs == [(contacts[0].pk, deal.pk) for deal in deals[2:]]
    assert not Association.objects.exists()


def test_what_is_there_already_needs_no_room(contacts: list[Record], deals: list[Record]) -> None:
    associate(contacts[0], deals[0])
    limit(unlabeled("contact", "deal"), to=1)
    assert associate(contacts[0], deals[0]).associations == 0


def test_limits_are_not_retroactive(contacts: list[Record], deals: list[Record]) -> None:
    associate_pairs([(contacts[0], deal) for deal in deals[:3]])
    limit(unlabeled("contact", "deal"), to=1)
    assert associated(contacts[0], unlabeled("contact", "deal")) == {deal.pk for deal in deals[:3]}
    with pytest.raises(LimitReached):
        associate(contacts[0], deals[3])
    disassociate(contacts[0], deals[0])
    with pytest.raises(LimitReached):  # two are still more than one
        associate(contacts[0], deals[0])


def test_room_that_was_given_up_can_be_taken(contacts: list[Record], deals: list[Record]) -> None:
    limit(unlabeled("contact", "deal"), to=1)
    associate(contacts[0], deals[0])
    disassociate(deals[0], contacts[0])
    assert associate(contacts[0], deals[1]).associations == 1


def test_an_archived_record_keeps_its_place_under_limits(contacts: list[Record], deals: list[Record]) -> None:
    limit(unlabeled("contact", "deal"), to=1)
    associate(contacts[0], deals[0])
    archiving.archive_records(deals[0].object_type, [deals[0].pk], origin=ORIGIN)
    with pytest.raises(LimitReached):
        associate(contacts[0], deals[1])


def test_a_label_has_a_limit_below_its_pairs(contacts: list[Record], deals: list[Record]) -> None:
    owner = limit(make_label("deal", "contact", "Owner", "Owned deal"), to=1, inverse=None)
    associate(deals[0], contacts[0], owner)
    with pytest.raises(LimitReached, match="one deal may have at most 1 contacts"):
        associate(deals[0], contacts[1], owner)
    assert words(deals[0], contacts[1]) == set()  # not even the association: the request is refused whole
    associate(deals[0], contacts[1])
    associate(deals[1], contacts[0], owner)


def test_a_label_taken_off_leaves_its_room(contacts: list[Record], deals: list[Record]) -> None:
    owner = limit(make_label("deal", "contact", "Owner", "Owned deal"), to=1)
    associate(deals[0], contacts[0], owner)
    remove_label(deals[0], contacts[0], owner)
    assert associate(deals[0], contacts[1], owner).labels == 1


def test_every_label_of_a_request_needs_room(contacts: list[Record], deals: list[Record]) -> None:
    owner = make_label("deal", "contact", "Owner", "Owned deal")
    helper = limit(make_label("deal", "contact", "Helper", "Helped deal"), to=1)
    associate(deals[0], contacts[0], helper)
    with pytest.raises(LimitReached, match="Helper"):
        associate(deals[0], contacts[1], owner, helper)
    assert words(deals[0], contacts[1]) == set()


# Symmetric types and one object type -----------------------------------------------------------


def test_both_ends_of_a_symmetric_pair_count_in_one_book(contacts: list[Record]) -> None:
    limit(unlabeled("contact", "contact"), to=1)
    associate(contacts[1], contacts[0])
    for one, other in ((0, 2), (2, 0), (1, 2), (2, 1)):
        with pytest.raises(LimitReached):
            associate(contacts[one], contacts[other])
    assert associate(contacts[2], contacts[3]).associations == 1


def test_a_symmetric_pair_given_from_both_ends_takes_room_once(contacts: list[Record]) -> None:
    limit(unlabeled("contact", "contact"), to=1)
    made = associate_pairs([(contacts[0], contacts[1]), (contacts[1], contacts[0])])
    assert made.associations == 1


def test_a_chain_of_symmetric_pairs_is_counted_pair_by_pair(contacts: list[Record]) -> None:
    a, b, c, d = contacts
    limit(unlabeled("contact", "contact"), to=2)
    associate_pairs([(a, b), (b, c), (c, d), (d, a)])
    with pytest.raises(LimitReached):
        associate(a, c)


def test_the_two_directions_of_a_paired_label_are_limited_apart(contacts: list[Record]) -> None:
    boss, *reports = contacts
    manager = limit(make_label("contact", "contact", "Manager", "Report"), to=1, inverse=2)
    associate(reports[0], boss, manager)
    associate(boss, reports[1], manager.reverse)
    with pytest.raises(LimitReached):  # a third report
        associate(reports[2], boss, manager)
    with pytest.raises(LimitReached):  # a second manager
        associate(reports[0], reports[1], manager)
    associate(boss, reports[2], manager)  # the boss may have one, too


def test_a_paired_label_on_a_limited_symmetric_pair_needs_room_under_both(contacts: list[Record]) -> None:
    a, b, c, _ = contacts
    limit(unlabeled("contact", "contact"), to=1)
    manager = make_label("contact", "contact", "Manager", "Report")
    associate_pairs([(a, b), (b, a)], manager)  # each is the other's manager; the association is one
    assert words(a, b) == {"unlabeled", "Manager", "Report"}
    with pytest.raises(LimitReached):
        associate(a, c, manager)
