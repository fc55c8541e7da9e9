"""A value of a unique property belongs to one live record, whichever way records come and go."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.errors import InvalidRecords
from associations.models import ChangeSet, Record, UniqueValue
from associations.services import archiving, merging
from associations.services.derived import unique_key
from associations.services.records import RecordInput
from tests.factories import ORIGIN, change, make_property, make_record, object_type, save

pytestmark = pytest.mark.django_db

ANN, BOB = "ann@example.com", "bob@example.com"


def holder(email: str) -> int | None:
    return UniqueValue.objects.filter(key=unique_key(email)).values_list("record", flat=True).first()


def archive(*records: Record) -> int:
    return archiving.archive_records(records[0].object_type, [record.pk for record in records], origin=ORIGIN)


def restore(*records: Record) -> int:
    return archiving.restore_records(records[0].object_type, [record.pk for record in records], origin=ORIGIN)


@pytest.mark.parametrize("again", [ANN, " ANN@EXAMPLE.COM ", "ａnn@example.com"])
def test_a_value_that_another_record_holds_is_refused_and_says_who_does(again: str) -> None:
    ann = make_record("contact", email=ANN)
    with pytest.raises(InvalidRecords) as refusal:
        save("contact", [{"email": BOB}, {"email": again}])
    [problem] = refusal.value.problems
    assert (problem.index, problem.property) == (1, "email")
    assert problem.reason.endswith(f"belongs to contact {ann.pk}")
    assert holder(BOB) is None


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_who_holds_a_value_is_looked_up_only_when_the_constraint_refuses_it() -> None:
    with CaptureQueriesContext(connection) as asked:
        holder = make_record("contact", email=ANN)
    assert not any("FROM associations_uniquevalue WHERE property_id" in each["sql"] for each in asked)
    ben = make_record("contact", email="ben@example.com")
    for refused in (lambda: make_record("contact", email=ANN), lambda: change(ben, email=ANN)):
        with pytest.raises(InvalidRecords, match=f"belongs to contact {holder.pk}"):
            refused()
    assert list(Record.objects.values_list("id", flat=True)) == [holder.pk, ben.pk]
    assert ChangeSet.objects.count() == 2 and UniqueValue.objects.count() == 2


def test_two_records_of_one_request_cannot_have_one_value() -> None:
    with pytest.raises(InvalidRecords, match="belongs to another one of this request"):
        save("contact", [{"email": ANN}, {"email": BOB}, {"email": ANN.upper()}])
    assert not Record.objects.exists()


def test_an_existing_record_cannot_take_the_value_of_another_one() -> None:
    ann, bob = make_record("contact", email=ANN), make_record("contact", email=BOB)
    with pytest.raises(InvalidRecords, match=f"belongs to contact {ann.pk}"):
        change(bob, email=ANN)
    assert (holder(ANN), holder(BOB)) == (ann.pk, bob.pk)


def test_a_record_may_write_its_own_value_anew() -> None:
    ann = make_record("contact", email=ANN)
    change(ann, email="ANN@example.com", city="Boston")
    assert holder(ANN) == ann.pk


def test_a_value_given_up_is_free_at_once() -> None:
    ann = make_record("contact", email=ANN)
    change(ann, email="")
    assert holder(make_record("contact", email=ANN).properties["email"]) != ann.pk


def test_a_value_may_pass_from_one_record_to_another_in_one_request() -> None:
    ann, bob = make_record("contact", email=ANN), make_record("contact", email=BOB)
    saved = save("contact", [RecordInput({"email": ""}, id=ann.pk), {"email": ANN}])
    assert holder(ANN) == saved.records[1].pk
    save("contact", [RecordInput({"email": "x@example.com"}, id=bob.pk), RecordInput({"email": BOB}, id=ann.pk)])
    assert holder(BOB) == ann.pk


def test_two_records_may_exchange_their_values() -> None:
    ann, bob = make_record("contact", email=ANN), make_record("contact", email=BOB)
    save("contact", [RecordInput({"email": BOB}, id=ann.pk), RecordInput({"email": ANN}, id=bob.pk)])
    assert (holder(ANN), holder(BOB)) == (bob.pk, ann.pk)


def test_a_record_of_the_request_that_keeps_its_value_still_holds_it() -> None:
    ann = make_record("contact", email=ANN)
    with pytest.raises(InvalidRecords, match="belongs to"):
        save("contact", [RecordInput({"city": "Boston"}, id=ann.pk), {"email": ANN}])
    with pytest.raises(InvalidRecords, match="belongs to"):  # also where nothing of it changes
        save("contact", [RecordInput({"email": ANN}, id=ann.pk), {"email": ANN}])


def test_every_unique_property_counts_on_its_own() -> None:
    make_property("contact", "badge", has_unique_value=True, type="number", field_type="number")
    make_record("contact", email=ANN, badge=7)
    make_record("contact", badge=8)
    with pytest.raises(InvalidRecords) as refusal:
        save("contact", [{"email": ANN, "badge": "7.0"}])
    assert [problem.property for problem in refusal.value.problems] == ["email", "badge"]


def test_the_same_value_in_two_object_types_is_no_conflict() -> None:
    make_record("contact", email="acme.com@example.com")
    make_record("company", domain="acme.com@example.com")


# Archived, merged, deleted ----------------------------------------------------------------------


def test_an_archived_record_frees_its_value() -> None:
    ann = make_record("contact", email=ANN)
    archive(ann)
    assert holder(ANN) is None
    assert holder(ANN) != make_record("contact", email=ANN).pk == holder(ANN)


def test_a_restored_record_holds_its_value_again() -> None:
    ann = make_record("contact", email=ANN)
    archive(ann)
    restore(ann)
    assert holder(ANN) == ann.pk


def test_a_record_whose_value_was_taken_meanwhile_is_not_restored() -> None:
    old = make_record("contact", email=ANN)
    archive(old)
    new = make_record("contact", email=ANN)
    other = make_record("contact", email=BOB)
    archive(other)
    with pytest.raises(InvalidRecords, match=f"belongs to contact {new.pk}"):
        restore(other, old)
    assert Record.objects.filter(archived_at__isnull=False).count() == 2
    archive(new)
    assert restore(old) == 1


def test_of_two_archived_records_with_one_value_only_one_is_restored() -> None:
    records = []
    for _ in range(2):
        records.append(make_record("contact", email=ANN))
        archive(records[-1])
    with pytest.raises(InvalidRecords, match="another one of this request"):
        restore(*records)
    assert restore(records[1]) == 1


def test_the_value_of_a_record_merged_away_is_free_or_the_survivors() -> None:
    ann, bob, nobody = (make_record("contact", **values) for values in ({"email": ANN}, {"email": BOB}, {}))
    merging.merge_records(object_type("contact"), ann.pk, bob.pk, origin=ORIGIN)
    assert (holder(ANN), holder(BOB)) == (ann.pk, None)
    merging.merge_records(object_type("contact"), nobody.pk, ann.pk, origin=ORIGIN)
    assert holder(ANN) == nobody.pk


def test_a_deleted_record_frees_its_value() -> None:
    ann = make_record("contact", email=ANN)
    archiving.delete_records(object_type("contact"), [ann.pk], origin=ORIGIN)
    assert holder(ANN) is None
