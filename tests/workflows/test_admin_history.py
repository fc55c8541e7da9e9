"""Runs and enrollments in the admin: what came of a workflow, in words and numbers, for many as quickly as for few."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.admin.paging import CappedPaginator
from associations.models import Record
from associations.services import labels, schema
from associations.types import DirectedType
from tests.associations.admin_pages import record_url, sign_in
from tests.factories import make_label, make_record, make_records, object_type
from workflows.models import ActionRun, Batch, Enrollment, Run, Workflow
from workflows.services import enrollment, lifecycle

from .admin_workflows import page_of, text, url
from .making import apply, create, enroll, is_, make_workflow, set_steps

pytestmark = pytest.mark.django_db

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def employer() -> DirectedType:
    return make_label("contact", "company", "Employer", "Employee")


def employers(employer: DirectedType) -> tuple[Workflow, list[Record]]:
    """A workflow, and a contact for each of three outcomes: associated, nobody to match, nothing to match."""
    make_record("company", name="Acme")
    workflow = make_workflow("contact", create("company", "company", "name"), apply(employer))
    return workflow, make_records("contact", [{"company": "ACME"}, {"company": "Unknown Ltd"}, {"city": "Rome"}])


def cells(page: str) -> str:
    """What a page says, without its mark-up."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


# Workflows --------------------------------------------------------------------------------------


