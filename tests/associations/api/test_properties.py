"""The properties API: definitions as HubSpot's clients send them, and what comes back."""

import pytest

from associations import querysets
from associations.models import Property
from tests.asking import Asking
from tests.factories import make_object_type, make_record, object_type

pytestmark = pytest.mark.django_db
CONTACTS = "/crm/v3/properties/contacts"


def hobby(**more: object) -> dict:
    kind = {"type": "string", "fieldType": "text", "groupName": "contactinformation"}
    return {"name": "hobby", "label": "Hobby", **kind, **more}


def test_properties_are_listed_with_those_of_the_system(ask):
    results = {each["name"]: each for each in ask.get(CONTACTS).json()["results"]}
    assert {"email", "hs_object_id", "createdate", "lastmodifieddate"} <= results.keys()
    assert results["email"]["hasUniqueValue"] and results["email"]["hubspotDefined"]
    assert results["createdate"]["modificationMetadata"]["readOnlyValue"] is True
    assert ask.get(CONTACTS, archived="true").json() == {"results": []}
    assert ask.get(f"{CONTACTS}/hs_object_id").json()["type"] == "number"


def test_a_property_comes_back_as_it_was_defined(ask):
    body = hobby(description="What for", hidden=True, formField=False, displayOrder=3, textDisplayHint="multi_line")
    answer = ask.post(CONTACTS, body)
    assert answer.status_code == 201
    assert answer.json().items() >= body.items()
    assert ask.get(f"{CONTACTS}/hobby").json() == answer.json()
    make_record("contact", hobby="Chess")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (("enumeration", "booleancheckbox"), "bool"),
        (("bool", "booleancheckbox"), "bool"),
        (("phone_number", "phonenumber"), "string"),
        (("string", "file"), "string"),
        (("string", "html"), "string"),
        (("datetime", "date"), "datetime"),
        (("number", "number"), "number"),
        (("enumeration", "checkbox"), "enumeration"),
    ],
)
def test_kinds_of_properties(ask, given, kept):
    options = [{"label": "Yes", "value": "true"}] if given[0] in ("enumeration", "bool") else []
    answer = ask.post(CONTACTS, hobby(type=given[0], fieldType=given[1], options=options))
    assert answer.status_code == 201, answer.json()
    assert (answer.json()["type"], answer.json()["fieldType"]) == given
    assert [each["label"] for each in answer.json()["options"]] == ["Yes"] * len(options)
    assert Property.objects.get(name="hobby").type == kept


def test_a_name_that_is_taken_is_a_conflict(ask):
    answer = ask.post(CONTACTS, hobby(name="email"))
    assert answer.status_code == 409 and answer.json()["message"] == "Property named 'email' already exists."
    assert ask.post(CONTACTS, hobby(name="hs_object_id")).status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Hobby!"},
        {"label": ""},
        {"type": "color"},
        {"fieldType": "checkbox"},
        {"fieldType": "calculation_equation"},
        {"groupName": "nowhere"},
        {
            "options": [{"label": "A", "value": "a"}],
            "type": "enumeration",
            "fieldType": "select",
            "hasUniqueValue": True,
        },
        {"type": "enumeration", "fieldType": "select", "options": [{"label": "A", "value": "a;b"}]},
        {"displayOrder": 2**40},
        {"label": "x" * 1_000_000},
    ],
)
def test_a_property_that_cannot_be_is_refused(ask, wrong):
    answer = ask.post(CONTACTS, hobby(**wrong))
    assert answer.status_code == 400 and answer.json()["category"] == "VALIDATION_ERROR"
    assert not Property.objects.filter(name__startswith="hobby").exists()


def test_a_property_is_changed_and_its_type_stays(ask):
    options = [{"label": "A", "value": "a"}]
    ask.post(CONTACTS, hobby(type="enumeration", fieldType="select", options=options))
    change = {"label": "Hobbies", "fieldType": "radio", "options": [*options, {"label": "B", "value": "b"}]}
    answer = ask.patch(f"{CONTACTS}/hobby", change)
    assert answer.status_code == 200
    assert (answer.json()["label"], answer.json()["fieldType"]) == ("Hobbies", "radio")
    assert [each["value"] for each in answer.json()["options"]] == ["a", "b"]
    assert ask.patch(f"{CONTACTS}/hobby", {"type": "number"}).status_code == 400
    assert ask.patch(f"{CONTACTS}/unknown", {"label": "X"}).status_code == 404
    assert ask.patch(f"{CONTACTS}/createdate", {"label": "X"}).status_code == 400


