"""The objects API: one record at a time, and lists of them."""

import pytest

from associations.models import ChangeSet, Record
from associations.services import schema
from associations.sql import is_postgresql
from crmproject.models import ApiToken
from tests.asking import Asking
from tests.factories import (
    associate,
    change,
    make_label,
    make_object_type,
    make_record,
    make_records,
    object_type,
    primary,
    words,
)

pytestmark = pytest.mark.django_db
OBJECTS = "/crm/v3/objects"
EMPLOYER = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}


def test_a_record_is_created_with_text_for_every_value(ask):
    answer = ask.post(f"{OBJECTS}/deals", {"properties": {"dealname": "Big", "amount": 1500.5, "closedate": 0}})
    assert answer.status_code == 201
    record = Record.objects.get()
    assert answer.json()["id"] == str(record.pk)
    properties = answer.json()["properties"]
    assert (properties["dealname"], properties["amount"]) == ("Big", "1500.5")
    assert properties["closedate"] == "1970-01-01T00:00:00.000Z"
    assert properties["createdate"] == answer.json()["createdAt"] and properties["createdate"].endswith("Z")
    assert {"hs_object_id", "hs_lastmodifieddate"} <= properties.keys()


def test_a_change_through_the_api_names_the_token(ask):
    ask.post(f"{OBJECTS}/contacts", {"properties": {"email": "ada@example.com"}})
    [change_set] = ChangeSet.objects.all()
    assert (change_set.source, change_set.source_id) == ("api", ApiToken.objects.get().pk)


def test_a_record_is_created_with_its_associations(ask):
    company = make_record("company", name="Alder")
    answer = ask.post(
        f"{OBJECTS}/contacts",
        {
            "properties": {"email": "ada@example.com"},
            "associations": [{"to": {"id": company.pk}, "types": [EMPLOYER]}],
        },
    )
    assert answer.status_code == 201
    contact = Record.objects.get(pk=answer.json()["id"])
    assert words(contact, company) == {"unlabeled", "Primary"}


def test_a_record_whose_association_is_refused_is_not_created(ask):
    for association in (
        {"to": {"id": "999"}, "types": [EMPLOYER]},
        {"to": {"id": make_record("contact").pk}, "types": [EMPLOYER]},
        {"to": {"id": make_record("company").pk}, "types": [EMPLOYER | {"associationTypeId": 280}]},
        {"to": {"id": make_record("company").pk}, "types": [EMPLOYER | {"associationCategory": "USER_DEFINED"}]},
        {"to": {"id": make_record("company").pk}, "types": []},
    ):
        body = {"properties": {"email": "ada@example.com"}, "associations": [association]}
        answer = ask.post(f"{OBJECTS}/contacts", body)
        assert 400 <= answer.status_code < 500, answer.json()
        assert answer.json()["message"]
    assert not Record.objects.filter(properties__email="ada@example.com").exists()


@pytest.mark.parametrize("word", ["contact", "contacts", "0-1", "Contacts", "CONTACT"])
def test_an_object_type_is_known_by_many_names(ask, word):
    make_records("contact", 1)
    assert len(ask.get(f"{OBJECTS}/{word}").json()["results"]) == 1


def test_a_type_of_ones_own_too(ask):
    pet = make_object_type("pet")
    make_records("pet", 1)
    for word in ("pet", "pets", pet.type_id, "p1_pet"):
        assert len(ask.get(f"{OBJECTS}/{word}").json()["results"]) == 1
    answer = ask.get(f"{OBJECTS}/unicorns")
    assert answer.status_code == 400 and answer.json()["message"] == "Unable to infer object type from: unicorns"


@pytest.mark.parametrize("word", ["calls", "line_items", "taxes", "Tasks"])
def test_what_only_hubspot_has_is_forbidden_as_programs_expect_that_read_all_they_may(ask, word):
    for path in (OBJECTS, "/crm/v3/properties"):
        answer = ask.get(f"{path}/{word}")
        assert answer.status_code == 403 and answer.json()["category"] == "MISSING_SCOPES"


def test_values_that_cannot_be_are_told_one_by_one(ask):
    answer = ask.post(f"{OBJECTS}/contacts", {"properties": {"email": "ada", "nickname": "A"}})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith('Property values were not valid: [{"isValid": false')
    assert {each["code"] for each in answer.json()["errors"]} == {"INVALID_EMAIL", "PROPERTY_DOESNT_EXIST"}
    answer = ask.post(f"{OBJECTS}/contacts", {"properties": {"hs_object_id": "1"}})
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == "READ_ONLY_VALUE"


