"""Saving records: typed values, all or none, upserts, and the events that tell what happened."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from associations.comparison import name_key
from associations.errors import InvalidRecords, Refused, ValueProblem
from associations.models import ChangeSet, Record, RecordEvent
from associations.services import archiving, records, schema
from associations.services.records import RecordInput, read_properties
from tests.factories import (
    ORIGIN,
    change,
    make_object_type,
    make_property,
    make_record,
    make_records,
    object_type,
    save,
)

pytestmark = pytest.mark.django_db


def kept(record: Record) -> dict[str, Any]:
    return Record.objects.get(pk=record.pk).properties


def events() -> list[tuple[str, int, dict[str, Any]]]:
    """Of the last change: kind, record, the properties before."""
    last = ChangeSet.objects.latest("id")
    return list(last.record_events.order_by("record").values_list("kind", "record", "before"))


# Values -----------------------------------------------------------------------------------------


def test_a_new_record_keeps_only_known_values_each_in_its_type() -> None:
    deal = make_record("deal", dealname=" Big ", amount="12.50", closedate="2026-11-23", description="", pipeline=None)
    assert kept(deal) == {"dealname": "Big", "amount": 12.5, "closedate": "2026-11-23T00:00:00.000Z"}


def test_a_record_may_have_no_value_at_all() -> None:
    assert kept(make_record("contact")) == {}


@pytest.mark.parametrize(
    "number", [0, 0.1, -1e-7, 5e-324, 2**53, 2**53 + 1, 1e16, 1e23, 1.7976931348623157e308, -(2**63), 10**20]
)
def test_a_number_comes_back_from_the_database_as_it_was_saved(number: float) -> None:
    deal = make_record("deal", amount=number)
    assert kept(deal) == deal.properties
    assert type(kept(deal)["amount"]) is type(deal.properties["amount"])
    assert not save("deal", [RecordInput({"amount": number}, id=deal.pk)]).changed


@pytest.mark.parametrize(
    "text", ["Ünïcödé", "日本", "🙂", "'; DROP TABLE x; --", '{"a": 1}', "\\u0000", "%s %(a)s", "\u202e"]
)
def test_any_text_comes_back_as_it_was_saved(text: str) -> None:
    assert kept(make_record("contact", firstname=text)) == {"firstname": text}


def test_an_update_sets_what_it_names_and_leaves_the_rest() -> None:
    contact = make_record("contact", firstname="Ann", city="Boston")
    change(contact, city="Paris", state="", country="France")
    assert kept(contact) == {"firstname": "Ann", "city": "Paris", "country": "France"}


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_no_value_takes_the_value_away(nothing: object) -> None:
    contact = make_record("contact", firstname="Ann", city="Boston")
    change(contact, city=nothing)
    assert kept(contact) == {"firstname": "Ann"}


def test_the_records_come_back_in_the_order_of_the_request() -> None:
    old = make_record("contact", firstname="Old")
    saved = save("contact", [{"firstname": "New"}, RecordInput({"firstname": "Older"}, id=old.pk), {"firstname": "3"}])
    assert [record.properties["firstname"] for record in saved.records] == ["New", "Older", "3"]
    assert saved.created == {saved.records[0].pk, saved.records[2].pk}
    assert saved.changed == {old.pk}


def test_the_times_of_a_record_say_when_it_came_and_when_it_changed() -> None:
    contact = make_record("contact", city="Boston")
    before = Record.objects.get(pk=contact.pk)
    assert before.created_at == before.updated_at
    change(contact, city="Boston")
    assert Record.objects.get(pk=contact.pk).updated_at == before.updated_at
    change(contact, city="Paris")
    after = Record.objects.get(pk=contact.pk)
    assert after.created_at == before.created_at
    assert after.updated_at > before.updated_at


def test_a_request_without_records_does_nothing() -> None:
    save("contact", [])
    assert not ChangeSet.objects.exists()


# What is wrong ----------------------------------------------------------------------------------


def test_every_bad_value_is_named_and_nothing_of_the_request_is_saved() -> None:
    old = make_record("deal", dealname="Old")
    with pytest.raises(InvalidRecords) as refusal:
        save(
            "deal",
            [
                {"dealname": "Good"},
                {"amount": "much", "closedate": "soon"},
                RecordInput({"dealname": "Changed", "colour": "red"}, id=old.pk),
            ],
        )
    assert [(each.index, each.property) for each in refusal.value.problems] == [
        (1, "amount"),
        (1, "closedate"),
        (2, "colour"),
    ]
    assert "amount is not a number: 'much'" in str(refusal.value)
    assert "colour does not exist" in str(refusal.value)
    assert kept(old) == {"dealname": "Old"}
    assert Record.objects.count() == 1


def test_of_very_many_bad_values_the_message_shows_a_few_and_the_error_has_all() -> None:
    with pytest.raises(InvalidRecords, match="and 15 more") as refusal:
        save("deal", [{"amount": "much"}] * 20)
    assert len(refusal.value.problems) == 20


def test_a_property_of_another_object_type_does_not_exist() -> None:
    with pytest.raises(InvalidRecords, match="dealname does not exist"):
        make_record("contact", dealname="Big")


def test_a_record_that_is_not_there_cannot_be_updated() -> None:
    [deal] = make_records("deal", 1)
    archived = make_record("contact", firstname="Gone")
    archiving.archive_records(object_type("contact"), [archived.pk], origin=ORIGIN)
    for missing in (999_999, deal.pk, archived.pk):
        with pytest.raises(Refused, match=f"There is no contact {missing}, or it is archived"):
            save("contact", [{"firstname": "New"}, RecordInput({"firstname": "x"}, id=missing)])
    assert Record.objects.filter(object_type__name="contact").count() == 1


def test_a_record_occurs_once_in_a_request() -> None:
    contact = make_record("contact", firstname="Ann")
    with pytest.raises(Refused, match=f"Contact {contact.pk} occurs twice in one request"):
        save("contact", [RecordInput({"city": city}, id=contact.pk) for city in ("Boston", "Paris")])


def test_reading_properties_gives_the_good_values_and_the_problems() -> None:
    properties = {prop.name: prop for prop in object_type("deal").properties.all()}
    values, problems = read_properties(properties, {"dealname": " Big ", "amount": "much", "pipeline": ""}, index=7)
    assert values == {"dealname": "Big", "pipeline": None}
    assert problems == [ValueProblem(7, "amount", "is not a number: 'much'", code="INVALID_INTEGER")]


# Upsert -----------------------------------------------------------------------------------------


def test_an_upsert_updates_who_holds_the_value_and_creates_who_is_missing() -> None:
    ann = make_record("contact", email="ann@example.com", city="Boston")
    saved = save(
        "contact",
        [{"email": " ANN@Example.com", "city": "Paris"}, {"email": "bob@example.com"}, {"firstname": "No e-mail"}],
        upsert_by="email",
    )
    assert saved.records[0].pk == ann.pk
    assert kept(ann) == {"email": "ANN@Example.com", "city": "Paris"}
    assert len(saved.created) == 2


def test_an_id_goes_before_the_value() -> None:
    ann = make_record("contact", email="ann@example.com")
    bob = make_record("contact", email="bob@example.com")
    save("contact", [RecordInput({"email": "robert@example.com"}, id=bob.pk)], upsert_by="email")
    assert kept(bob)["email"] == "robert@example.com"
    assert kept(ann)["email"] == "ann@example.com"


def test_two_inputs_for_one_holder_are_refused() -> None:
    ann = make_record("contact", email="ann@example.com")
    with pytest.raises(Refused, match=f"Contact {ann.pk} occurs twice"):
        save("contact", [{"email": "ann@example.com"}, {"email": "ANN@example.com"}], upsert_by="email")


def test_records_are_found_by_unique_properties_only() -> None:
    for name in ("firstname", "nonsense"):
        with pytest.raises(Refused, match=f"{name} is not a unique property"):
            save("contact", [{name: "Ann"}], upsert_by=name) if name == "firstname" else save(
                "contact", [{}], upsert_by=name
            )


def test_an_archived_record_is_not_found_by_its_value() -> None:
    ann = make_record("contact", email="ann@example.com")
    archiving.archive_records(object_type("contact"), [ann.pk], origin=ORIGIN)
    saved = save("contact", [{"email": "ann@example.com"}], upsert_by="email")
    assert saved.created and saved.records[0].pk != ann.pk


# Events -----------------------------------------------------------------------------------------


def test_events_tell_what_was_created_and_what_changed_with_the_values_before() -> None:
    old, same = make_records("contact", [{"city": "Boston"}, {"city": "Rome"}])
    saved = save(
        "contact",
        [
            RecordInput({"city": "Paris", "state": "x"}, id=old.pk),
            RecordInput({"city": " Rome "}, id=same.pk),
            {"city": "Oslo"},
        ],
    )
    assert events() == [
        (RecordEvent.Kind.CHANGED, old.pk, {"city": "Boston"}),
        (RecordEvent.Kind.CREATED, saved.records[2].pk, {}),
    ]


def test_a_change_that_changes_nothing_leaves_no_trace() -> None:
    contact = make_record("contact", city="Boston")
    sets = ChangeSet.objects.count()
    saved = save("contact", [RecordInput({"city": "Boston ", "state": ""}, id=contact.pk)])
    assert (saved.created, saved.changed) == (set(), set())
    assert ChangeSet.objects.count() == sets


def test_a_value_that_only_changes_its_type_is_a_change() -> None:
    make_property("contact", "code", type="bool", field_type="booleancheckbox")
    make_property("contact", "rank", type="number", field_type="number")
    contact = make_record("contact", code=True, rank=1)
    assert save("contact", [RecordInput({"code": False, "rank": 0}, id=contact.pk)]).changed == {contact.pk}


def test_a_record_is_shown_by_its_primary_property_or_by_its_number() -> None:
    assert str(make_record("contact", email="ann@example.com")) == "ann@example.com"
    nameless = make_record("contact")
    assert str(nameless) == f"Contact {nameless.pk}"


def test_a_record_is_as_its_type_wants_it_now_however_long_ago_that_was_read() -> None:
    contacts = object_type("contact")
    update = partial(
        schema.update_object_type, object_type("contact"), label="Contact", plural_label="Contacts", description=""
    )
    update(required_properties=["city"])
    with pytest.raises(InvalidRecords, match="is required"):
        records.save_records(contacts, [RecordInput({"email": "ada@example.com"})], origin=ORIGIN)

    update(primary_property="city")
    [ada] = records.save_records(contacts, [RecordInput({"city": "Rome"})], origin=ORIGIN).records
    assert ada.name_key == name_key("Rome")


def test_a_record_of_a_type_that_has_just_been_deleted_is_refused() -> None:
    pet = make_object_type("pet")
    make_property("pet", "tag")
    schema.delete_object_type(object_type("pet"))
    with pytest.raises(Refused, match="no longer an object type"):
        records.save_records(pet, [RecordInput({"name": "Rex"})], origin=ORIGIN)