def test_a_property_is_deleted_when_no_record_has_it(ask):
    ask.post(CONTACTS, hobby())
    make_record("contact", hobby="Chess")
    assert ask.delete(f"{CONTACTS}/hobby").status_code == 400
    assert ask.delete(f"{CONTACTS}/email").status_code == 400
    ask.post(CONTACTS, hobby(name="other"))
    assert ask.delete(f"{CONTACTS}/other").status_code == 204
    assert ask.delete(f"{CONTACTS}/other").status_code == 404


def test_batches_of_properties(ask):
    answer = ask.post(f"{CONTACTS}/batch/create", {"inputs": [hobby(), hobby(name="other")]})
    assert answer.status_code == 201 and len(answer.json()["results"]) == 2
    answer = ask.post(f"{CONTACTS}/batch/create", {"inputs": [hobby(name="third"), hobby()]})
    assert answer.status_code == 409 and not Property.objects.filter(name="third").exists()
    names = [{"name": name} for name in ("hobby", "createdate", "unknown")]
    answer = ask.post(f"{CONTACTS}/batch/read", {"inputs": names, "archived": False})
    assert answer.status_code == 207 and len(answer.json()["results"]) == 2
    assert answer.json()["errors"][0]["context"]["name"] == ["unknown"]
    assert ask.post(f"{CONTACTS}/batch/archive", {"inputs": [names[0], names[2]]}).status_code == 204
    assert not Property.objects.filter(name="hobby").exists()


def test_groups(ask):
    answer = ask.post(f"{CONTACTS}/groups", {"name": "mine", "label": "Mine", "displayOrder": 2})
    assert answer.status_code == 201
    assert answer.json() == {"name": "mine", "label": "Mine", "displayOrder": 2, "archived": False}
    assert ask.post(f"{CONTACTS}/groups", {"name": "mine", "label": "Mine"}).status_code == 409
    assert ask.post(f"{CONTACTS}/groups", {"name": "M!", "label": "Mine"}).status_code == 400
    assert ask.patch(f"{CONTACTS}/groups/mine", {"label": "Ours"}).json()["label"] == "Ours"
    assert [each["name"] for each in ask.get(f"{CONTACTS}/groups").json()["results"]] == ["contactinformation", "mine"]
    ask.post(CONTACTS, hobby(groupName="mine"))
    assert ask.delete(f"{CONTACTS}/groups/mine").status_code == 400
    ask.patch(f"{CONTACTS}/hobby", {"groupName": "contactinformation"})
    assert ask.delete(f"{CONTACTS}/groups/mine").status_code == 204
    assert ask.get(f"{CONTACTS}/groups/mine").status_code == 404
    assert ask.delete(f"{CONTACTS}/groups/contactinformation").status_code == 400


def test_reading_definitions_takes_a_scope_of_them_or_of_the_records():
    for scope, may_write in (("crm.objects.contacts.read", 403), ("crm.schemas.contacts.read", 403)):
        asking = Asking.with_token(scope)
        assert asking.get(CONTACTS).status_code == 200
        assert asking.post(CONTACTS, hobby()).status_code == may_write
    assert Asking.with_token("crm.schemas.contacts.write").post(CONTACTS, hobby()).status_code == 201


# Schemas ----------------------------------------------------------------------------------------

SCHEMAS = "/crm-object-schemas/v3/schemas"
PET = {
    "name": "pet",
    "labels": {"singular": "Pet", "plural": "Pets"},
    "primaryDisplayProperty": "pet_name",
    "requiredProperties": ["pet_name"],
    "searchableProperties": ["chip"],
    "properties": [
        {"name": "pet_name", "label": "Name", "type": "string", "fieldType": "text"},
        {"name": "chip", "label": "Chip", "type": "string", "fieldType": "text", "hasUniqueValue": True},
    ],
    "associatedObjects": ["CONTACT", "0-2"],
}


