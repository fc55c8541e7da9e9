"""The pictures in the README, of the demo that every first start loads: `make screenshots` keeps them.

Without SCREENSHOTS the pages are opened all the same, so that what the README shows is there.
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import Count
from django.utils import timezone
from playwright.sync_api import Page, expect

from associations.models import AssociationEnd, AssociationFigure
from workflows.models import Run, Workflow
from workflows.services.events import process_events

from .conftest import OpenAdmin

HEIGHTS = {"dashboard": 760, "workflow": 1200, "record": 1000, "run": 640, "labels": 580}


@pytest.fixture(scope="module")
def demo(site: str) -> None:
    call_command("load_demo", verbosity=0)
    while process_events():
        pass


def make_past() -> None:
    """So that the chart has one."""
    today = timezone.localdate()
    for ago in range(1, 30):
        for source, made in (("workflow", 23 * (ago * 7 % 11)), ("user", 5 * (ago * 3 % 7))):
            AssociationFigure.objects.create(day=today - dt.timedelta(ago), type_id=279, source=source, added=made)


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.set_viewport_size({"width": 1280, "height": HEIGHTS[name]})
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=name == "record")


def test_the_main_pages(open_admin: OpenAdmin, demo: None) -> None:
    page = open_admin()
    User.objects.update(username="ada")
    page.goto("/admin/associations/associationtype/")
    expect(page.locator(".matrix")).to_contain_text("Employer / Employee")
    keep(page, "labels")

    make_past()
    page.goto("/admin/")
    expect(page.locator("#dashboard .chart rect").first).to_be_visible()
    keep(page, "dashboard")

    workflow = Workflow.objects.get(name="Associate contacts with their employer")
    page.goto(f"/admin/workflows/workflow/{workflow.pk}/change/")
    expect(page.locator("#content")).to_contain_text("Create associations")
    keep(page, "workflow")

    ends = AssociationEnd.objects.filter(record__object_type__name="company", other__object_type__name="contact")
    counted = ends.values_list("record").annotate(count=Count("other", distinct=True))
    record_id = counted.filter(count__lte=4).order_by("-count", "record")[0][0]
    page.goto(f"/admin/associations/record/{record_id}/change/")
    page.locator(".story summary").first.click()
    expect(page.locator(".story").first).to_contain_text("matched")
    keep(page, "record")

    page.goto(f"/admin/workflows/run/{Run.objects.get(workflow=workflow).pk}/change/")
    expect(page.locator(".outcome-bar").first).to_be_visible()
    keep(page, "run")
