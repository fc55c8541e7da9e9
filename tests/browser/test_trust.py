"""Why, undo and review, as people click through them: with a real worker, and accessible at every width."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from associations.models import Record
from tests.factories import associate, make_label, make_record, make_records, words
from tests.processes import wait_until
from tests.workflows import making
from tests.workflows.admin_workflows import url
from workflows.models import Run, Undo
from workflows.services import review, undo_preview

from .chromium import overflows, shoot, violations
from .conftest import OpenAdmin, enroll

Made = tuple[Run, Record, list[Record]]


@pytest.fixture(scope="module")
def made(site: str) -> Made:
    employer = make_label("contact", "company", "Trusted employer")
    contacts = make_records("contact", [{"firstname": "Ida", "company": "Trust"}, {"company": "trust "}])
    company = make_record("company", name="TRUST", city="Berlin")
    step = making.create("company", "company", "name", label=employer)
    run = enroll(making.make_workflow("contact", step), contacts)
    associate(contacts[0], company, make_label("contact", "company", "Trusted friend"))
    return run, company, contacts


@pytest.fixture(scope="module")
def asked(site: str) -> Record:
    contact = make_record("contact", firstname="Noa", company="Twin")
    make_records(
        "company", [{"name": "Twin", "city": "Rome", "domain": "one.example"}, {"name": "twin", "city": "Bern"}]
    )
    step = making.create("company", "company", "name", several="review")
    enroll(making.make_workflow("contact", step), [contact])
    return contact


@pytest.fixture(scope="module")
def doubtful(site: str) -> Record:
    contact = make_record("contact", firstname="Ola", company="Double")
    make_records("company", [{"name": f"Double{' ' * number}", "city": f"Place {number}"} for number in range(3)])
    step = making.create("company", "company", "name", several="review")
    enroll(making.make_workflow("contact", step), [contact])
    return contact


def test_a_record_under_review_is_decided_by_clicking(page: Page, asked: Record) -> None:
    page.goto(url("workflow_review"))
    page.locator(f"a[href*='/review/'][href$='/{asked.pk}/']").click()
    expect(page.get_by_role("row", name=re.compile("City"))).to_contain_text("Bern")
    shoot(page, "pick")
    page.get_by_role("button", name=re.compile("Associate with twin", re.IGNORECASE)).last.click()
    expect(page.get_by_text("The records are associated.")).to_be_visible()
    assert not review.questions().filter(record=asked).exists()


def test_none_of_the_candidates_is_said_by_clicking_and_the_record_says_so(page: Page, doubtful: Record) -> None:
    page.goto("/admin/")
    page.get_by_role("link", name=re.compile("to review")).click()
    page.locator(f"a[href*='/review/'][href$='/{doubtful.pk}/']").click()
    shoot(page, "none")
    page.get_by_role("button", name="None of these").click()
    expect(page.get_by_text("None of them: the record stays as it is.")).to_be_visible()
    assert not review.questions().filter(record=doubtful).exists()
    page.goto(url("enrollment_changelist", q=doubtful.pk))
    expect(page.get_by_text(re.compile("None of them, said "))).to_be_visible()


def test_a_run_is_undone_by_clicking_and_lists_what_it_left(page: Page, made: Made) -> None:
    run, company, [kept, other] = made
    page.goto(url("run_change", run.pk))
    page.get_by_role("link", name="Undo").click()
    expect(page.get_by_text("left alone: Changed since").first).to_be_visible()
    shoot(page, "undo")
    page.get_by_role("button", name="Undo this run").click()
    expect(page.get_by_role("heading", name=re.compile("^Undo, .*finished"))).to_be_visible(timeout=60_000)
    assert words(other, company) == set()
    assert "unlabeled" in words(kept, company)
    shoot(page, "undone")
    page.get_by_role("link", name="Why").click()
    expect(page.get_by_text("“Trust” = “TRUST”").first).to_be_visible()
    shoot(page, "why")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_the_pages_are_accessible(open_admin: OpenAdmin, made: Made, width: int, dark: bool) -> None:
    page = open_admin(width=width, dark=dark)
    run, company, [kept, _] = made
    run.refresh_from_db()
    counted = undo_preview.count(run, redo=run.undone_at is not None)
    wait_until(lambda: not Undo.objects.filter(pk=counted.pk, state=Undo.State.RUNNING).exists(), 60)
    contact = make_record("contact", firstname="Pia", company=f"Unclear {width}")
    make_records("company", [{"name": f"Unclear {width}", "city": place} for place in ("Rome", "Bern", "Oslo")])
    asking = making.make_workflow("contact", making.create("company", "company", "name", several="review"))
    asked = enroll(asking, [contact])
    [question] = review.questions(asking)
    addresses = {
        "undo": url("run_undo", run.pk),
        "why": url("workflow_why", kept.pk, company.pk),
        "review": url("workflow_review", workflow=asking.pk),
        "pick": url("workflow_pick", question.action_run_id, contact.pk),
        "run": url("run_change", asked.pk),
        "workflow": url("workflow_change", asking.pk),
        "front": "/admin/",
    }
    for name, address in addresses.items():
        page.goto(address)
        shoot(page, f"{name}-{width}{'-dark' if dark else ''}")
        assert not violations(page)
        assert not overflows(page)
