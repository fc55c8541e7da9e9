"""The admin in a real browser: signing in, its first page, and that what is watched for is seen."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Error, Page, expect

from .chromium import Watch, overflows, shoot, violations
from .conftest import OpenAdmin


def test_people_sign_in_and_see_what_there_is(open_admin: OpenAdmin) -> None:
    User.objects.create_superuser("ada")
    User.objects.filter(username="ada").update(password=PBKDF2PasswordHasher().encode("enough for a test", "salt"))
    page = open_admin(signed_in=False)
    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("enough for a test")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Records, labels, workflows")).to_be_visible()
    expect(page.locator("#content").get_by_role("link", name="Workflows", exact=True).first).to_be_visible()


def test_the_first_page_is_accessible_in_the_dark_and_where_it_is_narrow(open_admin: OpenAdmin) -> None:
    page = open_admin(width=400, dark=True)
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Records, labels, workflows")).to_be_visible()
    shoot(page, "index-narrow-dark")
    assert violations(page) == []
    assert not overflows(page)


def test_what_no_page_may_do_is_noticed(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site)
    watch = Watch(context, site)
    page: Page = context.new_page()
    page.goto("/admin/login/")
    page.evaluate("const script = document.createElement('script'); script.text = '1'; document.body.append(script)")
    page.evaluate("console.error('oops')")
    with pytest.raises(Error, match="ERR_"):
        page.goto("http://127.0.0.1:1/")
    context.close()
    told = " ".join(watch.problems)
    assert "Content Security Policy" in told
    assert "asked another host: http://127.0.0.1:1/" in told
    assert "console: oops" in told
