"""The workflow editor for everybody: errors at their fields, by keyboard, in the dark, where it is narrow."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.factories import make_label
from tests.workflows.making import create, is_, make_workflow

from .chromium import overflows, shoot, violations
from .conftest import OpenAdmin
from .editing import add_action, filter_row, new_workflow


def test_an_error_stands_at_its_field_and_nothing_typed_is_lost(page: Page) -> None:
    new_workflow(page, "Deal", "Wrong")
    row = filter_row(page)
    row.get_by_label("Property", exact=True).select_option("Amount")
    row.get_by_label("Operator").select_option("is greater than")
    row.get_by_label("Value", exact=True).fill("much")
    card = add_action(page, "Create associations", "Contact")
    card.get_by_label("Property of the enrolled deal").select_option("Deal name")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#content")).to_contain_text("Nothing was saved yet")
    value = row.get_by_label("Value", exact=True)
    expect(row).to_contain_text("is not a number")
    expect(value).to_have_value("much")
    expect(value).to_be_focused()
    expect(card).to_contain_text("This field is required.")
    expect(card.get_by_label("Property of the enrolled deal")).to_have_value("dealname")
    shoot(page, "editor-errors")
    assert violations(page) == []
    value.fill("1000")
    card.get_by_label("Property of the contact to associate").select_option("First name")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#container")).to_contain_text("“Wrong” is saved.")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus."""
    named = "(document.activeElement.labels?.[0]?.innerText || document.activeElement.getAttribute('aria-label')"
    for _ in range(120):
        expect(page.locator("form[aria-busy]")).to_have_count(0)  # all that can be come to is there
        page.keyboard.press("Tab")
        if (
            name
            in page.evaluate(
                f"{named} || document.activeElement.innerText || document.activeElement.value || '').trim()"
            ).splitlines()
        ):
            return
    raise AssertionError(f"Tab does not come to {name!r}")


def test_everything_can_be_done_with_the_keyboard(page: Page) -> None:
    make_label("ticket", "contact", "Reporter")
    page.goto("/admin/workflows/workflow/add/")
    tab_to(page, "Contact")  # of the radio buttons, the first
    while not page.get_by_label("Ticket", exact=True).is_checked():
        page.keyboard.press("ArrowDown")
    tab_to(page, "Name:")
    page.keyboard.type("By keys")
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By keys")).to_be_visible()
    tab_to(page, "Property")
    page.keyboard.type("Ticket name")
    tab_to(page, "Value")
    page.keyboard.type("Broken")
    for kind in ("Apply association label", "Remove association labels"):
        tab_to(page, kind)
        page.keyboard.press("Enter")
        expect(page.locator(".action-card").last.get_by_label("Associated object")).to_be_focused()
        page.keyboard.type("Contact")
    labels = page.get_by_role("group", name="Labels to remove")
    expect(labels.get_by_label("Reporter")).to_be_visible()
    tab_to(page, "Reporter")
    page.keyboard.press("Space")
    expect(labels.get_by_label("Reporter")).to_be_checked()
    page.get_by_role("button", name="Move action 2 up").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#actions-0-heading")).to_contain_text("Remove association labels")
    expect(page.get_by_role("button", name="Move action 1 down")).to_be_focused()
    expect(page.get_by_role("status").first).to_contain_text("Moved up: it is action 1 now.")
    expect(labels.get_by_label("Reporter")).to_be_checked()
    page.get_by_role("button", name="Remove action 2").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".action-card")).to_have_count(1)
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    expect(page.locator("#container")).to_contain_text("“By keys” is saved.")


def test_typing_is_not_disturbed_by_what_the_server_draws(page: Page) -> None:
    new_workflow(page, "Contact", "Fast")
    row = filter_row(page)
    row.get_by_label("Property", exact=True).select_option("City")
    first = row.get_by_label("Value", exact=True)
    first.press_sequentially("Rome")
    page.keyboard.press("Tab")
    page.keyboard.type("before and after")
    expect(row.get_by_label("Value 2")).to_have_value("before and after")
    page.get_by_label("Description", exact=True).fill("typed at once")
    expect(row.get_by_label("Value 3")).to_have_value("")
    expect(page.get_by_label("Description", exact=True)).to_have_value("typed at once")
    expect(first).to_have_value("Rome")


