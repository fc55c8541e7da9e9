"""Workflows built by clicking alone, turned on, and what came of them read on the records' pages."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from associations.models import Record
from tests.associations.admin_pages import record_url
from tests.factories import associate, make_label, make_record
from tests.processes import wait_until

from .chromium import shoot
from .editing import add_action, filter_row, new_workflow


def turn_on(page: Page, *, enroll: bool = True) -> None:
    page.get_by_role("button", name="Turn on", exact=True).click()
    page.get_by_role("button", name="Turn on and enroll them now" if enroll else "Turn on").click()
    expect(page.locator("#container")).to_contain_text("is on.")


def labels_of(page: Page, record: Record, other: str) -> Locator:
    """What a record's page says about the other one."""
    page.goto(record_url(record))
    return page.locator(".pairs > li").filter(has_text=other).locator(".chips > .association-label")


def expect_label(page: Page, record: Record, other: str, label: str) -> None:
    """The worker has done its work in a while."""
    wait_until(lambda: any(label in told for told in labels_of(page, record, other).all_inner_texts()), 60)


def test_create_associations_with_a_label(page: Page) -> None:
    make_label("contact", "company", "Employer", "Employee")
    ann = make_record("contact", email="ann@one.example", firstname="Ann", city="Oslo", company="  ONE ltd")
    bob = make_record("contact", email="bob@one.example", firstname="Bob", city="Rome", company="One Ltd")
    make_record("company", name="One Ltd", domain="one.example")

    new_workflow(page, "Contact", "Employers")
    row = filter_row(page)
    row.get_by_label("Property", exact=True).select_option("City")
    expect(row.get_by_label("Operator")).to_have_value("is_any_of")
    row.get_by_label("Value", exact=True).last.fill("Oslo")
    card = add_action(page, "Create associations", "Company")
    card.get_by_label("Label to apply").select_option("Employer")
    card.get_by_label("Property of the enrolled contact").select_option("Company name")
    card.get_by_label("Property of the company to associate").select_option("Company name")
    expect(card).to_contain_text(
        "Associate each enrolled contact with every company whose Company name equals the contact's Company name,"
        " labelled Employer."
    )
    shoot(page, "editor")
    page.get_by_role("button", name="Turn on", exact=True).click()
    expect(page.locator("#content")).to_contain_text("1 contact meets the triggers now")
    page.get_by_role("button", name="Turn on and enroll them now").click()
    expect(page.locator("#container")).to_contain_text("is on.")
    expect_label(page, ann, "One Ltd", "Employer")
    assert labels_of(page, bob, "One Ltd").count() == 0


def test_apply_association_label(page: Page) -> None:
    make_label("contact", "company", "Local")
    make_label("contact", "deal", "Only for deals")
    contact = make_record("contact", email="cleo@two.example", firstname="Cleo", jobtitle="Baker")
    here, there = make_record("company", name="Here", city="Bergen"), make_record("company", name="There", city="Rome")
    associate(contact, here)
    associate(contact, there)

    new_workflow(page, "Contact", "Locals")
    row = filter_row(page)
    row.get_by_label("Property", exact=True).select_option("Job title")
    row.get_by_label("Operator").select_option("is equal to")
    row.get_by_label("Value", exact=True).fill("Baker")
    card = add_action(page, "Apply association label", "Company")
    label = card.get_by_label("Label to apply")
    assert "Only for deals" not in label.inner_text()
    label.select_option("Local")
    card.get_by_label("Apply to").select_option("Those that have a property value")
    card.get_by_label("Property of the associated company").select_option("City")
    card.get_by_label("Value").fill("Bergen")
    page.keyboard.press("Tab")
    expect(card).to_contain_text("whose City is Bergen.")
    turn_on(page)
    expect_label(page, contact, "Here", "Local")
    assert labels_of(page, contact, "There").filter(has_text="Local").count() == 0


def test_update_association_labels(page: Page) -> None:
    evaluator, user = make_label("contact", "company", "Evaluator"), make_label("contact", "company", "User")
    contact = make_record("contact", email="dora@three.example", firstname="Dora", jobtitle="Tester")
    company = make_record("company", name="Three Ltd")
    associate(contact, company, evaluator)
    assert user

    new_workflow(page, "Contact", "Users")
    filter_row(page).get_by_label("Property", exact=True).select_option("Job title")
    filter_row(page).get_by_label("Value", exact=True).last.fill("Tester")
    card = add_action(page, "Update association labels", "Company")
    card.get_by_label("Existing label").select_option("Evaluator")
    card.get_by_label("Update", exact=True).select_option("Replace it by the new label")
    card.get_by_label("New label").select_option("User")
    expect(card).to_contain_text("Replace the label Evaluator by User on every company of the contact.")
    turn_on(page)
    expect_label(page, contact, "Three Ltd", "User")
    assert labels_of(page, contact, "Three Ltd").filter(has_text="Evaluator").count() == 0


def test_remove_association_labels(page: Page) -> None:
    partner, rival = make_label("contact", "company", "Partner"), make_label("contact", "company", "Rival")
    contact = make_record("contact", email="emil@four.example", firstname="Emil", jobtitle="Diplomat")
    associate(contact, make_record("company", name="Four Ltd"), partner, rival)

    new_workflow(page, "Contact", "Peace")
    filter_row(page).get_by_label("Property", exact=True).select_option("Job title")
    filter_row(page).get_by_label("Operator").select_option("contains")
    filter_row(page).get_by_label("Value", exact=True).fill("Diplo")
    card = add_action(page, "Remove association labels", "Company")
    card.get_by_label("Rival").check()
    expect(card).to_contain_text("Remove the label Rival from every company of the enrolled record.")
    turn_on(page)
    labels = labels_of(page, contact, "Four Ltd")
    wait_until(lambda: page.reload() and not labels.filter(has_text="Rival").count(), 60)
    assert "Partner" in " ".join(labels.all_inner_texts())
