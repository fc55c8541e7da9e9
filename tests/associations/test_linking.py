"""Associate and disassociate by hand: both ways, labels on top, and what goes with what."""

from __future__ import annotations

import itertools

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations import querysets
from associations.errors import Refused
from associations.models import Association, AssociationEnd, ChangeSet, Record
from associations.services import archiving, linking
from associations.services.linking import LinkCounts
from associations.types import DirectedType
from tests.factories import (
    ORIGIN,
    associate,
    associate_pairs,
    associated,
    disassociate,
    make_label,
    make_object_type,
    make_records,
    object_type,
    primary,
    remove_label,
    unlabeled,
    words,
)

pytestmark = pytest.mark.django_db

NAMES = ["contact", "company", "deal", "ticket", "course"]


@pytest.fixture
def contacts() -> list[Record]:
    return make_records("contact", 3)


@pytest.fixture
def deals() -> list[Record]:
    return make_records("deal", 3)


@pytest.fixture
def buyer() -> DirectedType:
    """What a contact is to a deal; the deal is the contact's purchase."""
    return make_label("deal", "contact", "Buyer", "Purchase")


# Associating ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "other_name"), list(itertools.product(NAMES, NAMES)))
def test_an_association_is_two_way(name: str, other_name: str) -> None:
    [record], [*_, other] = make_records(name, 1), make_records(other_name, 2)
    assert associate(record, other).associations == 1
    assert associated(record, unlabeled(name, other_name)) == {other.pk}
    assert associated(other, unlabeled(other_name, name)) == {record.pk}
    assert associate(other, record).associations == 0


@pytest.mark.parametrize("before", list(itertools.product(["nothing", "another", "unlabeled", "label"], repeat=2)))
def test_whatever_was_there_all_are_there_afterwards(
    before: tuple[str, str], contacts: list[Record], deals: list[Record], buyer: DirectedType
) -> None:
    pairs = list(zip(contacts[:2], deals[:2], strict=True))
    for (contact, deal), was in zip(pairs, before, strict=True):
        if was != "nothing":
            associate(contact, deals[2] if was == "another" else deal, *([buyer.reverse] if was == "label" else []))
    expected = LinkCounts(sum(was in ("nothing", "another") for was in before), sum(was != "label" for was in before))
    assert associate_pairs(pairs, buyer.reverse) == expected
    assert associate_pairs(pairs, buyer.reverse) == LinkCounts()
    assert [words(*pair) for pair in pairs] == [{"unlabeled", "Purchase"}] * 2


def test_what_is_there_is_looked_for_once(contacts: list[Record], deals: list[Record], buyer: DirectedType) -> None:
    pairs = list(zip(contacts, deals, strict=True))
    associate_pairs(pairs, buyer.reverse)
    with CaptureQueriesContext(connection) as queries:
        associate_pairs(pairs, buyer.reverse)
    [asked] = [query["sql"] for query in queries.captured_queries if "associations_association " in query["sql"]]
    assert asked.startswith("SELECT count(*)")


def test_a_record_is_never_associated_with_itself(contacts: list[Record]) -> None:
    with pytest.raises(Refused, match=f"A record is never associated with itself: {contacts[1].pk}"):
        associate_pairs([(contacts[0], contacts[1]), (contacts[1], contacts[1])])
    assert not Association.objects.exists()


def test_only_live_records_of_the_right_type_are_associated(contacts: list[Record], deals: list[Record]) -> None:
    archiving.archive_records(object_type("deal"), [deals[0].pk], origin=ORIGIN)
    wrong = [(contacts[0].pk, deals[0].pk), (contacts[0].pk, contacts[1].pk), (deals[1].pk, deals[2].pk), (1, 999_999)]
    for pair in wrong:
        with pytest.raises(Refused, match=r"There is no (deal|contact) \d+, or it is archived"):
            linking.associate(unlabeled("contact", "deal"), [(contacts[2].pk, deals[2].pk), pair], origin=ORIGIN)
    assert not Association.objects.exists()
    assert not ChangeSet.objects.filter(association_changes__isnull=False).exists()


def test_many_pairs_are_associated_in_one_request(contacts: list[Record], deals: list[Record]) -> None:
    pairs = list(itertools.product(contacts, deals))
    assert associate_pairs(pairs + pairs) == LinkCounts(associations=9)
    assert associate_pairs(pairs) == LinkCounts()