def test_tab_leads_to_what_the_server_is_about_to_draw(page: Page) -> None:
    new_workflow(page, "Contact", "Slow line")
    row = filter_row(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/change/", hold)
    with page.expect_request("**/change/"):
        row.get_by_label("Property", exact=True).select_option("City")
    row.get_by_label("Property", exact=True).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="+ and")).to_be_focused()
    held[0].continue_()
    expect(row.get_by_label("Value", exact=True)).to_be_focused()


def everything(page: Page, name: str) -> None:
    """A workflow with something of each kind on its page."""
    new_workflow(page, "Contact", name)
    page.get_by_label("When an event occurs").check()
    page.get_by_role("button", name="Add event").click()
    event = page.get_by_role("group", name="Event 1")
    event.get_by_label("Property", exact=True).select_option("Lifecycle stage")
    event.get_by_label("Customer").check()
    filter_row(page).get_by_label("Whose property").select_option("Associated company")
    filter_row(page).get_by_label("Property", exact=True).select_option("Country/Region")
    page.locator("#enroll-add").click()
    expect(page.locator("#part-enroll .group")).to_have_count(2)
    page.get_by_text("Keep some contacts out").click()
    page.get_by_role("button", name="Add suppression filter").click()
    expect(page.get_by_role("group", name="Suppression filter 1")).to_be_visible()
    page.get_by_text("Re-enrollment and unenrollment").click()
    page.get_by_label("Let contacts enroll again").check()
    page.get_by_label("Re-enrollment property", exact=True).select_option("City")
    card = add_action(page, "Create associations", "Company")
    card.get_by_label("Property of the enrolled contact").select_option("Company name")
    card.get_by_label("Property of the company to associate").select_option("Company name")
    card.get_by_text("More options").click()
    card = add_action(page, "Apply association label", "Company")
    expect(card.get_by_label("Label to apply")).to_be_visible()
    expect(page.locator("#enroll-0").get_by_label("Property", exact=True)).to_have_value("country")


def test_the_editor_is_accessible_also_in_the_dark_and_where_it_is_narrow(open_admin: OpenAdmin) -> None:
    for name, dark, width in (
        ("light", False, 1280),
        ("dark", True, 1280),
        ("narrow", False, 400),
        ("both", True, 400),
    ):
        page = open_admin(dark=dark, width=width)
        page.goto("/admin/workflows/workflow/add/")
        assert violations(page) == []
        everything(page, f"Everything {name}")
        shoot(page, f"editor-{name}")
        assert violations(page) == []
        assert not overflows(page)


def test_revisions_are_compared_and_restored_and_the_pages_are_accessible(page: Page) -> None:
    workflow = make_workflow("contact", create("company", "city", "city"), triggers=[[is_("city", "Rome")]])
    page.goto(f"/admin/workflows/workflow/{workflow.pk}/change/")
    filter_row(page).get_by_label("Value", exact=True).fill("Oslo")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#content")).to_contain_text("The changed triggers count from now on.")
    page.get_by_role("link", name="No, only records from now on").click()
    expect(filter_row(page).get_by_label("Value", exact=True)).to_have_value("Oslo")
    page.get_by_role("link", name="Revisions").click()
    expect(page.get_by_role("button", name="Compare")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("del")).to_contain_text("City is any of Rome")
    expect(page.locator("ins")).to_contain_text("City is any of Oslo")
    shoot(page, "revisions-compared")
    assert violations(page) == []
    page.get_by_role("link", name="Restore revision 1").click()
    page.get_by_role("button", name="Restore revision 1").click()
    expect(filter_row(page).get_by_label("Value", exact=True)).to_have_value("Rome")