def test_a_value_that_is_taken_names_who_has_it(ask):
    contact = make_record("contact", email="ada@example.com")
    answer = ask.post(f"{OBJECTS}/contacts", {"properties": {"email": "ADA@example.com"}})
    assert answer.status_code == 409 and answer.json()["category"] == "CONFLICT"
    assert answer.json()["message"] == f"Contact already exists. Existing ID: {contact.pk}"


def test_a_record_is_read_by_id_and_by_a_unique_value(ask):
    contact = make_record("contact", email="ada@example.com", city="Boston")
    answer = ask.get(f"{OBJECTS}/contacts/{contact.pk}").json()
    assert (answer["id"], answer["archived"]) == (str(contact.pk), False)
    assert answer["properties"]["email"] == "ada@example.com" and answer["properties"]["lastname"] is None
    assert "associations" not in answer and "city" not in answer["properties"]
    found = ask.get(f"{OBJECTS}/contacts/ada@example.com", idProperty="email", properties="city,unknown").json()
    assert found["id"] == str(contact.pk) and found["properties"]["city"] == "Boston"
    assert "unknown" not in found["properties"] and "email" not in found["properties"]
    assert ask.get(f"{OBJECTS}/contacts/Boston", idProperty="city").status_code == 400


def test_what_there_is_not_is_404(ask):
    company, archived = make_record("company"), make_record("contact")
    ask.delete(f"{OBJECTS}/contacts/{archived.pk}")
    for id_ in (999, company.pk, archived.pk, "abc", "9" * 40):
        for answer in (
            ask.get(f"{OBJECTS}/contacts/{id_}"),
            ask.patch(f"{OBJECTS}/contacts/{id_}", {"properties": {}}),
        ):
            assert answer.status_code == 404 and answer.json()["category"] == "OBJECT_NOT_FOUND"
    assert ask.delete(f"{OBJECTS}/contacts/{company.pk}").status_code == 404


def test_a_record_is_changed(ask):
    contact = make_record("contact", email="ada@example.com", city="Boston")
    answer = ask.patch(f"{OBJECTS}/contacts/{contact.pk}", {"properties": {"city": "", "firstname": "Ada"}})
    assert answer.status_code == 200
    assert answer.json()["properties"]["firstname"] == "Ada" and answer.json()["properties"]["city"] is None
    answer = ask.patch(f"{OBJECTS}/contacts/ada@example.com?idProperty=email", {"properties": {"city": "Berlin"}})
    assert answer.status_code == 200
    contact.refresh_from_db()
    assert contact.properties == {"email": "ada@example.com", "firstname": "Ada", "city": "Berlin"}


def test_an_archived_record_is_among_the_archived_ones(ask):
    contact = make_record("contact")
    assert ask.delete(f"{OBJECTS}/contacts/{contact.pk}").status_code == 204
    assert ask.delete(f"{OBJECTS}/contacts/{contact.pk}").status_code == 204
    assert ask.get(f"{OBJECTS}/contacts").json() == {"results": []}
    [found] = ask.get(f"{OBJECTS}/contacts", archived="true").json()["results"]
    assert found["archived"] is True and found["archivedAt"]
    assert ask.get(f"{OBJECTS}/contacts/{contact.pk}", archived="true").status_code == 200


def test_lists_come_in_pages(ask):
    ids = [str(each.pk) for each in make_records("contact", 12)]
    page = ask.get(f"{OBJECTS}/contacts", properties=["city", "email"]).json()
    assert [each["id"] for each in page["results"]] == ids[:10]
    rest = ask.get(page["paging"]["next"]["link"]).json()
    assert [each["id"] for each in rest["results"]] == ids[10:] and "paging" not in rest
    assert ask.get(f"{OBJECTS}/contacts", limit=101).status_code == 400
    assert ask.get(f"{OBJECTS}/contacts", limit=51, propertiesWithHistory="city").status_code == 400


def test_associations_stand_beside_a_record(ask):
    contact, alder, beech = make_record("contact"), make_record("company"), make_record("company")
    associate(contact, alder)
    associate(contact, beech, make_label("contact", "company", "Adviser"))
    answer = ask.get(f"{OBJECTS}/contacts/{contact.pk}", associations="companies,deals").json()
    found = [(each["id"], each["type"]) for each in answer["associations"]["companies"]["results"]]
    assert sorted(found) == [
        (str(alder.pk), "contact_to_company"),
        (str(alder.pk), "contact_to_company_unlabeled"),
        (str(beech.pk), "adviser"),
        (str(beech.pk), "contact_to_company_unlabeled"),
    ]
    assert "deals" not in answer["associations"]
    assert primary("contact", "company").type_id == 1


