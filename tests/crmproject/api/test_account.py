"""What official clients ask first: the account, the token, the people."""

import pytest

from crmproject.api.tokens import create_token, revoke
from tests.asking import Asking

pytestmark = pytest.mark.django_db


def test_the_account(ask, settings):
    settings.PORTAL_ID = 4711
    body = ask.get("/account-info/v3/details").json()
    assert (body["portalId"], body["timeZone"], body["accountType"]) == (4711, settings.TIME_ZONE, "STANDARD")
    assert body["utcOffset"][0] in "+-" and body["uiDomain"] == "testserver"
    assert Asking(ask.client.__class__()).get("/account-info/v3/details").status_code == 401


def test_a_token_tells_what_it_may_do(admin_user):
    token, secret = create_token("mine", ["automation"], user_id=admin_user.pk)
    ask = Asking.with_secret(secret)
    body = ask.post("/oauth/v2/private-apps/get/access-token-info", {"tokenKey": secret}).json()
    assert body == {"userId": admin_user.pk, "hubId": 1, "appId": token.pk, "scopes": ["automation"]}
    body = ask.get(f"/oauth/v1/access-tokens/{secret}").json()
    assert (body["token_type"], body["scopes"], body["hub_id"]) == ("access", ["automation"], 1)
    assert ask.post("/oauth/v2/private-apps/get/access-token-info", {"tokenKey": "x"}).status_code == 404
    revoke(token)
    assert ask.get(f"/oauth/v1/access-tokens/{secret}").status_code == 404


def test_owners(ask, admin_user):
    body = ask.get(f"/crm/v3/owners/{admin_user.pk}", idProperty="userId").json()
    assert (body["id"], body["userId"], body["email"]) == (str(admin_user.pk), admin_user.pk, admin_user.email)
    assert ask.get("/crm/v3/owners/").json()["results"] == ask.get("/crm/v3/owners").json()["results"] == [body]
    assert ask.get("/crm/v3/owners", email="nobody@example.com").json()["results"] == []
    assert ask.get("/crm/v3/owners/999").status_code == 404
    assert ask.get(f"/crm/v3/owners/{admin_user.pk}", idProperty="email").status_code == 400
    assert Asking.with_token("automation").get("/crm/v3/owners").status_code == 403
