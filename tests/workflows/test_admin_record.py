"""What a record's page tells because there are workflows: what made each label, and where the record is enrolled."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.types import DirectedType
from tests.associations.admin_pages import record_url, sign_in
from tests.factories import associate, make_label, make_record
from workflows.admin import records

from .admin_workflows import text, url
from .making import apply, create, enroll, make_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def employer() -> DirectedType:
    return make_label("contact", "company", "Employer", "Employee")


def test_every_label_says_which_workflow_put_it_there_and_for_which_values(employer: DirectedType) -> None:
    acme, other = make_record("company", name="Acme"), make_record("company", name="Other")
    ann = make_record("contact", email="ann@example.com", company="ACME  ")
    associate(ann, other)
    workflow = make_workflow("contact", create("company", "company", "name"), apply(employer))
    run = enroll(workflow, [ann])
    page = text(sign_in().get(record_url(ann)))
    of_acme = page.partition(f'href="{record_url(acme)}">Acme</a>')[2].partition("</details>\n</li>")[0]
    told = " ".join(of_acme.split())
    assert f'<b>Associated</b>: by the workflow <a href="{url("workflow_change", workflow.pk)}">{workflow}</a>' in told
    assert f'revision 1, action 1, <a href="{url("run_change", run.pk)}">run {run.pk}</a>' in told
    assert "“ACME” matched “Acme”" in told
    assert "<b>Employer</b>: by the workflow" in told
    assert f"/workflow/why/{ann.pk}/{acme.pk}/" in told
    assert "<b>Associated</b>: by System a test" in page


def test_the_newest_enrollments_are_told_with_what_came_of_them(
    employer: DirectedType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "SHOWN", 2)
    ann = make_record("contact", email="ann@example.com", company="Nobody")
    workflows = [make_workflow("contact", create("company", "company", "name")) for _ in range(3)]
    for workflow in workflows:
        enroll(workflow, [ann])
    page = text(sign_in().get(record_url(ann))).partition('id="enrollments"')[2]
    assert f">{workflows[2]}</a>" in page
    assert f">{workflows[0]}</a>" not in page
    assert "No record matches <i>“Nobody”</i>" in page
    assert f'{url("enrollment_changelist")}?q={ann.pk}">All its enrollments' in page
    bob = make_record("contact", email="bob@example.com")
    assert "It was never enrolled in a workflow." in text(sign_in().get(record_url(bob)))
    assert 'id="enrollments"' not in text(sign_in("view_record").get(record_url(ann)))


def test_the_page_asks_as_often_for_many_enrollments_and_labels_as_for_few(employer: DirectedType) -> None:
    def queries() -> int:
        client = sign_in()
        client.get(record_url(ann))
        with CaptureQueriesContext(connection) as captured:
            client.get(record_url(ann))
        return len(captured)

    ann = make_record("contact", email="ann@example.com", company="Acme")
    make_record("company", name="Acme")
    enroll(make_workflow("contact", create("company", "company", "name"), apply(employer)), [ann])
    few = queries()
    for _ in range(4):
        make_record("company", name="Acme")
        enroll(make_workflow("contact", create("company", "company", "name"), apply(employer)), [ann])
    assert queries() == few
