"""Labels and permissions in a real browser: the matrix, a label replaced by another, and what each group sees."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from playwright.sync_api import Page, expect

from associations.models import Record
from associations.types import DirectedType
from tests.factories import associate_pairs, make_label, make_record, make_records, words
from tests.workflows.making import create, make_workflow
from workflows.models import Workflow

from .chromium import overflows, shoot, violations
from .conftest import OpenAdmin

Made = tuple[DirectedType, Workflow, Record]


@pytest.fixture(scope="module")
def made(site: str) -> Made:
    old, _ = (
        make_label("contact", "company", "Works at", "Staff"),
        make_label("contact", "company", "Employer", "Employee"),
    )
    acme = make_record("company", name="Acme Foods")
    associate_pairs([(each, acme) for each in make_records("contact", 3)], old)
    return old, make_workflow("contact", create("company", "company", "name", label=old)), acme


def test_a_limit_is_changed_in_the_page_of_a_pair(page: Page, made: Made) -> None:
    page.goto("/admin/associations/associationtype/")
    page.get_by_role("link", name="Contacts and companies").click()
    page.get_by_label("Works at: Companies per contact").fill("0")
    page.get_by_role("button", name="Save limits").click()
    expect(page.locator(".errorlist")).to_contain_text("greater than or equal to 1")
    page.get_by_label("Works at: Companies per contact").fill("5")
    page.get_by_role("button", name="Save limits").click()
    expect(page.locator(".messagelist")).to_contain_text("Limits changed: 1.")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_the_pages_of_labels_are_accessible(open_admin: OpenAdmin, made: Made, width: int, dark: bool) -> None:
    page = open_admin(width=width, dark=dark)
    for name, path in (
        ("labels", "/admin/associations/associationtype/"),
        ("pair", "/admin/associations/associationtype/pair/contact/company/"),
        ("in-use", f"/admin/associations/associationtype/{made[0].type.pk}/delete/"),
    ):
        page.goto(path)
        shoot(page, f"{name}-{'dark' if dark else 'light'}-{width}")
        assert (name, violations(page)) == (name, [])
        assert not overflows(page), name


def permissions_of(group: str) -> list[str]:
    of_group = Permission.objects.filter(group=Group.objects.get(name=group))
    return list(of_group.values_list("codename", flat=True))


def test_each_group_sees_the_buttons_that_it_may_press(open_admin: OpenAdmin, made: Made) -> None:
    """Viewer, Operator, Administrator: the form of a record, enrolling, turning off, managing labels."""
    _, workflow, acme = made
    expected = {"Viewer": (0, 0, 0, 0), "Operator": (1, 1, 0, 0), "Administrator": (1, 1, 1, 1)}
    for group, (saves, enrolls, turns_off, manages) in expected.items():
        page = open_admin(*permissions_of(group))
        page.goto(f"/admin/associations/record/{acme.pk}/change/")
        expect(page.get_by_role("heading", name="Associations", exact=True)).to_be_visible()
        expect(page.locator("input[name=_save]")).to_have_count(saves)
        expect(page.get_by_role("button", name="Associate", exact=True)).to_have_count(saves)
        page.goto(f"/admin/workflows/workflow/{workflow.pk}/change/")
        expect(page.get_by_role("link", name="Enroll records")).to_have_count(enrolls)
        expect(page.get_by_role("link", name="Turn off")).to_have_count(turns_off)
        page.goto("/admin/associations/associationtype/pair/contact/company/")
        expect(page.get_by_role("button", name="Save limits")).to_have_count(manages)
        page.goto("/admin/")
        expect(page.locator("#dashboard")).to_contain_text("live workflow")


def test_a_label_in_use_is_replaced_by_another_one_and_deleted(page: Page, made: Made) -> None:
    _, workflow, acme = made
    page.goto("/admin/associations/associationtype/pair/contact/company/")
    page.get_by_role("link", name="Delete Works at").click()
    expect(page.locator(".uses")).to_contain_text("on 3 associations")
    expect(page.locator(".uses")).to_contain_text(f"{workflow}: action 1")
    page.get_by_label("Employer / Employee").check()
    page.get_by_role("button", name="Replace and delete").click()
    expect(page.locator("#job .state")).to_have_text("Finished")
    expect(page.locator("#job")).to_contain_text("is deleted")
    contact = Record.objects.filter(object_type__name="contact").earliest("id")
    assert words(contact, acme) == {"unlabeled", "Primary", "Employer"}