def test_pairs_within_one_object_type_are_one_row_whichever_way_they_are_given(contacts: list[Record]) -> None:
    low, high, _ = contacts
    for pairs in ([(high, low)], [(low, high)], [(high, low), (low, high)]):
        assert associate_pairs(pairs).associations == 1
        assert list(Association.objects.values_list("source_id", "target_id")) == [(low.pk, high.pk)]
        assert disassociate(high, low).associations == 1


# Labels on top ----------------------------------------------------------------------------------


def test_an_association_has_no_label_unless_one_is_given(contacts: list[Record], deals: list[Record]) -> None:
    associate(contacts[0], deals[0])
    assert words(contacts[0], deals[0]) == {"unlabeled"}


def test_several_labels_lie_on_top_of_the_unlabeled_type(
    contacts: list[Record], deals: list[Record], buyer: DirectedType
) -> None:
    helper = make_label("contact", "deal", "Helper")
    assert associate(deals[0], contacts[0], buyer, helper.reverse) == LinkCounts(1, 2)
    assert words(deals[0], contacts[0]) == {"unlabeled", "Buyer", "Helper"}
    assert words(contacts[0], deals[0]) == {"unlabeled", "Purchase", "Helper"}


def test_a_pair_that_is_associated_already_just_gets_the_label(
    contacts: list[Record], deals: list[Record], buyer: DirectedType
) -> None:
    associate(deals[0], contacts[0])
    assert associate(contacts[0], deals[0], buyer.reverse) == LinkCounts(0, 1)
    assert associate(contacts[0], deals[0], buyer.reverse) == LinkCounts()
    assert words(deals[0], contacts[0]) == {"unlabeled", "Buyer"}


def test_a_label_given_twice_is_put_on_once(contacts: list[Record], deals: list[Record], buyer: DirectedType) -> None:
    assert associate(deals[0], contacts[0], buyer, buyer) == LinkCounts(1, 1)


def test_naming_the_unlabeled_type_as_a_label_adds_nothing(contacts: list[Record], deals: list[Record]) -> None:
    assert associate(contacts[0], deals[0], unlabeled("contact", "deal")) == LinkCounts(1, 0)


@pytest.mark.parametrize("name", ["deal", "company"])
def test_a_label_of_other_object_types_is_refused(contacts: list[Record], buyer: DirectedType, name: str) -> None:
    [other] = make_records(name, 1)
    wrong = buyer if name == "deal" else buyer.reverse  # the wrong direction, the wrong pair
    with pytest.raises(Refused, match="is no label of a contact for a"):
        associate(contacts[0], other, wrong)
    assert not Association.objects.exists()


def test_a_paired_label_within_one_object_type_lies_the_way_it_was_given(contacts: list[Record]) -> None:
    low, high, _ = contacts
    manager = make_label("contact", "contact", "Manager", "Report")
    associate(high, low, manager)
    assert words(high, low) == {"unlabeled", "Manager"}
    assert words(low, high) == {"unlabeled", "Report"}
    associate(high, low, manager.reverse)
    assert words(high, low) == {"unlabeled", "Manager", "Report"}


def test_a_child_company_sees_its_parent_by_14(contacts: list[Record]) -> None:
    child, parent = make_records("company", 2)
    associate(child, parent, querysets.directed_type(14))
    assert associated(child, querysets.directed_type(14)) == {parent.pk}
    assert associated(parent, querysets.directed_type(13)) == {child.pk}
    assert not associated(child, querysets.directed_type(13))


def test_records_of_a_custom_type_lie_either_way_round() -> None:
    make_object_type("pet")
    owner = make_label("pet", "contact", "Owner", "Pet")
    [rex], [ann] = make_records("pet", [{"name": "Rex"}]), make_records("contact", 1)
    associate(rex, ann, owner)
    assert words(rex, ann) == {"unlabeled", "Owner"}
    assert words(ann, rex) == {"unlabeled", "Pet"}


# Taking off -------------------------------------------------------------------------------------


def test_removing_a_label_keeps_the_association_and_the_other_labels(
    contacts: list[Record], deals: list[Record], buyer: DirectedType
) -> None:
    helper = make_label("deal", "contact", "Helper")
    associate(deals[0], contacts[0], buyer, helper)
    assert remove_label(contacts[0], deals[0], buyer.reverse) == LinkCounts(0, 1)
    assert words(deals[0], contacts[0]) == {"unlabeled", "Helper"}
    assert remove_label(contacts[0], deals[0], buyer.reverse) == LinkCounts()