def test_history_goes_back_to_the_first_value(ask):
    contact = make_record("contact", city="Boston")
    change(contact, city="Berlin")
    ask.patch(f"{OBJECTS}/contacts/{contact.pk}", {"properties": {"city": "Bern"}})
    answer = ask.get(f"{OBJECTS}/contacts/{contact.pk}", propertiesWithHistory="city").json()
    history = answer["propertiesWithHistory"]["city"]
    assert [each["value"] for each in history] == ["Bern", "Berlin", "Boston"]
    assert [each["sourceType"] for each in history] == ["INTEGRATION", "INTERNAL_PROCESSING", "INTERNAL_PROCESSING"]


def test_two_records_are_merged_and_the_old_id_leads_to_the_survivor(ask):
    first, second = make_record("contact", email="ada@example.com"), make_record("contact", city="Boston")
    body = {"primaryObjectId": first.pk, "objectIdToMerge": str(second.pk)}
    answer = ask.post(f"{OBJECTS}/contacts/merge", body)
    assert answer.status_code == 200 and answer.json()["id"] == str(first.pk)
    assert ask.get(f"{OBJECTS}/contacts/{second.pk}").json()["id"] == str(first.pk)
    assert ask.post(f"{OBJECTS}/contacts/merge", body).status_code == 404


def test_a_record_is_deleted_for_good(ask):
    contact = make_record("contact", email="ada@example.com")
    body = {"objectId": "ada@example.com", "idProperty": "email"}
    assert ask.post(f"{OBJECTS}/contacts/gdpr-delete", body).status_code == 204
    assert not Record.objects.filter(pk=contact.pk).exists()
    assert ask.post(f"{OBJECTS}/contacts/gdpr-delete", {"objectId": contact.pk}).status_code == 404


def test_dated_addresses_lead_to_the_same(ask):
    contact = make_record("contact")
    for version in ("2025-09", "2026-03", "2026-09-beta"):
        assert ask.get(f"/crm/objects/{version}/contacts/{contact.pk}").json()["id"] == str(contact.pk)
    assert ask.get("/crm/objects/yesterday/contacts").status_code == 404


def test_scopes_are_those_of_the_object_type(ask):
    reader = Asking.with_token("crm.objects.contacts.read")
    assert reader.get(f"{OBJECTS}/contacts").status_code == 200
    assert reader.post(f"{OBJECTS}/contacts/search", {}).status_code == 200
    assert reader.post(f"{OBJECTS}/contacts", {"properties": {}}).status_code == 403
    assert reader.get(f"{OBJECTS}/companies").status_code == 403
    make_object_type("pet")
    assert Asking.with_token("crm.objects.custom.read").get(f"{OBJECTS}/pets").status_code == 200
    assert Asking.with_token("tickets").post(f"{OBJECTS}/tickets", {"properties": {}}).status_code == 201


def test_scopes_stay_what_they_are_when_people_call_the_records_something_else(ask):
    contacts = object_type("contact")
    schema.update_object_type(contacts, label="Person", plural_label="People", description="")
    reader = Asking.with_token("crm.objects.contacts.read")
    assert reader.get(f"{OBJECTS}/people").status_code == reader.get(f"{OBJECTS}/contacts").status_code == 200
    company = make_record("company")
    associate(make_record("contact"), company)
    shown = ask.get(f"{OBJECTS}/companies/{company.pk}", associations="people").json()
    assert list(shown["associations"]) == ["contacts"]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_single_create_is_a_handful_of_messages(ask, django_assert_num_queries):
    """The token; the object type; what its records must be like, with the new one's id; all that is written: each one
    message on PostgreSQL, where SQLite takes three and four for the last two; and the transaction's begin and end."""
    ask.post(f"{OBJECTS}/contacts", {"properties": {"email": "first@example.com"}})
    with django_assert_num_queries(2 + (4 if is_postgresql() else 9)):
        ask.post(f"{OBJECTS}/contacts", {"properties": {"email": "ada@example.com"}})
    assert object_type("contact").records.count() == 2


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_single_update_is_one_message_more_for_what_the_record_was_like(ask, django_assert_num_queries):
    ask.post(f"{OBJECTS}/contacts", {"properties": {"email": "first@example.com"}})
    ada = make_record("contact", email="ada@example.com")
    with django_assert_num_queries(2 + (5 if is_postgresql() else 11)):
        ask.patch(f"{OBJECTS}/contacts/{ada.pk}", {"properties": {"email": "ada@example.org"}})
    ada.refresh_from_db()
    assert ada.properties["email"] == "ada@example.org"
