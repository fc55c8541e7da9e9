"""A little CRM in order, and each way in which a rule of check_associations can be broken past the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection

from associations.comparison import name_key
from associations.models import (
    Association,
    AssociationClaim,
    AssociationType,
    ChangeSet,
    FormerAssociation,
    MatchKey,
    ObjectType,
    Property,
    Record,
    UniqueValue,
)
from associations.services import archiving, checking, match_keys, merging
from tests.factories import (
    ORIGIN,
    associate,
    associate_pairs,
    limit,
    make_label,
    make_record,
    make_records,
    object_type,
    remove_label,
    unlabeled,
)


class Crm:
    """A little of everything, in order."""

    def __init__(self) -> None:
        self.manager = make_label("contact", "contact", "Manager", "Report")
        self.friend = make_label("contact", "contact", "Friend")
        self.buyer = make_label("contact", "company", "Buyer", "Supplier")
        self.index = match_keys.ensure_match_index(
            Property.objects.get(name="name", object_type__name="company"), "exact"
        )
        self.contacts = make_records("contact", 6)
        self.companies = make_records("company", 3)
        self.deals = make_records(
            "deal", [{"dealname": f"Deal {n}", "amount": n, "closedate": "2026-01-01"} for n in range(5)]
        )
        first, second, third, *_ = self.contacts
        associate_pairs([(first, company) for company in self.companies], self.buyer)
        associate(third, first, self.manager, self.friend)
        associate(second, third, self.friend)
        remove_label(second, third, self.friend)
        self.archived = make_record("contact", email="gone@example.com")
        archiving.archive_records(object_type("contact"), [self.archived.pk], origin=ORIGIN)
        self.merged = self.deals[-1]
        merging.merge_records(object_type("deal"), self.deals[0].pk, self.merged.pk, origin=ORIGIN)


def write(source: Record, target: Record, type_id: int) -> None:
    """Associate past the services, as a bug of theirs would: with a ledger, in whatever order."""
    change_set = ChangeSet.objects.create(source=ChangeSet.Source.SYSTEM)
    row = {"source": source, "target": target, "type_id": type_id, "change_set": change_set}
    Association.objects.bulk_create([Association(**row)])


def drop(table: str, *, check: str = "", index: str = "") -> None:
    """Take a constraint away for the rest of the test, whose transaction is never committed."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks pending cannot be altered
        if index:
            cursor.execute(f"DROP INDEX {index}")
        elif connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {check}")
        else:
            cursor.execute("PRAGMA ignore_check_constraints = ON")


def share_a_type_id(crm: Crm) -> None:
    AssociationType.objects.filter(pk=crm.buyer.type.pk).update(inverse_id=341)


def lose_an_unlabeled_type(crm: Crm) -> None:
    course = object_type("course")
    types = AssociationType.objects.filter(from_object_type=course, to_object_type=course, name="")
    types.update(name="x", label="X", inverse_label="X")


def exceed_the_limit_of_the_pair(crm: Crm) -> None:
    AssociationType.objects.filter(pk=crm.buyer.type.pk).update(inverse_max_to=10)
    AssociationType.objects.filter(pk=279).update(inverse_max_to=9)


def lose_a_primary_property(crm: Crm) -> None:
    ObjectType.objects.filter(name="course").update(primary_property="title")


def associate_with_itself(crm: Crm) -> None:
    drop("associations_association", check="never_with_itself")
    write(crm.contacts[5], crm.contacts[5], 449)


def associate_other_types(crm: Crm) -> None:
    write(crm.contacts[4], crm.contacts[5], 341)


def store_the_larger_id_first(crm: Crm) -> None:
    write(crm.contacts[5], crm.contacts[4], 449)


def label_without_associating(crm: Crm) -> None:
    write(crm.contacts[5], crm.companies[0], crm.buyer.type.pk)


def label_without_associating_within_a_type(crm: Crm) -> None:
    write(crm.contacts[5], crm.contacts[4], crm.manager.type.pk)


def have_two_primary_companies(crm: Crm) -> None:
    drop("associations_association", index="one_primary_company")
    write(crm.contacts[0], crm.companies[1], 1)


def associate_a_record_that_is_gone(crm: Crm) -> None:
    write(Record(pk=crm.contacts[5].pk + 1_000_000), crm.companies[0], 279)


def associate_under_a_type_that_is_gone(crm: Crm) -> None:
    write(crm.contacts[5], crm.companies[0], 999_999)


def claim_a_record_that_is_gone(crm: Crm) -> None:
    first, gone = crm.contacts[0].pk, 999_999_999
    ends = {"record_id": first, "source_id": first, "target_id": gone}
    AssociationClaim.objects.create(claimant=1, type_id=crm.buyer.type.pk, made_by_id=1, **ends)


