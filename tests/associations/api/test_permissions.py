"""Who may: every endpoint of the CRM that the OpenAPI document tells of, by token and by session."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from tests.asking import Asking
from tests.associations.admin_pages import sign_in

pytestmark = pytest.mark.django_db
FILLED = {"objectType": "contacts", "fromObjectType": "contacts", "toObjectType": "companies"}
# POST requests that only read.
READS = ("/search", "/batch/read", "/high-usage-report/1")


@pytest.fixture
def endpoints(client) -> list[tuple[str, str]]:
    """(method, address) of each, with something for its parameters."""
    document = client.get("/api/schema/", headers={"accept": "application/vnd.oai.openapi+json"}).json()
    return [
        (method, re.sub(r"\{(\w+)\}", lambda found: FILLED.get(found[1], "1"), path))
        for path, methods in document["paths"].items()
        if path.startswith("/crm") and "owners" not in path
        for method in methods
    ]


def statuses(client: APIClient, endpoints: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    return {
        (method, path): client.generic(method.upper(), path, "{}", content_type="application/json").status_code
        for method, path in endpoints
    }


def is_write(method: str, path: str) -> bool:
    return method != "get" and not path.endswith(READS)


def test_nobody_gets_in_without_a_token_and_none_with_a_scope_for_something_else(endpoints):
    assert len(endpoints) > 60
    assert set(statuses(APIClient(), endpoints).values()) == {401}
    other = Asking.with_token("oauth", "automation").client
    assert set(statuses(other, endpoints).values()) == {403}


def test_a_scope_to_read_is_none_to_write(endpoints):
    reader = Asking.with_token("crm.objects.contacts.read", "crm.objects.custom.read").client
    refused = {each for each, status in statuses(reader, endpoints).items() if status == 403}
    assert refused == {each for each in endpoints if is_write(*each)}


def test_a_person_who_may_see_all_may_change_nothing(endpoints):
    user = User.objects.create_user("ada", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = APIClient()
    client.force_login(user)
    refused = {each for each, status in statuses(client, endpoints).items() if status == 403}
    assert refused == {each for each in endpoints if is_write(*each)}
    user.user_permissions.clear()
    assert set(statuses(client, endpoints).values()) == {403}
    User.objects.update(is_staff=False, is_superuser=True)
    assert set(statuses(client, endpoints).values()) == {403}


@pytest.mark.parametrize("asked", ["", "?format=api"])
def test_the_page_for_people_leads_only_to_what_there_is(ada, asked):
    page = sign_in("view_record").get(f"/crm/v3/objects/contacts/{ada.pk}{asked}", HTTP_ACCEPT="text/html")
    assert f'href="/crm/v3/objects/contacts{asked}"' in page.content.decode()
    assert f'href="/crm/v3/objects/{asked}"' not in page.content.decode()