def test_the_list_of_workflows_says_how_they_stand(employer: DirectedType, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow, records = employers(employer)
    make_workflow("deal", on=False)
    run = enroll(workflow, records)
    client = sign_in()
    row = text(client.get(url("workflow_changelist"))).partition("result_list")[2]
    assert url("run_change", run.pk) in row
    assert f'{url("enrollment_changelist")}?workflow__id__exact={workflow.pk}">3</a>' in row
    assert 'field-number_of_actions">2</td>' in row
    assert 'field-number_of_actions">0</td>' in row
    monkeypatch.setattr("workflows.admin.workflow.MOST_COUNTED", 2)
    assert ">2+</a>" in text(client.get(url("workflow_changelist")))


def test_revisions_say_what_ran_and_what_runs(employer: DirectedType) -> None:
    workflow, _ = employers(employer)
    set_steps(workflow, apply(employer))
    lifecycle.edited(workflow)
    page = cells(text(sign_in().get(url("workflow_revisions", workflow.pk))))
    newest, oldest = page.split("Revision 2: what runs now")[1].split("Revision 1 ")
    assert "Associate each enrolled contact" in oldest
    assert "Associate each enrolled contact" not in newest
    assert "Apply the label Employer to every associated company." in newest


def test_an_old_revision_whose_label_is_gone_says_so(employer: DirectedType) -> None:
    workflow, _ = employers(employer)
    set_steps(workflow, create("company", "company", "name"))
    lifecycle.edited(workflow)
    labels.delete_label(employer.type)
    page = text(sign_in().get(url("workflow_revisions", workflow.pk)))
    assert "Select a valid choice." in page
    assert page.count("Associate each enrolled contact") == 2


# Runs -------------------------------------------------------------------------------------------


def test_a_run_sums_the_outcomes_of_its_batches(employer: DirectedType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrollment, "BATCH", 2)
    workflow, records = employers(employer)
    run = enroll(workflow, records)
    client = sign_in()
    listed = cells(text(client.get(url("run_changelist"))).partition("result_list")[2])
    assert "Finished" in listed
    for told in ("1 Association created", "1 No record matches", "1 The record has no value to match", "1 Label added"):
        assert told in listed
    page = text(client.get(url("run_change", run.pk)))
    assert "Batches: 2 of 2 done" in page
    assert f"{url('enrollment_changelist')}?run={run.pk}&amp;outcome=no_match" in page
    table = cells(page.partition("What came of it")[2].partition("Batches")[0])
    first, second = table.split("2. Apply association label")
    for told in ("Association created 1 33 % 1", "The record has no value to match 1 33 %", "No record matches 1 33 %"):
        assert told in first
    assert "Label added 1 33 % 1" in second


def test_a_failed_batch_says_why(employer: DirectedType) -> None:
    workflow, records = employers(employer)
    run = enrollment.enroll_records(workflow, [each.pk for each in records])
    run.batches.update(state=Batch.State.FAILED, error=f"ValueError: {EVIL}")
    run.state = Run.State.FAILED
    run.save()
    page = text(sign_in().get(url("run_change", run.pk)))
    assert "Failed batches: 1" in page
    assert "ValueError: &lt;script&gt;" in page


def test_a_run_that_waits_has_a_page_too(employer: DirectedType) -> None:
    workflow, _ = employers(employer)
    run = enrollment.enroll_matching(workflow, [[is_("city", "Rome")], [is_("city", "Oslo")]])
    page = text(sign_in().get(url("run_change", run.pk)))
    assert "waits for a worker" in page
    assert "City is any of Rome; or City is any of Oslo" in page


# Enrollments ------------------------------------------------------------------------------------


def test_an_enrollment_tells_what_each_action_did_and_for_which_value(employer: DirectedType) -> None:
    workflow, [associated, unmatched, _] = employers(employer)
    acme = Record.objects.get(object_type=object_type("company"))
    enroll(workflow, [associated, unmatched])
    client = sign_in()
    page = text(client.get(url("enrollment_change", Enrollment.objects.get(record=associated).pk)))
    assert record_url(associated) in page
    assert page.count(record_url(acme)) == 3
    told = cells(page.partition("What each action did")[2])
    for words in ("Association created “ACME” 1", "Associated with", "Label added: Primary", "Label added: Employer"):
        assert words in told
    page = text(client.get(url("enrollment_change", Enrollment.objects.get(record=unmatched).pk)))
    assert "No record matches “Unknown Ltd”" in cells(page)
    assert record_url(acme) not in page


def listed(query: str) -> set[int]:
    page = sign_in().get(f"{url('enrollment_changelist')}?{query}")
    return {each.record_id for each in page.context["cl"].result_list}


def test_enrollments_are_found_by_workflow_run_state_outcome_and_record(employer: DirectedType) -> None:
    workflow, records = employers(employer)
    made, unmatched, empty = (record.pk for record in records)
    run = enroll(workflow, records[:2])
    other = make_workflow("contact", create("company", "company", "name"))
    second = enroll(other, records[2:])
    Enrollment.objects.filter(record=made).update(state=Enrollment.State.FAILED)
    assert listed("") == {made, unmatched, empty}
    assert listed(f"workflow__id__exact={workflow.pk}") == {made, unmatched}
    assert listed(f"run={run.pk}") == {made, unmatched}
    assert listed(f"run={second.pk}") == {empty}
    assert listed("state__exact=failed") == {made}
    assert listed("outcome=no_match") == {unmatched}
    assert listed(f"outcome=created&run={run.pk}") == {made}
    assert listed(f"outcome=created&run={second.pk}") == set()
    assert listed("outcome=nonsense") == set()
    assert listed(f"q={unmatched}") == {unmatched}
    assert listed("q=Ann") == listed(f"q={9**30}") == set()
    assert listed("run=nonsense") == {made, unmatched, empty}


def test_only_so_many_enrollments_are_counted(employer: DirectedType, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow, records = employers(employer)
    enroll(workflow, records)
    client = sign_in()
    monkeypatch.setattr(CappedPaginator, "MOST", 2)
    with CaptureQueriesContext(connection) as captured:
        page = client.get(url("enrollment_changelist"))
    assert page.context["cl"].result_count == 2
    assert "filter or search to find others" in text(page)
    counts = [query["sql"] for query in captured if "COUNT(" in query["sql"].upper()]
    assert len(counts) == 1
    assert "LIMIT 3" in counts[0]
    monkeypatch.setattr(CappedPaginator, "MOST", 3)
    assert "filter or search to find others" not in text(client.get(url("enrollment_changelist")))


# Every page -------------------------------------------------------------------------------------


def every_page() -> list[str]:
    workflow, run, enrolled = Workflow.objects.latest("id"), Run.objects.latest("id"), Enrollment.objects.latest("id")
    return [
        *(url(f"{model}_changelist") for model in ("workflow", "run", "enrollment")),
        page_of(workflow),
        url("workflow_add"),
        url("workflow_compare_revisions", workflow.pk, old=1, new=1),
        url("workflow_restore", workflow.pk, 1),
        url("workflow_enroll_existing", workflow.pk),
        url("workflow_enroll", workflow.pk),
        url("workflow_turn_off", workflow.pk),
        url("workflow_revisions", workflow.pk),
        url("workflow_history", workflow.pk),
        url("run_change", run.pk),
        url("enrollment_change", enrolled.pk),
    ]


def test_what_people_enter_is_text_on_every_page() -> None:
    pet = schema.create_object_type(
        name="pet", label=EVIL, plural_label=EVIL, primary_property="name", primary_label=EVIL
    )
    label = labels.create_label(pet, pet, label=EVIL, inverse_label=f"{EVIL}{EVIL}")
    pets = make_records("pet", [{"name": EVIL}, {"name": EVIL}])
    workflow = make_workflow(pet, create("pet", "name", "name", label=label), triggers=[[is_("name", EVIL)]])
    Workflow.objects.update(name=EVIL, description=EVIL)
    enroll(workflow, pets)
    client, shown = sign_in(), 0
    for codename in ((), ("view_workflow", "view_run", "view_enrollment")):
        client = sign_in(*codename)
        for address in every_page():
            page = client.get(address, follow=True)
            assert EVIL not in text(page), address
            shown += page.status_code == 200 and "&lt;script&gt;" in text(page)
    assert shown > 15
    lifecycle.turn_off(workflow)
    question = text(sign_in().get(url("workflow_turn_on", workflow.pk)))
    assert "&lt;script&gt;" in question
    assert EVIL not in question


def test_every_page_keeps_to_the_content_security_policy(employer: DirectedType) -> None:
    workflow, records = employers(employer)
    enroll(workflow, records)
    client = sign_in()
    for address in every_page():
        response = client.get(address)
        assert "default-src 'self'" in response["Content-Security-Policy"]
        inline = re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", text(response))
        assert not inline, address
        assert not re.findall(r"(?:src|action)=\"(?:https?:)?//", text(response)), address


def queries(address: str) -> int:
    client = sign_in()
    client.get(address)  # what Django keeps for the process (content types) is read by now
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_pages_ask_the_database_as_often_for_many_rows_as_for_few(
    employer: DirectedType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrollment, "BATCH", 2)
    workflow, records = employers(employer)
    enroll(workflow, records)
    pages = [url(f"{model}_changelist") for model in ("workflow", "run", "enrollment")]
    own = [url("workflow_revisions", workflow.pk), page_of(workflow), url("run_change", Run.objects.get().pk)]
    few = [queries(page) for page in (*pages, *own)]
    for number in range(6):
        other = make_workflow("contact", create("company", "company", "name"), apply(employer))
        enroll(other, make_records("contact", [{"company": "Acme"}, {"company": f"{number}"}, {}]))
        set_steps(workflow, *[create("company", "company", "name"), apply(employer)] * (number + 2))
        lifecycle.edited(workflow)
    enroll(workflow, make_records("contact", [{"company": "Acme"}] * 9))
    own[-1] = url("run_change", Run.objects.latest("id").pk)
    assert ActionRun.objects.count() > 20
    assert [queries(page) for page in (*pages, *own)] == few


def test_an_enrollment_s_page_asks_as_often_for_many_associations_as_for_one(employer: DirectedType) -> None:
    workflow, [ann, *_] = employers(employer)
    bob = make_record("contact", company="Big")
    make_records("company", [{"name": "Big"} for _ in range(30)])
    enroll(workflow, [ann, bob])
    one, many = (url("enrollment_change", Enrollment.objects.get(record=each).pk) for each in (ann, bob))
    assert queries(one) == queries(many)
