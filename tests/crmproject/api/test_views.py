"""What all API views have in common: who may, how errors look, what a body may be, pages."""

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from tests.asking import Asking

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.crmproject.api.probe")]


def test_every_answer_has_a_correlation_id(ask):
    answer = ask.get("/crm/probe")
    assert uuid.UUID(answer["X-HubSpot-Correlation-Id"])
    assert ask.get("/crm/probe")["X-HubSpot-Correlation-Id"] != answer["X-HubSpot-Correlation-Id"]
    refused = ask.post("/crm/probe", {"id": []})
    assert refused.json()["correlationId"] == refused["X-HubSpot-Correlation-Id"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "a request body was expected, but none found"),
        (b"{", "Invalid input JSON on line 1, column 2"),
        (b"[]", "should be a valid dictionary"),
        (b'"text"', "should be a valid dictionary"),
        (b"{}", "at id: Field required"),
        (b'{"id": ["1"]}', "at id: Input should be a valid string"),
        (b'{"id": "1", "properties": {"city": []}}', "at properties.city: should be text"),
        (b'{"id": NaN}', "NaN is no JSON"),
        (b'{"id": "\\u0000"}', "NUL"),
        (b'{"id": "\\ud800"}', "surrogate"),
        (b'{"id": "\xff"}', "byte 8 is not UTF-8"),
        (b'{"id": ' + b"9" * 5000 + b"}", "Invalid input JSON"),
        (b"[" * 100 + b"]" * 100, "more than 64 levels"),
        (b"[" * 100_000, "Invalid input JSON"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_place(ask, body, says):
    answer = ask.raw("/crm/probe", body)
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR" and answer.json()["status"] == "error"
    assert says in answer.json()["message"]


def test_numbers_do_for_ids_and_text_does_for_type_ids(ask):
    answer = ask.post("/crm/probe", {"id": 7, "typeId": "279", "unknown": 1, "properties": {"a": None, "b": 1.5}})
    assert answer.status_code == 201
    assert answer.json() == {"id": "7", "typeId": 279, "properties": {"a": None, "b": 1.5}}


def test_other_content_is_refused(ask):
    answer = ask.raw("/crm/probe", b"id=1", "application/x-www-form-urlencoded")
    assert answer.status_code == 415 and "correlationId" in answer.json()


def test_who_accepts_nothing_that_there_is_gets_json(ask):
    answer = ask.client.get("/crm/probe", HTTP_ACCEPT="text/xml")
    assert answer.status_code == 200 and answer["Content-Type"] == "application/json"


def test_what_a_service_refuses_is_told_by_the_one_handler(ask):
    answer = ask.put("/crm/probe", {})
    assert answer.status_code == 400
    assert answer.json()["subCategory"] == "crm.associations.ASSOCIATION_LIMIT_EXCEEDED"


def test_a_fault_of_the_server_is_json_too_and_can_be_found_in_the_log(ask, caplog):
    answer = ask.delete("/crm/probe")
    assert answer.status_code == 500 and "nobody foresaw" not in json.dumps(answer.json())
    [record] = [each for each in caplog.records if each.name == "crmproject.api.errors"]
    assert answer.json()["correlationId"] in record.getMessage() and record.exc_info


def test_an_address_that_there_is_not_is_404_in_json(ask):
    for answer in (ask.get("/crm/v3/nothing"), Asking.with_secret("x").get("/automation/v4/nothing")):
        assert answer.status_code == 404
        assert answer.json()["message"] == "resource not found" and answer.json()["category"] == "OBJECT_NOT_FOUND"


def test_a_nul_in_the_address_is_refused(ask):
    assert ask.get("/crm/probe", after="\x00").status_code == 400


def test_pages(ask):
    page = ask.get("/crm/probe", limit=2, extra="a b").json()
    assert page["results"] == [0, 1] and page["paging"]["next"]["after"] == "2"
    link = page["paging"]["next"]["link"]
    assert link == "http://testserver/crm/probe?limit=2&extra=a+b&after=2"
    assert ask.get(link).json()["results"] == [2, 3]
    for query in ({"limit": 101}, {"limit": 0}, {"limit": "x"}, {"after": "x"}, {"after": "9" * 30}):
        assert ask.get("/crm/probe", **query).status_code == 400


# People -----------------------------------------------------------------------------------------


def person(*permissions: str, csrf: bool = False) -> APIClient:
    user = User.objects.create_user("ada", password="ada", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = APIClient(enforce_csrf_checks=csrf)
    client.login(username="ada", password="ada")
    return client


def test_a_person_may_what_the_admin_lets_them():
    client = person("view_record")
    assert client.get("/crm/probe").status_code == 200
    answer: Any = client.post("/crm/probe", {"id": "1"}, format="json")
    assert answer.status_code == 403 and "associations.change_record" in answer.json()["message"]


def test_a_person_needs_the_csrf_token_to_write():
    client = person("view_record", "change_record", csrf=True)
    answer: Any = client.post("/crm/probe", {"id": "1"}, format="json")
    assert answer.status_code == 403 and "CSRF" in answer.json()["message"]


def test_people_see_a_page_with_forms():
    page = person("view_record", "change_record").get("/crm/probe", HTTP_ACCEPT="text/html").content.decode()
    assert '<html lang="en">' in page
    assert "<form" in page and "Association workflows" in page
