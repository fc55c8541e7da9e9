"""Turning a workflow on and off in the admin, and enrolling records in it by hand."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.associations.admin_pages import messages_on, sign_in, submit
from tests.factories import make_record, make_records, object_type
from workflows.models import Batch, EnrollmentTrigger, Run, Workflow
from workflows.services import lifecycle

from .admin_workflows import page_of, text, turn_on, url
from .making import create, is_, make_workflow

pytestmark = pytest.mark.django_db

FORM = "enroll_form"


@pytest.fixture
def workflow() -> Workflow:
    """It is off, and three contacts meet its triggers."""
    make_records("contact", [{"city": city} for city in ("Rome", "Rome", "Rome", "Oslo")])
    return make_workflow("contact", create("company", "company", "name"), triggers=[[is_("city", "Rome")]], on=False)


def is_on(workflow: Workflow) -> bool:
    return Workflow.objects.get(pk=workflow.pk).is_enabled


# On and off -------------------------------------------------------------------------------------


def test_turning_on_asks_whether_those_who_meet_the_triggers_enroll_too(workflow: Workflow) -> None:
    page = text(sign_in().get(url("workflow_turn_on", workflow.pk)))
    assert "3 contacts meet the triggers now. Enroll them, too?" in page
    assert "City is any of Rome" in page
    assert "Associate each enrolled contact with every company" in page
    assert not is_on(workflow)


def test_the_question_leaves_out_whom_the_workflow_keeps_out(workflow: Workflow) -> None:
    unknown = {"property": "company", "operator": "is_unknown"}
    workflow.triggers.create(purpose=EnrollmentTrigger.Purpose.SUPPRESS, fields=unknown)
    make_record("contact", city="Rome", company="Acme")
    assert "1 contact meets the triggers now" in text(sign_in().get(url("workflow_turn_on", workflow.pk)))


@pytest.mark.parametrize(("pressed", "runs"), [({}, 0), ({"enroll": "yes"}, 1)])
def test_turning_on_enrolls_only_if_that_was_the_answer(workflow: Workflow, pressed: dict[str, str], runs: int) -> None:
    client = sign_in()
    page = turn_on(client, workflow, **pressed)
    assert is_on(workflow)
    assert [run.cause for run in Run.objects.all()] == [Run.Cause.TURNED_ON] * runs
    assert page.redirect_chain[-1][0] == (url("run_change", Run.objects.get().pk) if runs else page_of(workflow))
    client.post(url("workflow_turn_on", workflow.pk), {"enroll": "yes"})  # pressed twice
    assert Run.objects.count() == runs


def test_without_triggers_there_is_no_question() -> None:
    workflow = make_workflow("contact", create("company", "company", "name"), on=False)
    page = text(sign_in().get(url("workflow_turn_on", workflow.pk)))
    assert "meet the triggers" not in page
    assert 'name="enroll"' not in page
    turn_on(sign_in(), workflow)
    assert is_on(workflow)


@pytest.mark.parametrize("steps", [[], [("apply_label", {"to_object_type": "0-2"})]])
def test_what_is_not_complete_cannot_be_turned_on(steps: list[tuple[str, dict[str, str]]]) -> None:
    workflow = make_workflow("contact", *steps, on=False)
    client = sign_in()
    for ask in (client.get, client.post):
        page = ask(url("workflow_turn_on", workflow.pk), follow=True)
        assert "cannot be turned on yet" in messages_on(page)[0]
        assert page.redirect_chain[-1][0] == page_of(workflow)
    assert not is_on(workflow)


def test_turning_off_asks_first_and_needs_a_form_of_ours(workflow: Workflow) -> None:
    lifecycle.turn_on(workflow)
    client = sign_in()
    assert "Nobody will be enrolled any more" in text(client.get(url("workflow_turn_off", workflow.pk)))
    assert is_on(workflow)
    foreign = Client(enforce_csrf_checks=True)
    foreign.cookies = client.cookies
    for page in ("turn_off", "turn_on", "enroll"):
        assert foreign.post(url(f"workflow_{page}", workflow.pk)).status_code == 403
    assert is_on(workflow)
    client.post(url("workflow_turn_off", workflow.pk))
    assert not is_on(workflow)


# Enrolling --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("whom", "criteria"), [("matching", 1), ("all", [[]])])
def test_those_who_meet_the_triggers_or_all_enroll(workflow: Workflow, whom: str, criteria: object) -> None:
    lifecycle.turn_on(workflow)
    client = sign_in()
    assert "Those that meet the triggers now: 3 contacts" in text(client.get(url("workflow_enroll", workflow.pk)))
    page = submit(client, url("workflow_enroll", workflow.pk), FORM, whom=whom)
    run = Run.objects.get()
    expected = [[is_("city", "Rome")]] if criteria == 1 else criteria
    assert (run.cause, run.criteria) == (Run.Cause.MANUAL, expected)
    assert run.started_by_id == int(client.session["_auth_user_id"])
    assert page.redirect_chain[-1][0] == url("run_change", run.pk)


def test_named_records_enroll(workflow: Workflow) -> None:
    lifecycle.turn_on(workflow)
    one, other = make_records("contact", 2)
    submit(sign_in(), url("workflow_enroll", workflow.pk), FORM, whom="named", ids=f" {one.pk},\n{other.pk} {one.pk};")
    assert set(Batch.objects.get().enrollments.values_list("record", flat=True)) == {one.pk, other.pk}


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        ("", "Say which records."),
        ("12 Ann", "'Ann' is not a record id."),
        ("999999", "There is no contact 999999"),
        ("9" * 30, "is not a record id."),
        ("1 " * 10_001, "At most 10,000 records"),
    ],
)
def test_ids_that_cannot_enroll_are_refused_at_their_field(workflow: Workflow, ids: str, reason: str) -> None:
    lifecycle.turn_on(workflow)
    page = submit(sign_in(), url("workflow_enroll", workflow.pk), FORM, whom="named", ids=ids)
    assert reason in page.context["form"].errors["ids"][0]
    assert page.context["form"]["ids"].value() == ids
    assert not Run.objects.exists()


def test_nobody_says_whom(workflow: Workflow) -> None:
    lifecycle.turn_on(workflow)
    page = submit(sign_in(), url("workflow_enroll", workflow.pk), FORM)
    assert list(page.context["form"].errors) == ["whom"]


def test_nobody_enrolls_in_a_workflow_that_is_off(workflow: Workflow) -> None:
    page = sign_in().post(url("workflow_enroll", workflow.pk), {"whom": "all"}, follow=True)
    assert "is off" in messages_on(page)[0]
    assert not Run.objects.exists()


def test_ids_that_were_entered_before_another_choice_do_not_matter() -> None:
    workflow = make_workflow("contact", create("company", "company", "name"))
    answer = sign_in().post(url("workflow_enroll", workflow.pk), {"whom": "all", "ids": "12, x"})
    assert answer.status_code == 302


@pytest.mark.parametrize("page", ["enroll", "enroll_existing"])
def test_where_what_runs_cannot_be_read_any_more_its_page_says_why(page: str) -> None:
    triggers = [[is_("lifecyclestage", "lead", operator="is_any_of")]]
    workflow = make_workflow("contact", create("company", "company", "name"), triggers=triggers)
    stage = object_type("contact").properties.get(name="lifecyclestage")
    stage.options = [each for each in stage.options if each["value"] != "lead"]
    stage.save()  # as no service does while a live workflow names it
    shown = sign_in().get(url(f"workflow_{page}", workflow.pk), follow=True)
    assert shown.redirect_chain == [(url("workflow_change", workflow.pk), 302)]
    assert "until it is mended. Group 1, filter 1: Lifecycle stage has no option 'lead'" in messages_on(shown)[0]