def test_an_object_type_is_made_with_its_properties(ask):
    answer = ask.post(SCHEMAS, PET)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["id"], made["objectTypeId"], made["fullyQualifiedName"]) == ("2-1", "2-1", "p1_pet")
    assert [each["name"] for each in made["properties"]][:2] == ["pet_name", "chip"]
    pairs = {(each["fromObjectTypeId"], each["toObjectTypeId"]) for each in made["associations"]}
    assert {("2-1", "0-1"), ("0-1", "2-1"), ("2-1", "2-1")} <= pairs
    assert [each["id"] for each in ask.get(SCHEMAS).json()["results"]] == ["2-1"]
    for word in ("pet", "2-1", "p1_pet"):
        assert ask.get(f"/crm/v3/schemas/{word}").json()["name"] == "pet"
    answer = ask.post("/crm/v3/objects/pets", {"properties": {"chip": "1"}})
    assert answer.status_code == 400 and "required" in answer.json()["message"]
    ask.post("/crm/v3/objects/p1_pet", {"properties": {"pet_name": "Rex", "chip": "A17"}})
    assert ask.post("/crm/v3/objects/2-1/search", {"query": "a17"}).json()["total"] == 1


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"name": "contact"}, 409),
        ({"name": "9lives"}, 400),
        ({"properties": []}, 400),
        ({"requiredProperties": ["colour"]}, 400),
        ({"associatedObjects": ["UNICORN"]}, 400),
        ({"properties": [{"name": "pet_name", "label": "", "type": "string", "fieldType": "text"}]}, 400),
        ({"labels": {"singular": "x" * 200}}, 400),
    ],
)
def test_an_object_type_that_cannot_be_is_refused_whole(ask, wrong, status):
    answer = ask.post(SCHEMAS, PET | wrong)
    assert answer.status_code == status, answer.json()
    assert ask.get(SCHEMAS).json() == {"results": []}


def test_an_object_type_is_changed(ask):
    ask.post(SCHEMAS, PET)
    ask.post("/crm/v3/objects/pets", {"properties": {"pet_name": "Rex", "chip": "A17"}})
    body = {"labels": {"singular": "Animal"}, "primaryDisplayProperty": "chip", "requiredProperties": []}
    answer = ask.patch(f"{SCHEMAS}/pet", body)
    assert [str(each) for each in querysets.records_known_as(object_type("pet"), "a17")] == ["A17"]
    assert answer.status_code == 200 and "properties" not in answer.json()
    assert answer.json()["labels"] == {"singular": "Animal", "plural": "Pets"}
    assert answer.json()["primaryDisplayProperty"] == "chip" and answer.json()["requiredProperties"] == []
    assert ask.patch(f"{SCHEMAS}/pet", {"primaryDisplayProperty": "colour"}).status_code == 400
    assert ask.patch(f"{SCHEMAS}/unicorn", {}).status_code == 404


def test_an_object_type_goes_when_its_records_are_gone(ask):
    ask.post(SCHEMAS, PET)
    pet = ask.post("/crm/v3/objects/pets", {"properties": {"pet_name": "Rex"}}).json()
    assert ask.delete(f"{SCHEMAS}/pet").status_code == 400
    ask.delete(f"/crm/v3/objects/pets/{pet['id']}")
    assert ask.delete(f"{SCHEMAS}/pet").status_code == 204
    assert ask.get(f"{SCHEMAS}/pet").status_code == 404
    assert ask.delete(f"{SCHEMAS}/contacts").status_code == 400


def test_association_definitions_of_an_object_type(ask):
    ask.post(SCHEMAS, PET)
    egg = {"fromObjectTypeId": "2-1", "toObjectTypeId": "contact"}
    every = ask.post(f"{SCHEMAS}/pet/associations", egg)
    assert every.status_code == 201 and every.json()["toObjectTypeId"] == "0-1"
    named = ask.post(f"{SCHEMAS}/pet/associations", egg | {"name": "pet_to_owner"})
    assert named.status_code == 201 and named.json()["name"] == "pet_to_owner"
    assert ask.post(f"{SCHEMAS}/pet/associations", egg | {"name": "pet_to_owner"}).json() == named.json()
    assert ask.delete(f"{SCHEMAS}/pet/associations/{named.json()['id']}").status_code == 204
    assert ask.delete(f"{SCHEMAS}/pet/associations/{named.json()['id']}").status_code == 404
    assert ask.delete(f"{SCHEMAS}/pet/associations/{every.json()['id']}").status_code == 400


def test_object_types_are_read_in_a_batch(ask):
    make_object_type("pet")
    answer = ask.post(f"{SCHEMAS}/batch/read", {"inputs": ["pet", "0-1"]})
    assert [each["fullyQualifiedName"] for each in answer.json()["results"]] == ["p1_pet", "CONTACT"]
    assert object_type("pet").type_id == "2-1"
