"""Runs and bulk jobs in a real browser, with a real worker: bars that move by themselves, and what came of it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from associations.models import Record
from associations.services import bulk
from associations.services.selecting import Selection
from tests.factories import make_label, make_record, make_records
from tests.workflows.making import create, make_workflow
from workflows.models import Batch, Run, Workflow
from workflows.services import enrollment

from .chromium import overflows, shoot, violations
from .conftest import OpenAdmin, enroll


@pytest.fixture(scope="module")
def workflow(site: str) -> Workflow:
    employer = make_label("contact", "company", "Employer", "Employee")
    make_record("company", name="Acme Foods")
    make_records("contact", [{"email": f"ann{n}@x.example", "company": "ACME FOODS"} for n in range(8)])
    make_records("contact", [{"email": f"bob{n}@x.example", "company": "Nobody Ltd"} for n in range(3)])
    return make_workflow("contact", create("company", "company", "name", label=employer))


@pytest.fixture(scope="module")
def finished(workflow: Workflow) -> Run:
    ids = Record.objects.filter(object_type=workflow.object_type).values_list("id", flat=True)[:9]
    other = make_workflow("contact", create("company", "company", "name"))
    return enroll(other, list(Record.objects.filter(pk__in=list(ids))))


def test_a_bar_moves_by_itself_until_the_run_is_finished(
    page: Page, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batches are handed to the worker one by one, so that the bar stands at each half."""
    monkeypatch.setattr(enrollment, "BATCH", 6)
    monkeypatch.setattr("crmproject.queues.enqueue", lambda *args, **more: None)
    ids = list(Record.objects.filter(object_type=workflow.object_type).values_list("id", flat=True))
    run = enrollment.enroll_records(workflow, ids)
    monkeypatch.undo()
    page.goto(f"/admin/workflows/run/{run.pk}/change/")
    bar = page.locator("#run progress")
    expect(bar).to_have_attribute("value", "0")
    first, second = Batch.objects.filter(run=run).order_by("id")
    ring(first)
    expect(bar).to_have_attribute("value", "50")
    shoot(page, "run-moving")
    ring(second)
    expect(page.locator("#run .state").first).to_have_text("Finished")
    expect(bar).to_have_count(0)
    expect(page.locator(".done-action")).to_contain_text("Association created")
    page.get_by_role("link", name="Records: No record matches").click()
    expect(page.locator("#result_list")).to_contain_text("“Nobody Ltd”")
    expect(page.locator("#result_list")).not_to_contain_text("ACME")


def ring(batch: Batch) -> None:
    from crmproject import queues

    queues.enqueue(enrollment.RUN_ACTION, batch.pk, 0)


def test_the_list_s_bars_move_too(page: Page, workflow: Workflow) -> None:
    run = enrollment.enroll_matching(workflow, [[{"kind": "property", "property": "city", "operator": "is_known"}]])
    page.goto("/admin/workflows/run/")
    row = page.locator("#result_list tr", has_text=f"run {run.pk}")
    expect(row.locator(".state")).to_have_text("Finished")


def test_the_front_has_room_for_why_a_run_was_refused(page: Page, workflow: Workflow) -> None:
    assert workflow.revision is not None
    run = enrollment.refused_for_depth(workflow, workflow.revision, 1, 16)
    page.goto("/admin/")
    row = page.locator("#dashboard tr", has_text=f"run {run.pk}")
    expect(row).to_contain_text("1 record was not enrolled: 16 workflows had led to this change")
    assert row.evaluate("row => row.offsetHeight < 100")
    assert page.locator("#dashboard").evaluate("each => each.scrollWidth <= each.clientWidth")
    page.set_viewport_size({"width": 390, "height": 800})
    assert not overflows(page)
    assert row.evaluate("row => row.offsetHeight < 200")


def test_a_log_is_downloaded(page: Page, finished: Run) -> None:
    page.goto(f"/admin/workflows/run/{finished.pk}/change/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == f"run-{finished.pk}.csv"


def test_all_that_is_listed_is_exported_by_the_worker(page: Page, workflow: Workflow) -> None:
    page.goto("/admin/associations/record/?object_type=contact&q=ann")
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option(label="Export as CSV")
    page.get_by_role("button", name="Run the selected action").or_(page.get_by_role("button", name="Go")).click()
    expect(page.locator("#job .state")).to_have_text("Finished")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the file").click()
    assert "ann0@x.example" in download.value.path().read_text()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_the_pages_of_runs_are_accessible(open_admin: OpenAdmin, finished: Run, width: int, dark: bool) -> None:
    page = open_admin(width=width, dark=dark)
    run, contact = finished, finished.workflow.object_type
    selection = Selection(contact).to_json()
    root = User.objects.create_superuser(f"root{width}")
    bulk.start("export", "Export contacts", user=root, object_type=contact, selection=selection, properties=["email"])
    for name, path in (
        ("dashboard", "/admin/"),
        ("runs", "/admin/workflows/run/"),
        ("run", f"/admin/workflows/run/{run.pk}/change/"),
        ("log", f"/admin/workflows/enrollment/?run={run.pk}"),
        ("jobs", "/admin/associations/bulkjob/"),
    ):
        page.goto(path)
        shoot(page, f"{name}-{'dark' if dark else 'light'}-{width}")
        assert (name, violations(page)) == (name, [])
        assert not overflows(page), name
    page.get_by_role("link", name="Export contacts").first.click()
    expect(page.locator("#job .state")).to_have_text("Finished")
    assert violations(page) == []
