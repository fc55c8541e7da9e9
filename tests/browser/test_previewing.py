"""Preview, test and coverage in a real browser: what people see before they turn a workflow on."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.factories import make_label, make_record, make_records
from tests.workflows.making import create, is_, make_workflow, remove

from .chromium import overflows, shoot, violations
from .conftest import OpenAdmin


def test_what_a_workflow_would_do_is_seen_and_tried(open_admin: OpenAdmin) -> None:
    make_record("company", name="Alder Foods")
    make_records("contact", [{"company": "alder  FOODS", "email": "ada@alder.example"}, {"company": "Birch"}, {}])
    label = make_label("contact", "company", "Employer of people")
    workflow = make_workflow(
        "contact",
        create("company", "company", "name", label=label),
        remove(label),
        triggers=[[is_("company", operator="is_known")]],
        on=False,
    )
    page = open_admin()
    page.goto(f"/admin/workflows/workflow/{workflow.pk}/change/")
    page.get_by_role("link", name="Preview", exact=True).click()
    expect(page.get_by_text("2 of 3 contacts meet the triggers")).to_be_visible()
    expect(page.get_by_text("which action 2 removes again")).to_be_visible()
    page.get_by_role("button", name="Count again").click()
    expect(page.get_by_text("Counted exactly over all records")).to_be_visible()
    shoot(page, "preview")
    assert violations(page) == []

    page.get_by_role("link", name="Test with a record").click()
    page.get_by_label("Contact").fill("ada@alder.example")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_role("heading", name="meets the triggers")).to_be_visible()
    shoot(page, "test-with-a-record")
    assert violations(page) == []

    page.goto(f"/admin/workflows/workflow/{workflow.pk}/coverage/")
    shoot(page, "coverage")
    assert violations(page) == []
    page.get_by_role("link", name="without a match").click()
    expect(page.get_by_role("cell", name="Birch")).to_be_visible()

    page.goto(f"/admin/workflows/workflow/{workflow.pk}/change/")
    page.get_by_text("Try how two values are compared").click()
    page.get_by_label("One value").fill("ALDER foods")
    page.get_by_label("Another value").fill("Alder Foods")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#compared_here").get_by_role("row", name="Normalized text")).to_contain_text("yes")
    shoot(page, "compare")
    assert violations(page) == []


def test_the_preview_fits_where_it_is_narrow_and_dark(open_admin: OpenAdmin) -> None:
    make_record("company", name="Birch and Sons Trading Company of the North")
    make_record("contact", company="Birch and Sons Trading Company of the North", email="bob@birch.example")
    workflow = make_workflow("contact", create("company", "company", "name"), on=False)
    page = open_admin(width=400, dark=True)
    page.goto(f"/admin/workflows/workflow/{workflow.pk}/preview/")
    expect(page.get_by_role("heading", name="1. Create associations")).to_be_visible()
    shoot(page, "preview-narrow-dark")
    assert violations(page) == []
    assert not overflows(page)
