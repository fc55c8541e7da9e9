"""The log of a run, how far it is, and the admin's front: what comes of workflows, at a glance and in detail."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from associations.models import AssociationFigure, Record
from associations.types import DirectedType
from tests.associations.admin_pages import sign_in
from tests.factories import associate, limit, make_label, make_record, make_records, unlabeled
from workflows import jobs
from workflows.admin.outcomes import WIDTH, bars_of
from workflows.models import Batch, Outcome, Run, Workflow
from workflows.querysets import OutcomeSum, progress_of
from workflows.services import enrollment
from workflows.services.events import process_events
from workflows.templatetags.dashboard import ago

from .admin_workflows import text, url
from .making import apply, create, enroll, make_workflow, work_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def employer() -> DirectedType:
    return make_label("contact", "company", "Employer", "Employee")


@pytest.fixture
def workflow(employer: DirectedType) -> Workflow:
    make_record("company", name="Acme")
    return make_workflow("contact", create("company", "company", "name", label=employer), apply(employer))


def contacts() -> list[Record]:
    return make_records("contact", [{"email": "a@x.example", "company": "ACME"}, {"company": "=1+1"}, {"city": "Rome"}])


def file_of(client: Client, run: Run, **query: object) -> list[dict[str, str]]:
    response = client.get(url("run_log", run.pk, **query))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(content)))


# The log ----------------------------------------------------------------------------------------


def test_the_log_says_what_was_looked_for_and_what_was_found(workflow: Workflow) -> None:
    run = enroll(workflow, contacts())
    page = text(sign_in().get(url("enrollment_changelist", run=run.pk)))
    acme = Record.objects.get(properties__name="Acme")
    assert f"<title>Log of run {run.pk}" in page
    assert (
        f'Association created <i>“ACME”</i> → <a href="/admin/associations/record/{acme.pk}/change/">Acme</a>' in page
    )
    assert "No record matches <i>“=1+1”</i></div>" in page
    assert "The record has no value to match</div>" in page
    only = text(sign_in().get(url("enrollment_changelist", run=run.pk, outcome="no_match")))
    assert "“=1+1”" in only
    assert "“ACME”" not in only
    assert f'href="{url("run_log", run.pk)}?outcome=no_match"' in only


def test_a_log_is_downloaded_whole_or_for_one_outcome(workflow: Workflow) -> None:
    run, client = enroll(workflow, contacts()), sign_in()
    acme = Record.objects.get(properties__name="Acme")
    rows = file_of(client, run)
    first = [row for row in rows if row["record"] == "a@x.example"]
    assert [(row["action"], row["outcome"], row["value"], row["found"]) for row in first] == [
        ("1", "Association created", "ACME", f"Acme ({acme.pk})"),
        ("2", "Was there already", "", ""),
    ]
    assert {row["value"] for row in rows} == {"ACME", "'=1+1", ""}  # a spreadsheet would compute it
    unmatched = file_of(client, run, outcome="no_match")
    assert {row["record_id"] for row in unmatched} == {row["record_id"] for row in rows if row["value"] == "'=1+1"}


def test_the_log_of_many_is_read_in_parts(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.services.run_log.CHUNK", 2)
    run = enroll(workflow, make_records("contact", [{"company": "Acme"}] * 5))
    assert len({row["record_id"] for row in file_of(sign_in(), run)}) == 5


def test_the_log_is_for_those_who_may_see_runs_and_records(workflow: Workflow) -> None:
    run = enroll(workflow, contacts())
    for permissions in (["view_run"], ["view_record"]):
        assert sign_in(*permissions).get(url("run_log", run.pk)).status_code == 403
    assert sign_in("view_run", "view_record").get(url("run_log", run.pk)).status_code == 200


# How far it is ----------------------------------------------------------------------------------


def test_a_run_that_goes_on_has_a_bar_that_moves_with_every_action_of_every_batch(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrollment, "BATCH", 2)
    run = enrollment.enroll_records(workflow, [each.pk for each in contacts()])
    client, percents = sign_in(), []
    for batch in Batch.objects.order_by("id"):
        for position in range(2):
            jobs.run_action(batch.pk, position)
            run.refresh_from_db()
            percents.append(progress_of([run])[run.pk].percent(2))
            if run.finished_at is None:
                for address in (url("run_change", run.pk), url("run_changelist"), "/admin/"):
                    page = text(client.get(address))
                    assert f'<progress max="100" value="{percents[-1]}"' in page
                    assert 'data-live="moving"' in page
    assert percents == [25, 50, 75, 100]
    page = text(client.get(url("run_change", run.pk)))
    assert "<progress" not in page
    assert 'data-live="still"' in page


def test_an_action_s_bar_is_cut_in_proportion_to_its_outcomes() -> None:
    sums = [
        OutcomeSum(Outcome.CREATED, 2, 2),
        OutcomeSum(Outcome.NO_MATCH, 1, 0),
        OutcomeSum(Outcome.LIMIT_REACHED, 0, 0),
    ]
    bars = bars_of([*sums[:2], OutcomeSum(Outcome.CAPPED, 1000, 0)])
    assert sum(bar.width for bar in bars) == WIDTH
    assert [bar.tone for bar in bars] == ["did", "nothing", "stopped"]
    assert [bar.share for bar in bars] == ["under 1 %", "under 1 %", "100 %"]
    assert bars_of([]) == []


# The front --------------------------------------------------------------------------------------


def front(client: Client) -> str:
    return text(client.get("/admin/")).partition('id="dashboard"')[2].partition('class="app-lists"')[0]


def test_the_front_says_what_lives_what_failed_and_what_was_made(workflow: Workflow) -> None:
    run = enroll(workflow, contacts())
    ann, acme = make_record("contact", email="ann@x.example"), make_record("company", name="Other")
    associate(ann, acme)
    process_events()
    Run.objects.filter(pk=run.pk).update(state=Run.State.FAILED)
    page = front(sign_in())
    assert "<b>1</b> live workflow" in page
    assert ">just now</a>" in page
    assert f'{url("run_changelist")}?state__exact=failed"' in page
    assert "<b>2</b> associations in 30 days" in page
    assert ": 1 by workflows, 1 otherwise</title>" in page
    assert "also what undoing put back" in page
    assert "What failed last" in page
    assert f'{url("run_change", run.pk)}"' in page
    assert "No worker runs" in page


def test_the_chart_is_of_the_last_thirty_days_and_of_associations_only(employer: DirectedType) -> None:
    today = timezone.localdate()
    for days, type_id, added in ((0, 279, 7), (29, 4, 2), (30, 279, 500), (1, employer.type_id, 90)):
        day = today - dt.timedelta(days)
        AssociationFigure.objects.create(day=day, type_id=type_id, source="workflow", added=added)
    assert "<b>9</b> associations in 30 days" in front(sign_in())


def test_each_sees_of_the_front_what_they_may(workflow: Workflow) -> None:
    enroll(workflow, contacts())
    assert 'id="dashboard"' not in text(sign_in("view_user").get("/admin/"))
    seen = {
        name: {word for word in ("live workflow", "failed batch", "in 30 days") if word in front(sign_in(name))}
        for name in ("view_workflow", "view_run", "view_record")
    }
    assert seen == {"view_workflow": {"live workflow"}, "view_run": {"failed batch"}, "view_record": {"in 30 days"}}


def test_the_front_leads_to_the_review_who_may_pick() -> None:
    link = f'href="{url("workflow_review")}"'
    assert link in front(sign_in("run_workflow", "view_record"))
    assert link not in front(sign_in("view_record"))


def test_the_front_and_the_log_ask_as_often_for_many_as_for_few(workflow: Workflow, employer: DirectedType) -> None:
    def queries() -> list[int]:
        counts = []
        for address in ("/admin/", url("enrollment_changelist", run=Run.objects.latest("id").pk)):
            client = sign_in()
            client.get(address)
            with CaptureQueriesContext(connection) as captured:
                client.get(address)
            counts.append(len(captured))
        return counts

    run = enroll(workflow, contacts())
    Run.objects.update(state=Run.State.FAILED)
    process_events()
    enrollment.enroll_matching(workflow, [[]])
    few = queries()
    work_off()
    for _ in range(4):
        other = make_workflow("contact", create("company", "company", "name"), apply(employer))
        enroll(other, make_records("contact", [{"company": "Acme"}, {"company": "Nobody"}] * 3))
        enrollment.enroll_matching(other, [[]])
    Run.objects.filter(finished_at__isnull=False).update(state=Run.State.FAILED)
    process_events()
    assert queries() == few
    assert run.pk


def test_who_is_kept_out_by_a_limit_is_in_the_log_with_the_value(workflow: Workflow) -> None:
    limit(unlabeled("contact", "company").reverse, to=1)
    run = enroll(workflow, make_records("contact", [{"company": "Acme"}] * 2))
    rows = file_of(sign_in(), run, outcome="limit_reached")
    assert [(row["outcome"], row["value"], row["found"]) for row in rows if row["action"] == "1"] == [
        ("A limit allows no more", "Acme", "")
    ]


def test_how_long_ago_takes_a_few_letters() -> None:
    now = timezone.now()
    assert [ago(now - dt.timedelta(minutes=each)) for each in (0, 3, 125)] == [
        "just now",
        "3\xa0minutes ago",
        "2\xa0hours ago",
    ]


def test_a_run_that_keeps_in_sync_says_whom_it_was_about(workflow: Workflow) -> None:
    run = enroll(workflow, contacts())
    Run.objects.filter(pk=run.pk).update(cause=Run.Cause.KEEP_IN_SYNC)
    assert "Enrolled contacts that the changed values concern" in text(sign_in().get(url("run_change", run.pk)))


def test_what_can_be_done_with_a_run_comes_while_people_watch_it_end(workflow: Workflow) -> None:
    page = sign_in().get(url("run_change", enroll(workflow, contacts()).pk)).content.decode()
    tools = page.partition('<div id="run-tools" data-live')[2].partition("</div>")[0]
    assert ">Undo</a>" in tools
