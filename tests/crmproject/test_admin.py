"""The admin's frame: what lists are called, and what people see where there is nothing or where they may not go."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.defaults import server_error

from crmproject.models import ApiToken
from tests.associations.admin_pages import sign_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("page", "called"),
    [
        ("associations_objecttype", "Object types"),
        ("associations_bulkjob", "Bulk jobs"),
        ("associations_record", "Contacts"),
        ("workflows_workflow", "Workflows"),
        ("workflows_run", "Runs"),
        ("auth_user", "Users"),
    ],
)
def test_a_list_is_called_by_what_is_in_it(page: str, called: str) -> None:
    text = sign_in().get(reverse(f"admin:{page}_changelist")).content.decode()
    assert f"<h1>{called}</h1>" in text
    assert f"<title>{called} | Association workflows</title>" in text


def test_to_choose_from_a_list_still_says_so() -> None:
    text = sign_in().get(reverse("admin:auth_user_changelist"), {"_popup": 1}).content.decode()
    assert "<h1>Select user</h1>" in text


def test_the_front_names_the_queue_and_has_no_link_to_itself() -> None:
    text = sign_in().get("/admin/").content.decode()
    assert "View site" not in text
    assert "Queues" in text and "Django" not in text


def test_what_a_search_found_is_told_where_something_was_looked_for() -> None:
    client = sign_in()
    for page in ("associations_changeset", "workflows_enrollment", "associations_property"):
        assert "Show all" not in client.get(reverse(f"admin:{page}_changelist")).content.decode()
    found = client.get(reverse("admin:associations_property_changelist"), {"q": "zip"}).content.decode()
    assert '1 result (<a href="?">Show all</a>)' in found


def test_where_there_is_nothing_a_page_says_so_and_leads_back() -> None:
    answer = sign_in().get("/admin/workflows/run/999/log.csv")
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "There is no such page" in page and 'href="/admin/"' in page
    assert "Association workflows" in page and "Django administration" not in page


def test_who_may_not_is_told_so_and_led_back() -> None:
    answer = sign_in("view_record").get(reverse("admin:workflows_workflow_add"))
    assert answer.status_code == 403
    assert "It takes a permission that you do not have" in answer.content.decode()
    assert 'href="/admin/"' in answer.content.decode()


def test_when_something_fails_a_page_says_so_and_leads_back(rf: RequestFactory) -> None:
    answer = server_error(rf.get("/admin/"))
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "Something went wrong here" in page and 'href="/admin/"' in page


def test_a_page_that_is_too_old_says_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "ada", "password": "x"})
    assert answer.status_code == 403
    assert "load the page again" in answer.content.decode()


def test_when_a_token_expires_is_one_field() -> None:
    answer = sign_in().post(
        reverse("admin:crmproject_apitoken_add"),
        {"name": "A script", "scopes": ["automation"], "expires_at": "2031-05-06T07:08"},
    )
    assert answer.status_code == 302
    expires_at = ApiToken.objects.get(name="A script").expires_at
    assert expires_at and expires_at.replace(tzinfo=None) == dt.datetime(2031, 5, 6, 7, 8)


def test_what_people_come_for_stands_first() -> None:
    apps = sign_in().get("/admin/").context["app_list"]
    assert [app["app_label"] for app in apps] == ["associations", "workflows", "crmproject", "auth", "django_rq"]
    assert [model["object_name"] for model in apps[1]["models"]] == ["Workflow", "Run", "Enrollment"]
    assert apps[0]["models"][0]["object_name"] == "Record"
