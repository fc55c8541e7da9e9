"""Tokens: made once, shown once, kept hashed, good until they expire or are revoked."""

import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from crmproject.api import tokens
from crmproject.api.scopes import SCOPES
from crmproject.models import ApiToken
from tests.asking import Asking
from tests.associations.admin_pages import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.crmproject.api.probe")]


def made(*arguments: str) -> str:
    output = io.StringIO()
    call_command("create_api_token", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_prints_the_token_alone_on_its_last_line():
    secret = made("Import", "--scope", "crm.objects.contacts.read", "--scope", "automation").splitlines()[-1]
    token = tokens.find_token(secret)
    assert token is not None and token.name == "Import"
    assert token.scopes == ["crm.objects.contacts.read", "automation"]
    assert secret not in str(ApiToken.objects.values()) and token.ending == secret[-4:]


def test_all_are_all_scopes_and_another_one_is_refused():
    token = tokens.find_token(made("Import", "--scope", "all").splitlines()[-1])
    assert token is not None and token.scopes == list(SCOPES)
    with pytest.raises(CommandError, match=r"no scope 'contacts'.*automation"):
        made("Import", "--scope", "contacts")


def test_without_a_token_nobody_gets_in():
    answer = Asking.with_secret("pat-na1-nobody's").get("/crm/probe")
    assert answer.status_code == 401 and answer["x-hubspot-auth-failure"] == "401 Unauthorized"
    assert answer.json()["category"] == "INVALID_AUTHENTICATION"
    answer = Asking.with_token().client.get("/crm/probe", HTTP_AUTHORIZATION="")
    assert answer.status_code == 401
    assert answer.json()["message"].startswith("Authentication credentials not found. This API supports OAuth 2.0")


def test_an_expired_token_says_when_it_expired():
    answer = Asking.with_token(expires_at=timezone.now() - dt.timedelta(seconds=1)).get("/crm/probe")
    assert answer.status_code == 401 and answer.json()["category"] == "EXPIRED_AUTHENTICATION"
    assert answer.json()["context"]["expire time"]


def test_a_revoked_token_is_none():
    """Revoked by whatever process: what is remembered of a token is not that."""
    token, secret = tokens.create_token("a test", SCOPES)
    assert Asking.with_secret(secret).get("/crm/probe").status_code == 200
    ApiToken.objects.filter(pk=token.pk).update(revoked_at=timezone.now())
    assert Asking.with_secret(secret).get("/crm/probe").status_code == 401


def test_a_token_takes_one_query_and_its_use_is_noted_once_a_minute(django_assert_num_queries):
    token, secret = tokens.create_token("a test", SCOPES)
    asking = Asking.with_secret(secret)
    asking.get("/crm/probe")
    with django_assert_num_queries(1):
        asking.get("/crm/probe")
    noted = ApiToken.objects.get(pk=token.pk).last_used_at
    assert noted is not None
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=noted - dt.timedelta(minutes=2))
    tokens._known.clear()  # as in a process that does not know the token yet
    asking.get("/crm/probe")
    again = ApiToken.objects.get(pk=token.pk).last_used_at
    assert again is not None and again >= noted


def test_a_token_outlives_who_made_it(django_user_model):
    maker = django_user_model.objects.create_user("ada")
    _, secret = tokens.create_token("Import", ["automation"], user_id=maker.pk)
    for user_id in (maker.pk, None):
        token = tokens.good_token(secret)
        assert token is not None and token.user_id == user_id
        django_user_model.objects.all().delete()


def test_a_token_may_do_what_its_scopes_say():
    asking = Asking.with_token("crm.objects.contacts.read")
    assert asking.get("/crm/probe").status_code == 200
    answer = asking.post("/crm/probe", {"id": "1"})
    assert answer.status_code == 403 and answer.json()["category"] == "MISSING_SCOPES"
    [error] = answer.json()["errors"]
    assert error["context"]["requiredGranularScopes"] == ["crm.objects.contacts.write"]


def test_the_admin_shows_a_token_once(admin_client):
    answer = admin_client.post(
        "/admin/crmproject/apitoken/add/", {"name": "Import", "scopes": ["automation"]}, follow=True
    )
    [token] = ApiToken.objects.all()
    page = answer.content.decode()
    secret = page.split("<code>")[1].split("</code>")[0]
    assert tokens.find_token(secret) == token and token.user is not None
    assert secret not in admin_client.get(f"/admin/crmproject/apitoken/{token.pk}/change/").content.decode()


def test_the_admin_revokes_a_token_in_the_list_and_on_its_page(admin_client):
    token, secret = tokens.create_token("Import", ["automation"])
    address = f"/admin/crmproject/apitoken/{token.pk}/change/"
    asked = {"action": "revoke", "_selected_action": str(token.pk)}
    page = admin_client.get(address).content.decode()
    assert all(f'name="{name}" value="{value}"' in page for name, value in asked.items())
    assert "Revoke</button>" not in sign_in("view_apitoken").get(address).content.decode()
    admin_client.post("/admin/crmproject/apitoken/", asked)
    token.refresh_from_db()
    assert token.revoked_at is not None and Asking.with_secret(secret).get("/crm/probe").status_code == 401
    assert "Revoke</button>" not in admin_client.get(address).content.decode()
