"""Clicking a workflow together, for tests."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def new_workflow(page: Page, record: str, name: str) -> None:
    page.goto("/admin/workflows/workflow/add/")
    page.get_by_label(record, exact=True).check()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def filter_row(page: Page, number: int = 1) -> Locator:
    return page.get_by_role("group", name=f"Filter {number}", exact=True)


def add_action(page: Page, kind: str, other: str) -> Locator:
    """The new card, with its object chosen."""
    before = page.locator(".action-card").count()
    page.get_by_role("button", name=kind, exact=True).click()
    expect(page.locator(".action-card")).to_have_count(before + 1)
    card = page.locator(".action-card").last
    card.get_by_label("Associated object").select_option(other)
    return card
