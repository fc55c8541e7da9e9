"""Merging two records: the union of values, associations and labels, within the limits."""

from __future__ import annotations

import pytest

from associations.errors import LimitReached, Refused
from associations.models import Association, ChangeSet, MatchKey, Record, RecordEvent
from associations.services import archiving, match_keys, merging
from tests.factories import (
    ORIGIN,
    associate,
    associate_pairs,
    associated,
    limit,
    make_label,
    make_record,
    make_records,
    object_type,
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
def companies() -> list[Record]:
    return make_records("company", 3)


def merge(survivor: Record, merged: Record) -> Record:
    return merging.merge_records(survivor.object_type, survivor.pk, merged.pk, origin=ORIGIN)


def test_the_survivors_values_stay_and_its_gaps_are_filled() -> None:
    survivor = make_record("contact", firstname="Ann", city="Rome")
    merged = make_record("contact", email="ann@example.com", firstname="Anne", state="Lazio")
    assert merge(survivor, merged).properties == {
        "email": "ann@example.com",
        "firstname": "Ann",
        "city": "Rome",
        "state": "Lazio",
    }
    gone = Record.objects.get(pk=merged.pk)
    assert gone.archived_at and gone.merged_into_id == survivor.pk
    assert gone.properties["firstname"] == "Anne"


def test_the_keys_of_both_follow_the_merge() -> None:
    city = object_type("contact").properties.get(name="city")
    index = match_keys.ensure_match_index(city, "normalized")
    survivor, merged = make_records("contact", [{}, {"city": "Rome"}])
    merge(survivor, merged)
    assert list(MatchKey.objects.filter(index=index).values_list("record", flat=True)) == [survivor.pk]


def test_the_survivor_has_the_union_of_associations_and_labels(contacts: list[Record]) -> None:
    survivor, merged, *_ = contacts
    deals = make_records("deal", 3)
    buyer, helper = make_label("deal", "contact", "Buyer", "Purchase"), make_label("deal", "contact", "Helper")
    associate(deals[0], survivor, buyer)
    associate(deals[1], survivor, buyer)
    associate(deals[1], merged, helper)
    associate(deals[2], merged, buyer)
    merge(survivor, merged)
    assert words(deals[0], survivor) == {"unlabeled", "Buyer"}
    assert words(deals[1], survivor) == {"unlabeled", "Buyer", "Helper"}
    assert words(deals[2], survivor) == {"unlabeled", "Buyer"}
    assert not associated(merged, unlabeled("contact", "deal"))


def test_the_two_are_not_associated_with_themselves_afterwards(contacts: list[Record]) -> None:
    survivor, merged, friend, _ = contacts
    manager, colleague = make_label("contact", "contact", "Manager", "Report"), make_label("contact", "contact", "Peer")
    associate(survivor, merged, manager, manager.reverse, colleague)
    associate(merged, friend, manager)
    merge(survivor, merged)
    assert words(survivor, friend) == {"unlabeled", "Manager"}
    assert Association.objects.count() == 2


@pytest.mark.parametrize("order", [(0, 3), (3, 0), (1, 2), (2, 1)])
def test_pairs_within_one_object_type_still_lie_the_right_way(contacts: list[Record], order: tuple[int, int]) -> None:
    survivor, merged = (contacts[place] for place in order)
    others = [contact for contact in contacts if contact not in (survivor, merged)]
    manager = make_label("contact", "contact", "Manager", "Report")
    for other in others:
        associate(merged, other, manager)
    merge(survivor, merged)
    for other in others:
        assert words(survivor, other) == {"unlabeled", "Manager"}
        assert words(other, survivor) == {"unlabeled", "Report"}
    symmetric = Association.objects.filter(type=unlabeled("contact", "contact").type)
    assert all(source < target for source, target in symmetric.values_list("source_id", "target_id"))


def test_the_survivors_primary_company_stays(contacts: list[Record], companies: list[Record]) -> None:
    associate(contacts[0], companies[0])
    associate(contacts[1], companies[1])
    merge(contacts[0], contacts[1])
    assert associated(contacts[0], primary("contact", "company")) == {companies[0].pk}
    assert words(contacts[0], companies[1]) == {"unlabeled"}


def test_without_a_primary_company_the_survivor_takes_the_other_ones(
    contacts: list[Record], companies: list[Record]
) -> None:
    associate(contacts[0], companies[0])
    remove_label(contacts[0], companies[0], primary("contact", "company"))
    associate(contacts[1], companies[1])
    merge(contacts[0], contacts[1])
    assert associated(contacts[0], primary("contact", "company")) == {companies[1].pk}


def test_a_company_that_was_primary_hands_that_on(contacts: list[Record], companies: list[Record]) -> None:
    associate(contacts[0], companies[1])
    associate(contacts[0], companies[0])
    associate(contacts[1], companies[1])
    merge(companies[0], companies[1])
    assert associated(companies[0], primary("company", "contact")) == {contacts[0].pk, contacts[1].pk}
    assert words(contacts[0], companies[0]) == {"unlabeled", "Primary"}


def test_associations_with_archived_records_move_too(contacts: list[Record]) -> None:
    survivor, merged, archived, _ = contacts
    associate(merged, archived)
    archiving.archive_records(object_type("contact"), [archived.pk], origin=ORIGIN)
    merge(survivor, merged)
    assert words(survivor, archived) == {"unlabeled"}


# Limits -----------------------------------------------------------------------------------------


def test_a_merge_over_a_limit_is_refused_and_changes_nothing(contacts: list[Record]) -> None:
    deals = make_records("deal", 3)
    associate_pairs([(contacts[0], deals[0]), (contacts[0], deals[1]), (contacts[1], deals[2])])
    limit(unlabeled("contact", "deal"), to=2)
    sets = ChangeSet.objects.count()
    with pytest.raises(LimitReached, match=r"would be associated with 3 deals .* and the limit is 2"):
        merge(contacts[0], contacts[1])
    assert Record.objects.get(pk=contacts[1].pk).archived_at is None
    assert associated(contacts[1], unlabeled("contact", "deal")) == {deals[2].pk}
    assert ChangeSet.objects.count() == sets


def test_a_merge_within_the_limit_may_share_records(contacts: list[Record]) -> None:
    limit(unlabeled("contact", "deal"), to=2)
    deals = make_records("deal", 2)
    associate_pairs([(contact, deal) for contact in contacts[:2] for deal in deals])
    merge(contacts[0], contacts[1])
    assert associated(contacts[0], unlabeled("contact", "deal")) == {deal.pk for deal in deals}


def test_a_limit_that_was_exceeded_before_is_not_in_the_way(contacts: list[Record]) -> None:
    deals = make_records("deal", 3)
    associate_pairs([(contacts[0], deal) for deal in deals])
    associate(contacts[1], deals[0])
    limit(unlabeled("contact", "deal"), to=1)
    merge(contacts[0], contacts[1])
    assert len(associated(contacts[0], unlabeled("contact", "deal"))) == 3


def test_a_limit_of_a_label_counts_on_its_side(contacts: list[Record]) -> None:
    lead = limit(make_label("contact", "contact", "Lead", "Member"), to=1)
    survivor, merged, *leads = contacts
    associate(survivor, leads[0], lead)
    associate(merged, leads[1], lead)
    with pytest.raises(LimitReached, match="Lead"):
        merge(survivor, merged)
    merge(leads[0], leads[1])  # a lead may have any number of members
    merge(survivor, merged)
    assert words(survivor, leads[0]) == {"unlabeled", "Lead"}


# What cannot be merged --------------------------------------------------------------------------


def test_a_record_is_not_merged_with_itself(contacts: list[Record]) -> None:
    with pytest.raises(Refused, match="merged with itself"):
        merge(contacts[0], contacts[0])


def test_only_live_records_of_one_type_are_merged(contacts: list[Record], companies: list[Record]) -> None:
    archiving.archive_records(object_type("contact"), [contacts[1].pk], origin=ORIGIN)
    for missing in (contacts[1].pk, companies[0].pk, 999_999):
        for pair in ((contacts[0].pk, missing), (missing, contacts[0].pk)):
            with pytest.raises(Refused, match=f"There is no contact {missing}, or it is archived"):
                merging.merge_records(object_type("contact"), *pair, origin=ORIGIN)


def test_a_merge_is_told_of_both_with_their_values_before(contacts: list[Record]) -> None:
    before = {contact.pk: contact.properties for contact in contacts[:2]}
    merge(contacts[0], contacts[1])
    told = ChangeSet.objects.latest("id").record_events.values_list("kind", "record", "before")
    assert {record: values for _, record, values in told} == before
    assert {kind for kind, *_ in told} == {RecordEvent.Kind.MERGED}
