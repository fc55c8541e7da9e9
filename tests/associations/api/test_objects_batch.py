"""Batches: all or none, unless each input has a trace id; and as many queries for a hundred as for one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import Association, Record
from tests.factories import make_object_type, make_property, make_record, make_records

pytestmark = pytest.mark.django_db
CONTACTS = "/crm/v3/objects/contacts/batch"


def contact(number: int, **more: object) -> dict:
    return {"properties": {"email": f"contact{number}@example.com", "firstname": f"C{number}"}, **more}


def test_a_batch_is_created(ask):
    answer = ask.post(f"{CONTACTS}/create", {"inputs": [contact(1), contact(2)]})
    assert answer.status_code == 201 and answer.json()["status"] == "COMPLETE"
    assert {"startedAt", "completedAt"} <= answer.json().keys() and "errors" not in answer.json()
    assert [each["properties"]["firstname"] for each in answer.json()["results"]] == ["C1", "C2"]


def test_one_bad_input_fails_the_batch(ask):
    make_record("contact", email="contact3@example.com")
    for bad, status in (({"properties": {"email": "x"}}, 400), (contact(3), 409), (contact(1), 409)):
        answer = ask.post(f"{CONTACTS}/create", {"inputs": [contact(1), bad]})
        assert answer.status_code == status
    assert Record.objects.count() == 1


def test_with_trace_ids_the_good_ones_are_kept(ask):
    make_record("contact", email="contact3@example.com")
    inputs = [
        contact(1, objectWriteTraceId="a"),
        {"properties": {"email": "x"}, "objectWriteTraceId": "b"},
        contact(3, objectWriteTraceId="c"),
        contact(4, objectWriteTraceId="d"),
    ]
    answer = ask.post(f"{CONTACTS}/create", {"inputs": inputs})
    assert answer.status_code == 207 and answer.json()["numErrors"] == 2
    assert [each["objectWriteTraceId"] for each in answer.json()["results"]] == ["a", "d"]
    told = {each["context"]["objectWriteTraceId"][0]: each["category"] for each in answer.json()["errors"]}
    assert told == {"b": "VALIDATION_ERROR", "c": "CONFLICT"}


def test_reading_tells_what_is_missing(ask):
    first, second = make_record("contact", email="ada@example.com"), make_record("contact")
    inputs = [{"id": str(second.pk)}, {"id": first.pk}, {"id": "999"}, {"id": "x"}, {"id": first.pk}]
    answer = ask.post(f"{CONTACTS}/read", {"inputs": inputs, "properties": ["email"]})
    assert answer.status_code == 207 and answer.json()["numErrors"] == 1
    assert [each["id"] for each in answer.json()["results"]] == [str(second.pk), str(first.pk)]
    [error] = answer.json()["errors"]
    assert error["category"] == "OBJECT_NOT_FOUND" and error["context"]["ids"] == ["999", "x"]
    body = {"inputs": [{"id": "ADA@example.com"}], "idProperty": "email", "propertiesWithHistory": ["email"]}
    answer = ask.post(f"{CONTACTS}/read", body)
    assert answer.status_code == 200
    assert answer.json()["results"][0]["propertiesWithHistory"]["email"][0]["value"] == "ada@example.com"


def test_records_are_changed_by_id_and_by_a_unique_value(ask):
    first, second = make_record("contact", email="ada@example.com"), make_record("contact")
    inputs = [
        {"id": "ada@example.com", "idProperty": "email", "properties": {"city": "Bern"}},
        {"id": second.pk, "properties": {"city": "Bonn"}},
    ]
    answer = ask.post(f"{CONTACTS}/update", {"inputs": inputs})
    assert answer.status_code == 200
    assert [each["id"] for each in answer.json()["results"]] == [str(first.pk), str(second.pk)]
    assert sorted(Record.objects.values_list("properties__city", flat=True)) == ["Bern", "Bonn"]


def test_a_change_of_a_record_that_there_is_not_changes_none(ask):
    first = make_record("contact")
    inputs: list[dict] = [{"id": first.pk, "properties": {"city": "Bern"}}, {"id": "999", "properties": {}}]
    answer = ask.post(f"{CONTACTS}/update", {"inputs": inputs})
    assert answer.status_code == 404 and answer.json()["category"] == "OBJECT_NOT_FOUND"
    traced = [dict(each, objectWriteTraceId=str(index)) for index, each in enumerate(inputs)]
    answer = ask.post(f"{CONTACTS}/update", {"inputs": traced})
    assert answer.status_code == 207 and len(answer.json()["results"]) == 1
    twice = [{"id": first.pk, "properties": {}}] * 2
    assert ask.post(f"{CONTACTS}/update", {"inputs": twice}).status_code == 400


def test_upsert_twice_is_the_same_as_once(ask):
    make_record("contact", email="ada@example.com")
    inputs = [
        {"idProperty": "email", "id": "ada@example.com", "properties": {"city": "Bern"}},
        {"idProperty": "email", "id": "bob@example.com", "properties": {"city": "Bonn"}},
    ]
    first = ask.post(f"{CONTACTS}/upsert", {"inputs": inputs})
    assert first.status_code == 200 and [each["new"] for each in first.json()["results"]] == [False, True]
    again = ask.post(f"{CONTACTS}/upsert", {"inputs": inputs})
    assert [each["new"] for each in again.json()["results"]] == [False, False]
    assert [each["id"] for each in again.json()["results"]] == [each["id"] for each in first.json()["results"]]
    assert Record.objects.count() == 2
    assert ask.post(f"{CONTACTS}/upsert", {"inputs": [inputs[0] | {"idProperty": "city"}]}).status_code == 400


def test_records_are_archived_and_others_passed_over(ask):
    first, second = make_records("contact", 2)
    company = make_record("company")
    inputs = [{"id": first.pk}, {"id": company.pk}, {"id": "999"}]
    assert ask.post(f"{CONTACTS}/archive", {"inputs": inputs}).status_code == 204
    assert list(Record.objects.filter(archived_at=None)) == [second, company]


def test_a_hundred_is_the_most(ask):
    for name in ("read", "create", "update", "upsert", "archive"):
        answer = ask.post(f"{CONTACTS}/{name}", {"inputs": [{"id": "1", "properties": {}}] * 101})
        assert answer.status_code == 400 and "maximum number of inputs" in answer.json()["message"]
    assert Record.objects.count() == 0


def test_a_value_that_is_required_has_to_be_there(ask):
    pet = make_object_type("pet")
    make_property("pet", "chip")
    pet.required_properties = ["chip"]
    pet.save()
    answer = ask.post("/crm/v3/objects/pets", {"properties": {"name": "Rex"}})
    assert answer.status_code == 400 and "required" in answer.json()["message"]
    assert ask.post("/crm/v3/objects/pets", {"properties": {"name": "Rex", "chip": "1"}}).status_code == 201


def test_queries_do_not_grow_with_the_batch(ask):
    company = make_record("company")
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}
    block = [{"to": {"id": company.pk}, "types": [spec]}]

    def queries(path: str, inputs: list) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert ask.post(f"{CONTACTS}/{path}", {"inputs": inputs}).status_code < 300
        return len(captured)

    queries("create", [contact(0)])
    few = queries("create", [contact(number, associations=block) for number in range(1, 3)])
    many = queries("create", [contact(number, associations=block) for number in range(3, 103)])
    # SQLite takes 999 values in a statement, and a staged pair is told one by one.
    assert many - few <= 6, (few, many)
    assert Association.objects.filter(target=company).count() == 204
    ids = [{"id": id_} for id_ in Record.objects.filter(object_type__name="contact").values_list("pk", flat=True)]
    assert queries("read", ids[:2]) == queries("read", ids[:100])
