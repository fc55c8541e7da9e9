"""Bad input, endpoint by endpoint: a 4xx with the right category that says what to change, and nothing is saved."""

from __future__ import annotations

import json

import pytest

from associations.models import Association, AssociationType, ChangeSet, ObjectType, Property, PropertyGroup, Record
from tests.factories import make_record

pytestmark = pytest.mark.django_db

OBJECTS, V4 = "/crm/v3/objects/contacts", "/crm/v4/associations/contacts/companies"
WRITES: dict[str, dict] = {
    f"{OBJECTS}": {"properties": {"firstname": "TEXT"}},
    f"{OBJECTS}/batch/create": {"inputs": [{"properties": {"firstname": "TEXT"}}]},
    f"{OBJECTS}/batch/update": {"inputs": [{"id": "TEXT", "properties": {"firstname": "TEXT"}}]},
    f"{OBJECTS}/batch/upsert": {"inputs": [{"id": "TEXT", "idProperty": "email", "properties": {}}]},
    f"{OBJECTS}/batch/archive": {"inputs": [{"id": "TEXT"}]},
    f"{OBJECTS}/merge": {"primaryObjectId": "TEXT", "objectIdToMerge": "TEXT"},
    f"{OBJECTS}/gdpr-delete": {"objectId": "TEXT"},
    f"{OBJECTS}/search": {"filterGroups": [{"filters": [{"propertyName": "TEXT", "operator": "EQ", "value": "TEXT"}]}]},
    "/crm/v3/properties/contacts": {
        "name": "TEXT",
        "label": "TEXT",
        "groupName": "TEXT",
        "type": "string",
        "fieldType": "text",
    },
    "/crm/v3/properties/contacts/groups": {"name": "TEXT", "label": "TEXT"},
    "/crm-object-schemas/v3/schemas": {
        "name": "TEXT",
        "labels": {"singular": "TEXT", "plural": "TEXT"},
        "properties": [{"name": "TEXT", "label": "TEXT", "type": "string", "fieldType": "text"}],
        "requiredProperties": [],
    },
    f"{V4}/batch/create": {
        "inputs": [
            {
                "from": {"id": "TEXT"},
                "to": {"id": "TEXT"},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}],
            }
        ]
    },
    f"{V4}/batch/associate/default": {"inputs": [{"from": {"id": "TEXT"}, "to": {"id": "TEXT"}}]},
    f"{V4}/batch/archive": {"inputs": [{"from": {"id": "TEXT"}, "to": [{"id": "TEXT"}]}]},
    f"{V4}/labels": {"label": "TEXT", "name": "TEXT"},
}
TEXTS = {"NUL": "\\u0000", "surrogate": "\\ud800", "megabyte": "x" * 1_000_000}


def everything() -> list[int]:
    models = (Record, Association, AssociationType, Property, PropertyGroup, ObjectType, ChangeSet)
    return [model._default_manager.count() for model in models]


def refused(answer, statuses=(400,)) -> None:
    body = answer.json()
    assert answer.status_code in statuses, body
    assert body["status"] == "error" and body["category"] in ("VALIDATION_ERROR", "OBJECT_NOT_FOUND")
    assert 0 < len(body["message"]) < 3_000 and body["correlationId"]


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("path", WRITES)
def test_text_that_cannot_be_kept(ask, path, what):
    before = everything()
    body = json.dumps(WRITES[path]).replace("TEXT", TEXTS[what])
    answer = ask.raw(path, body.encode())
    if what == "megabyte" and path.endswith(("/search", "/gdpr-delete")):
        assert answer.status_code in (200, 400, 404)
    else:
        refused(answer)
    assert everything() == before


@pytest.mark.parametrize("path", WRITES)
def test_bodies_of_another_shape(ask, path):
    before = everything()
    member = next(iter(WRITES[path]))
    for value in (b"", b"{", b"[]", b'"text"', b"null", b"1", b"[" * 200 + b"]" * 200):
        refused(ask.raw(path, value))
    wrong: object
    for wrong in (None, 1, True, [[]], {"a": {"b": {}}}, [None], [1]):
        answer = ask.post(path, WRITES[path] | {member: wrong})
        if not path.endswith("/search"):
            refused(answer, (400, 404))
    assert everything() == before


@pytest.mark.parametrize("path", [path for path in WRITES if "/batch/" in path])
def test_more_inputs_than_a_batch_may_have(ask, path):
    [one] = WRITES[path]["inputs"]
    refused(ask.post(path, {"inputs": [one] * 2_001}))


def test_ids_of_another_object_type(ask):
    contact, company = make_record("contact"), make_record("company")
    before = everything()
    refused(ask.post(f"{OBJECTS}/batch/update", {"inputs": [{"id": company.pk, "properties": {}}]}), (404,))
    refused(ask.patch(f"{OBJECTS}/{company.pk}", {"properties": {"city": "Bern"}}), (404,))
    refused(ask.post(f"{OBJECTS}/merge", {"primaryObjectId": contact.pk, "objectIdToMerge": company.pk}), (404,))
    refused(ask.put(f"/crm/v4/objects/contacts/{company.pk}/associations/default/companies/{contact.pk}"))
    refused(ask.put("/crm/v4/objects/contacts/abc/associations/default/companies/1"), (404,))
    refused(ask.put(f"/crm/v4/objects/contacts/{'9' * 40}/associations/default/companies/1"), (404,))
    assert everything() == before


def test_a_body_that_is_too_large(ask):
    answer = ask.raw(OBJECTS, b" " * (33 * 2**20))
    assert answer.status_code == 413 and answer.json()["category"] == "PAYLOAD_TOO_LARGE"