def test_a_label_is_taken_off_the_given_pairs_only(
    contacts: list[Record], deals: list[Record], buyer: DirectedType
) -> None:
    associate_pairs([(deal, contacts[0]) for deal in deals], buyer)
    remove_label(deals[0], contacts[0], buyer)
    assert associated(contacts[0], buyer.reverse) == {deals[1].pk, deals[2].pk}


def test_one_direction_of_a_paired_label_within_one_object_type_goes_alone(contacts: list[Record]) -> None:
    a, b, _ = contacts
    manager = make_label("contact", "contact", "Manager", "Report")
    associate(a, b, manager, manager.reverse)
    assert remove_label(b, a, manager) == LinkCounts(0, 1)
    assert words(a, b) == {"unlabeled", "Manager"}


def test_a_symmetric_label_goes_from_either_end(contacts: list[Record]) -> None:
    a, b, _ = contacts
    colleague = make_label("contact", "contact", "Colleague")
    for pair in ((a, b), (b, a)):
        associate(a, b, colleague)
        assert remove_label(*pair, colleague).labels == 1


def test_the_unlabeled_type_does_not_go_as_a_label(
    contacts: list[Record], deals: list[Record], buyer: DirectedType
) -> None:
    associate(deals[0], contacts[0], buyer)
    assert remove_label(deals[0], contacts[0], unlabeled("deal", "contact")) == LinkCounts()
    assert words(deals[0], contacts[0]) == {"unlabeled", "Buyer"}


def test_removing_the_association_removes_all_its_labels(
    contacts: list[Record], deals: list[Record], buyer: DirectedType
) -> None:
    associate(deals[0], contacts[0], buyer, make_label("deal", "contact", "Helper"))
    associate(deals[0], contacts[1], buyer)
    assert disassociate(contacts[0], deals[0]) == LinkCounts(1, 0)
    assert words(deals[0], contacts[0]) == set()
    assert words(deals[0], contacts[1]) == {"unlabeled", "Buyer"}
    assert disassociate(contacts[0], deals[0]) == LinkCounts()


@pytest.mark.parametrize("low_first", [True, False])
def test_labels_of_one_object_type_go_with_the_association_whichever_way_they_lie(
    contacts: list[Record], low_first: bool
) -> None:
    a, b, other = contacts
    manager = make_label("contact", "contact", "Manager", "Report")
    colleague = make_label("contact", "contact", "Colleague")
    associate(a, b, manager, manager.reverse, colleague)
    associate(a, other, manager)
    disassociate(*((a, b) if low_first else (b, a)))
    assert words(a, b) == words(b, a) == set()
    assert words(a, other) == {"unlabeled", "Manager"}


def test_the_association_with_an_archived_record_can_be_taken_back(
    contacts: list[Record], deals: list[Record], buyer: DirectedType
) -> None:
    associate(deals[0], contacts[0], buyer)
    archiving.archive_records(object_type("deal"), [deals[0].pk], origin=ORIGIN)
    assert remove_label(deals[0], contacts[0], buyer).labels == 1
    assert disassociate(deals[0], contacts[0]).associations == 1


def test_primary_of_another_type_is_not_touched(contacts: list[Record], deals: list[Record]) -> None:
    [company] = make_records("company", 1)
    associate(contacts[0], company)
    associate(deals[0], company)
    disassociate(contacts[0], company)
    assert associated(company, primary("company", "deal")) == {deals[0].pk}
    assert AssociationEnd.objects.filter(record=contacts[0]).count() == 0


def test_pairs_of_other_object_types_are_not_touched(contacts: list[Record], deals: list[Record]) -> None:
    manager = make_label("contact", "contact", "Manager", "Report")
    a, b, _ = contacts
    associate(a, b, manager, manager.reverse)
    for pair in ((a, b), (b, a)):
        removed = linking.disassociate(unlabeled("contact", "deal"), [(pair[0].pk, pair[1].pk)], origin=ORIGIN)
        assert removed == LinkCounts()
    assert words(a, b) == {"unlabeled", "Manager", "Report"}
