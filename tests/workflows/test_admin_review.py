"""The pages of the review: who sees and answers them, and where the number of those that wait is told."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import Association
from tests.associations.admin_pages import sign_in
from tests.factories import make_records, words
from tests.workflows import making
from tests.workflows.admin_workflows import text, url
from tests.workflows.reviewing import asked, open_ones, rule_out, the_one
from workflows.services import review

pytestmark = pytest.mark.django_db


def test_the_number_of_queries_to_find_questions_does_not_grow() -> None:
    workflow, _, _, _ = asked()

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            list(review.questions())
        return len(queries)

    before = count()
    making.enroll(workflow, make_records("contact", [{"company": "alder"}] * 5))
    assert len(open_ones()) == 6 and count() == before


def test_the_pages_show_candidates_side_by_side_and_take_the_answer() -> None:
    _, _, contact, [first, second] = asked()
    client = sign_in("run_workflow", "view_record")
    address = url("workflow_pick", the_one().action_run.pk, contact.pk)
    assert address in text(client.get(url("workflow_review")))
    page = text(client.get(address))
    assert "City 0" in page and "City 1" in page and "This one" in page
    answered = client.post(address, {"other": second.pk}, follow=True)
    assert "The records are associated." in text(answered) and "Nothing is to be decided." in text(answered)
    assert "unlabeled" in words(contact, second) and words(contact, first) == set()
    late = client.post(address, {"other": first.pk}, follow=True)
    assert "no longer to be decided" in text(late)


@pytest.mark.parametrize("permission", ["run_workflow", "view_record"])
def test_only_who_may_run_workflows_and_see_records_may_pick(permission: str) -> None:
    _, _, contact, [first, _] = asked()
    client = sign_in(permission)
    address = url("workflow_pick", the_one().action_run.pk, contact.pk)
    assert client.get(url("workflow_review")).status_code == 403
    assert client.post(address, {"other": first.pk}).status_code == 403
    assert not Association.objects.exists()


def test_the_page_takes_none_of_these_and_shows_the_others_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "MOST_CANDIDATES", 2)
    _, _, contact, companies = asked(several=3)
    client = sign_in("run_workflow", "view_record")
    address = url("workflow_pick", the_one().action_run.pk, contact.pk)
    assert "The others are shown then." in text(client.get(address))
    more = client.post(address, {"none": "1", "candidate": [each.pk for each in companies[:2]]}, follow=True)
    assert "City 2" in text(more) and "City 0" not in text(more)
    end = client.post(address, {"none": "1", "candidate": [companies[2].pk]}, follow=True)
    assert "None of them" in text(end) and "Nothing is to be decided." in text(end)
    assert not Association.objects.exists()


def test_the_front_and_the_pages_of_workflow_and_run_say_how_many_wait() -> None:
    workflow, run, _, companies = asked()
    other = making.make_workflow("contact", making.create("company", "company", "name"))
    client = sign_in()
    assert "<b>1</b> record to review" in text(client.get("/admin/"))
    link = f'href="{url("workflow_review")}?workflow={workflow.pk}">Review: 1</a>'
    for address in (url("workflow_change", workflow.pk), url("run_change", run.pk)):
        assert link in text(client.get(address))
    assert "Review: " not in text(client.get(url("workflow_change", other.pk)))
    assert "Alder" in text(client.get(url("workflow_review", workflow=workflow.pk)))
    assert "Nothing is to be decided." in text(client.get(url("workflow_review", workflow=other.pk)))
    rule_out(*companies)
    assert "<b>0</b> records to review" in text(client.get("/admin/"))


@pytest.mark.parametrize("permission", ["run_workflow", "view_record"])
def test_only_who_may_pick_may_rule_out_and_sees_how_many_wait(permission: str) -> None:
    workflow, _, contact, companies = asked()
    client = sign_in(permission, "view_workflow")
    address = url("workflow_pick", the_one().action_run.pk, contact.pk)
    sent = {"none": "1", "candidate": [each.pk for each in companies]}
    assert client.post(address, sent).status_code == 403
    assert "to review" not in text(client.get("/admin/"))
    assert "Review: " not in text(client.get(url("workflow_change", workflow.pk)))
    assert len(open_ones()) == 1