def keep_a_match_key_of_a_record_that_is_gone(crm: Crm) -> None:
    MatchKey.objects.bulk_create([MatchKey(index=crm.index, record_id=crm.contacts[5].pk + 1_000_000, key=b"1" * 16)])


def remove_what_the_change_itself_added(crm: Crm) -> None:
    row = FormerAssociation.objects.get(type=crm.friend.type.pk)
    FormerAssociation.objects.update(added_by=row.removed_by)


def name_a_change_that_was_never_made(crm: Crm) -> None:
    Association.objects.filter(type_id=279, target=crm.companies[0]).update(change_set_id=1_000_000)


def unarchive_a_merged_record(crm: Crm) -> None:
    drop("associations_record", check="merged_record_is_archived")
    Record.objects.filter(pk=crm.merged.pk).update(archived_at=None)


def leave_an_archived_one_its_unique_value(crm: Crm) -> None:
    email = Property.objects.get(object_type=object_type("contact"), name="email")
    UniqueValue.objects.bulk_create([UniqueValue(property=email, record=crm.archived, key=b"1" * 16)])


def leave_an_archived_one_its_match_key(crm: Crm) -> None:
    MatchKey.objects.bulk_create([MatchKey(index=crm.index, record=crm.archived, key=b"1" * 16)])


def keep(record: Record, **values: Any) -> None:
    kept = {**record.properties, **values}
    name = name_key(kept.get(record.object_type.primary_property))
    Record.objects.filter(pk=record.pk).update(properties=kept, name_key=name)


def lose_a_unique_value(crm: Crm) -> None:
    UniqueValue.objects.filter(record=crm.contacts[0]).delete()


def hold_another_unique_value(crm: Crm) -> None:
    UniqueValue.objects.filter(record=crm.contacts[0]).update(key=b"1" * 16)


def hold_a_value_that_is_not_unique(crm: Crm) -> None:
    city = Property.objects.get(object_type=object_type("contact"), name="city")
    UniqueValue.objects.bulk_create([UniqueValue(property=city, record=crm.contacts[0], key=b"1" * 16)])


def change_a_unique_value_only(crm: Crm) -> None:
    keep(crm.contacts[0], email="other@example.com")


def lose_a_match_key(crm: Crm) -> None:
    MatchKey.objects.filter(record=crm.companies[0]).delete()


def hold_another_match_key(crm: Crm) -> None:
    MatchKey.objects.filter(record=crm.companies[0]).update(key=b"1" * 16)


def hold_a_match_key_of_another_type(crm: Crm) -> None:
    MatchKey.objects.bulk_create([MatchKey(index=crm.index, record=crm.deals[0], key=b"1" * 16)])


def exceed_a_limit_that_came_later(crm: Crm) -> None:
    limit(unlabeled("contact", "company"), to=2)


def call_a_record_otherwise(crm: Crm) -> None:
    Record.objects.filter(pk=crm.contacts[0].pk).update(name_key=b"somebody else")


BREAKS: dict[str, list[Callable[[Crm], None]]] = {
    "A type id names one type in one direction.": [share_a_type_id],
    "Every pair of object types has one unlabeled type.": [lose_an_unlabeled_type],
    "A label's limit does not exceed its pair's.": [exceed_the_limit_of_the_pair],
    "Every object type has its primary display property.": [lose_a_primary_property],
    "A record is never associated with itself.": [associate_with_itself],
    "Associated records are there, and of the object types that the association type is for.": [
        associate_other_types,
        associate_a_record_that_is_gone,
        associate_under_a_type_that_is_gone,
    ],
    "A claim is on records that are there.": [claim_a_record_that_is_gone],
    "A match key belongs to a record.": [keep_a_match_key_of_a_record_that_is_gone],
    "A type that is the same both ways stores the smaller record id first.": [store_the_larger_id_first],
    "Records with a label are associated under the unlabeled type as well.": [
        label_without_associating,
        label_without_associating_within_a_type,
    ],
    "A record has at most one primary company.": [have_two_primary_companies],
    "What a change set removed was added by another one.": [remove_what_the_change_itself_added],
    "An association names a change set that was made.": [name_a_change_that_was_never_made],
    "A merged record is archived.": [unarchive_a_merged_record],
    "An archived record holds no unique value and no match key.": [
        leave_an_archived_one_its_unique_value,
        leave_an_archived_one_its_match_key,
    ],
    checking.VALUES: [],  # test_values_that_no_service_keeps
    checking.UNIQUE: [
        lose_a_unique_value,
        hold_another_unique_value,
        hold_a_value_that_is_not_unique,
        change_a_unique_value_only,
    ],
    checking.NAMES: [call_a_record_otherwise],
    checking.KEYS: [lose_a_match_key, hold_another_match_key, hold_a_match_key_of_another_type],
    "Records have no more associations than the limits of today allow.": [exceed_a_limit_that_came_later],
}
