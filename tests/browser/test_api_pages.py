"""The browsable API and the page of its documentation: people ask, create and change there, under the site's policy."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.factories import make_record

from .chromium import shoot


def test_a_person_creates_a_record_in_the_browsable_api(page: Page):
    page.goto("/crm/v3/objects/contacts")
    content = page.locator("textarea[name=_content]").first
    assert '"properties"' in content.input_value()
    content.fill('{"properties": {"email": "browser@example.com"}}')
    shoot(page, "api-objects")
    page.get_by_role("button", name="POST").click()
    expect(page.locator(".response-info")).to_contain_text("201")
    expect(page.locator(".response-info")).to_contain_text("browser@example.com")


def test_a_person_changes_and_archives_a_record_there(page: Page):
    record = make_record("contact", email="changed@example.com")
    address = f"/crm/v3/objects/contacts/{record.pk}"
    page.goto(address)
    page.locator("textarea[name=_content]").fill('{"properties": {"city": "Bern"}}')
    page.get_by_role("button", name="PATCH").click()
    expect(page.locator(".response-info")).to_contain_text("Bern")
    page.goto(address)
    page.get_by_text("DELETE", exact=True).click()
    page.locator("#deleteModal button.btn-danger").click()
    expect(page.locator(".response-info")).to_contain_text("204")


def test_the_documentation_is_read_and_tried(page: Page):
    page.goto("/api/docs/")
    expect(page.get_by_text("List records, in the order of their ids")).to_be_visible()
    shoot(page, "api-docs")
