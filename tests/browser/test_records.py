"""Records in a real browser: a list, a record's page, its associations changed by clicking, its neighbours walked."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from associations.models import Record
from tests.associations.admin_pages import record_url
from tests.factories import associate, associate_pairs, make_label, make_record, make_records

from .chromium import overflows, shoot, violations
from .conftest import OpenAdmin


@pytest.fixture(scope="module")
def acme(site: str) -> Record:
    """A company with three contacts, one of them its only employee, and a deal."""
    employer = make_label("contact", "company", "Employer", "Employee")
    make_label("contact", "company", "Adviser", "Client")
    acme = make_record("company", name="Acme Foods", domain="acme-foods.example")
    contacts = make_records("contact", [{"email": f"{name}@acme.example"} for name in ("ann", "bob", "cleo")])
    associate_pairs([(each, acme) for each in contacts])
    associate(contacts[0], acme, employer)
    associate(make_record("deal", dealname="Big order"), acme)
    make_records("contact", [{"email": f"dora{number}@other.example"} for number in range(2)])
    return acme


def address(record: Record) -> str:
    return f"/admin/associations/record/{record.pk}/change/"


def test_associations_are_changed_by_clicking(page: Page, acme: Record) -> None:
    page.goto(address(acme))
    bob = page.locator(".pairs > li", has_text="bob@acme.example")
    bob.get_by_text("+ Label").click()
    bob.get_by_role("button", name="Client").click()
    expect(page.locator(".messagelist")).to_contain_text("Associated with bob@acme.example: Client.")
    expect(bob.locator(".chips")).to_contain_text("Client")
    bob.get_by_role("button", name="Take the label Client off bob@acme.example").click()
    expect(page.locator(".messagelist")).to_contain_text("The label Client was removed.")
    bob.get_by_role("button", name="Remove the association").click()
    expect(page.locator(".messagelist")).to_contain_text("The association was removed.")
    expect(page.locator(".pairs > li", has_text="bob@acme.example")).to_have_count(0)


def test_a_record_is_associated_by_searching(page: Page, acme: Record) -> None:
    page.goto(address(acme))
    page.get_by_label("As:").select_option(label="Client")
    page.get_by_label("Record:").fill("DORA")
    page.get_by_role("button", name="Associate", exact=True).click()
    expect(page.get_by_text("No contact is called just so: choose one of those listed.")).to_be_visible()
    page.get_by_role("button", name=re.compile("Associate with dora1@other.example")).click()
    dora = page.locator(".pairs > li", has_text="dora1@other.example")
    expect(dora.locator(".chips")).to_contain_text("Client")


def test_who_put_a_label_there_is_told(page: Page, acme: Record) -> None:
    page.goto(address(acme))
    ann = page.locator(".pairs > li", has_text="ann@acme.example")
    ann.locator(".story summary").click()
    expect(ann.locator(".story")).to_contain_text("Employee: by System a test")
    ann.get_by_role("link", name="All about these two").click()
    expect(page.get_by_role("heading", name=re.compile("Acme Foods and ann@acme.example"))).to_be_visible()


def test_the_picture_of_the_neighbours_is_walked(page: Page, acme: Record) -> None:
    page.goto(address(acme))
    picture = page.locator("#neighbours svg")
    expect(picture.get_by_role("link", name=re.compile("Contact ann@acme.example: .*Employee"))).to_be_visible()
    picture.get_by_role("link", name=re.compile("Deal Big order")).click()
    expect(page).to_have_url(re.compile("#neighbours$"))
    page.locator("#neighbours svg").get_by_role("link", name=re.compile("Company Acme Foods")).click()
    expect(page).to_have_url(re.compile(f"/{acme.pk}/change/#neighbours$"))
    page.locator("#neighbours .tie-label").first.click()
    expect(page.get_by_role("heading", name="Contacts of Acme Foods")).to_be_visible()
    expect(page.locator("select[name=label] option:checked")).not_to_have_text("any or none")


def test_no_name_in_the_picture_is_wider_than_its_box(page: Page, site: str) -> None:
    contact = make_record("contact", email="wilhelmina.montgomery@warehouse.example")
    company = make_record("company", name="WIDE AWAKE Warehouses of Wyoming")
    associate(contact, company)
    sticks_out = "n => n.querySelector('text').getBBox().width > n.querySelector('rect').getBBox().width"
    for record in (contact, company):
        page.goto(address(record))
        assert page.locator("#neighbours .node").count() == 2
        assert page.locator("#neighbours .node").evaluate_all(f"nodes => nodes.filter({sticks_out}).length") == 0


def test_a_record_and_its_only_neighbour_are_seen_at_once_on_a_phone(page: Page) -> None:
    contact, company = make_record("contact", email="only@x.example"), make_record("company", name="Only one")
    associate(contact, company)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(address(contact))
    assert page.locator(".neighbours").evaluate("each => each.scrollWidth <= each.clientWidth")
    for node in page.locator("#neighbours .node").all():
        box = node.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_the_pages_of_records_are_accessible(open_admin: OpenAdmin, acme: Record, width: int, dark: bool) -> None:
    page = open_admin(width=width, dark=dark)
    for name, path in (
        ("record", address(acme)),
        ("associations", f"/admin/associations/record/{acme.pk}/associations/contact/"),
        ("records", "/admin/associations/record/?object_type=contact&value_of=email&value_is=ann@acme.example"),
        ("columns", "/admin/associations/record/columns/?object_type=contact"),
    ):
        page.goto(path)
        shoot(page, f"{name}-{'dark' if dark else 'light'}-{width}")
        assert (name, violations(page)) == (name, [])
        assert not overflows(page), name


def test_the_list_of_companies_keeps_its_last_column_at_the_width_of_a_common_screen(page: Page) -> None:
    make_record("company", name="Instruments and Optics", domain="instruments-and-optics.example", city="Buenos Aires")
    make_record("company", name="Verylongname" * 20)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/admin/associations/record/?object_type=company")
    results = page.locator("#changelist .results")
    assert results.evaluate("each => each.scrollWidth <= each.clientWidth")


def test_a_name_of_one_long_word_breaks(page: Page) -> None:
    company = make_record("company", name="Verylongname" * 20)
    for address in (record_url(company), f"{record_url(company)}../history/"):
        page.goto(address)
        assert not overflows(page), address
