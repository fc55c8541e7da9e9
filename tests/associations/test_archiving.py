"""Archived records take part in nothing and come back whole; deleted ones leave no value behind."""

from __future__ import annotations

import pytest

from associations.errors import Refused
from associations.models import (
    Association,
    AssociationChange,
    ChangeSet,
    MatchKey,
    Record,
    RecordEvent,
    UniqueValue,
)
from associations.services import archiving, match_keys, merging
from tests.factories import (
    ORIGIN,
    associate,
    associate_pairs,
    change,
    make_label,
    make_record,
    make_records,
    object_type,
    words,
)

pytestmark = pytest.mark.django_db


def archive(*records: Record) -> int:
    return archiving.archive_records(records[0].object_type, [record.pk for record in records], origin=ORIGIN)


def restore(*records: Record) -> int:
    return archiving.restore_records(records[0].object_type, [record.pk for record in records], origin=ORIGIN)


def delete(*records: Record) -> int:
    return archiving.delete_records(records[0].object_type, [record.pk for record in records], origin=ORIGIN)


def events() -> list[tuple[str, int, dict[str, object]]]:
    last = ChangeSet.objects.latest("id")
    return list(last.record_events.order_by("record").values_list("kind", "record", "before"))


# Archiving and restoring ------------------------------------------------------------------------


def test_archiving_takes_away_what_makes_a_record_found_and_keeps_the_rest() -> None:
    city = object_type("contact").properties.get(name="city")
    match_keys.ensure_match_index(city, "normalized")
    contact, other = make_records("contact", [{"email": "a@example.com", "city": "Rome"}, {"city": "Rome"}])
    associate(contact, other)
    assert archive(contact) == 1
    assert not UniqueValue.objects.filter(record=contact).exists()
    assert not MatchKey.objects.filter(record=contact).exists()
    assert MatchKey.objects.filter(record=other).exists()
    assert words(contact, other) == {"unlabeled"}
    archived = Record.objects.get(pk=contact.pk)
    assert archived.archived_at and archived.properties == {"email": "a@example.com", "city": "Rome"}


def test_restoring_brings_all_of_it_back() -> None:
    city = object_type("contact").properties.get(name="city")
    match_keys.ensure_match_index(city, "normalized")
    contact = make_record("contact", email="a@example.com", city="Rome")
    keys = set(MatchKey.objects.values_list("record", "key"))
    archive(contact)
    assert restore(contact) == 1
    assert set(MatchKey.objects.values_list("record", "key")) == keys
    assert UniqueValue.objects.filter(record=contact).count() == 1
    assert Record.objects.get(pk=contact.pk).archived_at is None
    change(contact, city="Oslo")


def test_what_is_archived_or_live_already_is_left_alone() -> None:
    one, two = make_records("contact", 2)
    archive(one)
    sets = ChangeSet.objects.count()
    assert (archive(one), restore(two), ChangeSet.objects.count()) == (0, 0, sets)
    assert archive(one, two) == 1
    assert restore(one, two) == 2


def test_only_records_of_the_type_are_archived_restored_or_deleted() -> None:
    [contact], [deal] = make_records("contact", 1), make_records("deal", 1)
    wrong = object_type("deal")
    assert archiving.archive_records(wrong, [contact.pk], origin=ORIGIN) == 0
    archive(contact)
    assert archiving.restore_records(wrong, [contact.pk], origin=ORIGIN) == 0
    assert archiving.delete_records(wrong, [contact.pk], origin=ORIGIN) == 0
    assert archiving.delete_records(wrong, [deal.pk, contact.pk], origin=ORIGIN) == 1


def test_archiving_and_restoring_are_told_with_the_values() -> None:
    contact = make_record("contact", city="Rome")
    archive(contact)
    assert events() == [(RecordEvent.Kind.ARCHIVED, contact.pk, {"city": "Rome"})]
    restore(contact)
    assert events() == [(RecordEvent.Kind.RESTORED, contact.pk, {"city": "Rome"})]


def test_a_record_merged_away_cannot_be_restored() -> None:
    survivor, merged = make_records("contact", 2)
    merging.merge_records(object_type("contact"), survivor.pk, merged.pk, origin=ORIGIN)
    with pytest.raises(Refused, match=f"{merged.pk} was merged into {survivor.pk}"):
        restore(merged)


# Deleting ---------------------------------------------------------------------------------------


def test_deleting_takes_the_record_with_its_associations_and_its_values() -> None:
    contact, friend, archived = make_records("contact", 3)
    [deal] = make_records("deal", 1)
    buyer = make_label("deal", "contact", "Buyer", "Purchase")
    associate(deal, contact, buyer)
    associate(contact, friend)
    associate(deal, friend)
    archive(archived)
    assert delete(contact, archived) == 2
    assert not Record.objects.filter(pk__in=[contact.pk, archived.pk]).exists()
    assert not UniqueValue.objects.filter(record__in=[contact.pk, archived.pk]).exists()
    assert not RecordEvent.objects.filter(record__in=[contact.pk, archived.pk]).exists()
    assert words(deal, friend) == {"unlabeled"}
    assert Association.objects.count() == 1


def test_the_ledger_keeps_that_associations_were_there_without_the_values_that_matched() -> None:
    [contact], [deal, other] = make_records("contact", 1), make_records("deal", 2)
    associate(contact, deal)
    associate(contact, other)
    Association.objects.update(source_value="secret", target_value="secret")
    delete(deal)
    told = AssociationChange.objects.filter(target=deal.pk).order_by("change_set")
    assert list(told.values_list("added", "source_value", "target_value")) == [(True, None, None), (False, None, None)]
    assert AssociationChange.objects.get(target=other.pk).source_value == "secret"


def test_what_is_not_there_is_not_deleted_and_leaves_no_trace() -> None:
    sets = ChangeSet.objects.count()
    assert archiving.delete_records(object_type("contact"), [999_999], origin=ORIGIN) == 0
    assert ChangeSet.objects.count() == sets


def test_records_associated_with_each_other_can_be_deleted_together() -> None:
    contacts = make_records("contact", 3)
    associate_pairs([(one, other) for one in contacts for other in contacts if one.pk < other.pk])
    delete(*contacts)
    assert not Association.objects.exists()
    assert AssociationChange.objects.filter(added=True).count() == AssociationChange.objects.filter(added=False).count()


def test_a_deleted_survivor_leaves_the_merged_record_archived() -> None:
    survivor, merged = make_records("contact", 2)
    merging.merge_records(object_type("contact"), survivor.pk, merged.pk, origin=ORIGIN)
    delete(survivor)
    left = Record.objects.get(pk=merged.pk)
    assert left.archived_at and left.merged_into is None
