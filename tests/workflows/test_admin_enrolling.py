"""Enrolling from the list of records: those selected on the page at once, all that is listed by a worker."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from associations.models import BulkJob, Record
from associations.services import bulk
from tests.associations.admin_pages import messages_on, sign_in
from tests.associations.admin_pages import url as page_url
from tests.factories import make_records
from workflows.models import Enrollment, Run, Workflow

from .admin_workflows import url
from .making import create, make_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow("contact", create("company", "company", "name"))


def enroll_selected(client: Client, records: list[Record], across: bool = False, **more: Any) -> Any:
    data = {
        "action": "enroll_selected",
        "_selected_action": [each.pk for each in records],
        "select_across": int(across),
    }
    query = {"value_of": "city", "value_is": "Bonn"} if across else {}
    return client.post(page_url("record_changelist", object_type="contact", **query), {**data, **more}, follow=True)


def test_selected_records_are_enrolled_in_the_workflow_that_is_chosen(workflow: Workflow) -> None:
    other = make_workflow("contact", create("company", "company", "name"))
    make_workflow("company", create("contact", "name", "company"))
    contacts, client = make_records("contact", 3), sign_in()
    asked = enroll_selected(client, contacts[:2])
    assert {each.pk for each in asked.context["workflows"]} == {workflow.pk, other.pk}
    assert not Run.objects.exists()
    page = enroll_selected(client, contacts[:2], workflow=other.pk)
    run = Run.objects.get()
    assert page.redirect_chain[-1][0] == url("run_change", run.pk)
    assert (run.workflow, run.started_by) == (other, page.context["user"])
    assert set(Enrollment.objects.values_list("record", flat=True)) == {each.pk for each in contacts[:2]}
    assert f"run {run.pk}" in LogEntry.objects.get().change_message


def test_all_that_is_listed_is_enrolled_by_a_worker(workflow: Workflow) -> None:
    contacts = make_records("contact", [{"city": "Bonn"}, {"city": "Rome"}, {"city": "Bonn"}])
    enroll_selected(sign_in(), contacts[:1], across=True, workflow=workflow.pk)
    job = BulkJob.objects.get()
    while job.finished_at is None:
        bulk.run(job.pk)
        job.refresh_from_db()
    run = Run.objects.get()
    assert (job.state, job.link) == ("finished", url("run_change", run.pk))
    assert set(Enrollment.objects.values_list("record", flat=True)) == {contacts[0].pk, contacts[2].pk}
    assert job.link in sign_in().get(page_url("bulkjob_change", job.pk)).content.decode()


def test_where_no_workflow_is_on_that_is_said() -> None:
    make_workflow("contact", create("company", "company", "name"), on=False)
    page = enroll_selected(sign_in(), make_records("contact", 1))
    assert messages_on(page) == ["No workflow for contacts is on: turn one on first."]


def test_enrolling_takes_its_permission(workflow: Workflow) -> None:
    contacts = make_records("contact", 1)
    for permissions, offered in ((["view_record"], False), (["view_record", "run_workflow"], True)):
        client = sign_in(*permissions)
        form = client.get(page_url("record_changelist")).context["action_form"]
        assert ("enroll_selected" in dict(form.fields["action"].choices)) is offered
        enroll_selected(client, contacts, workflow=workflow.pk)
        assert Run.objects.exists() is offered
