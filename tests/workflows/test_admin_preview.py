"""The pages Preview and Test with a record."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from associations.models import Record
from tests.associations.admin_pages import record_url, sign_in, submit
from tests.factories import make_label, make_record, make_records
from tests.workflows.admin_workflows import page_of, text, url
from tests.workflows.making import create, enroll, everything, is_, make_workflow, set_steps
from workflows.models import Preview, Workflow
from workflows.services import lifecycle, preview

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    make_record("company", name="Alder <Foods>")
    make_records("contact", [{"company": "alder <foods>", "email": "ada@example.com"}, {"company": "Birch"}, {}])
    label = make_label("contact", "company", "Employer")
    known = is_("company", operator="is_known")
    return make_workflow("contact", create("company", "company", "name", label=label), triggers=[[known]], on=False)


@pytest.fixture
def client() -> Any:
    return sign_in("view_workflow", "view_record")


def test_the_preview_shows_figures_and_examples(client: Any, workflow: Workflow) -> None:
    before = everything()
    page = client.get(url("workflow_preview", workflow.pk))
    body = text(page)
    assert "<b>2</b> of 3 contacts" in body
    assert "Counted exactly just now" in body
    assert "Alder &lt;Foods&gt;" in body
    assert "associated, Employer, Primary; its value: Alder &lt;Foods&gt;" in body
    company = Record.objects.get(object_type__name="company")
    assert record_url(company) in body
    assert everything() == before
    assert url("workflow_preview", workflow.pk) in text(client.get(page_of(workflow)))


def test_all_rows_come_as_a_file(client: Any, workflow: Workflow) -> None:
    file = client.get(url("workflow_preview_csv", workflow.pk))
    lines = b"".join(file.streaming_content).decode().splitlines()
    assert len(lines) == 5
    assert file["Content-Disposition"] == f'attachment; filename="preview-{workflow.pk}.csv"'


def test_of_many_it_shows_an_estimate_until_a_worker_has_counted(
    client: Any, workflow: Workflow, run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "SAMPLE", 10)
    make_records("contact", [{"company": "Birch"}] * 97)
    address = url("workflow_preview", workflow.pk)
    assert "An estimate from" in text(client.get(address))
    monkeypatch.setattr(preview, "READ_WITHIN", -1)
    assert "values that are compared were never read before" in text(client.get(address))
    assert client.get(url("workflow_preview_csv", workflow.pk)).url == address
    page = submit(client, address, "preview_form")
    assert 'data-live="moving"' in text(page)
    assert "<progress" in text(page)
    run_jobs()
    body = text(client.get(address))
    assert "<b>99</b> of 100 contacts" in body
    assert 'data-live="still"' in body
    assert len(list(client.get(url("workflow_preview_csv", workflow.pk)).streaming_content)) == 1
    Preview.objects.all().delete()
    assert "An estimate from" in text(client.get(address))
    assert "about" in text(client.get(address))


def test_one_record_is_told_filter_by_filter_and_action_by_action(client: Any, workflow: Workflow) -> None:
    before = everything()
    address = url("workflow_test", workflow.pk)
    assert "Nothing is kept of a test" in text(client.get(address))
    body = text(client.get(address, {"record": "ada@example.com"}))
    assert "meets the triggers" in body
    assert "<td>yes</td><td>alder &lt;foods&gt;</td>" in body
    assert "associated, Employer, Primary" in body
    assert "There is no contact" in text(client.get(address, {"record": "Zoe"}))
    assert everything() == before


def test_what_cannot_be_tried_yet_says_why(client: Any, workflow: Workflow) -> None:
    set_steps(workflow)
    for page in ("workflow_preview", "workflow_test", "workflow_preview_csv"):
        answer = client.get(url(page, workflow.pk), {"record": "ada@example.com"}, follow=True)
        assert "cannot be tried yet. A workflow needs at least one action." in text(answer)


@pytest.mark.parametrize("page", ["workflow_preview", "workflow_test", "workflow_preview_csv"])
@pytest.mark.parametrize("permission", ["view_workflow", "view_record"])
def test_who_may_not_see_workflow_and_records_sees_neither(page: str, permission: str, workflow: Workflow) -> None:
    assert sign_in(permission).get(url(page, workflow.pk)).status_code == 403


def test_preview_and_turning_on_tell_of_the_look_at_those_who_were_enrolled_before() -> None:
    make_record("company", city="Rome")
    contacts = make_records("contact", [{"city": "Rome"}, {"city": "Rome"}])
    workflow = make_workflow("contact", create("company", "city", "city", keep_in_sync=True))
    pages = [url("workflow_preview", workflow.pk), url("workflow_turn_on", workflow.pk)]
    words = "2 contacts that were enrolled before will be looked at again"
    lifecycle.turn_off(workflow)
    admin = sign_in()
    assert all(words not in text(admin.get(page)) for page in pages), "nobody was enrolled"
    lifecycle.turn_on(workflow)
    enroll(workflow, contacts)
    assert words not in text(admin.get(pages[0])), "it is on"
    lifecycle.turn_off(workflow)
    assert all(words in text(admin.get(page)) for page in pages)
    output = io.StringIO()
    call_command("preview_workflow", str(workflow.pk), stdout=output)
    assert words in output.getvalue()
    set_steps(workflow, create("company", "city", "city"))
    assert all(words not in text(admin.get(page)) for page in pages), "it keeps in sync no longer"
