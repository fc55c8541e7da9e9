"""A workflow built with the pages of the admin alone, turned on, and what it does then: each of the four actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.associations.admin_pages import fields_on, messages_on, sign_in, submit
from tests.factories import associate, make_label, make_record, object_type, words
from workflows.models import Enrollment, Run, Workflow

from .admin_workflows import (
    FORM,
    add_action,
    add_filters,
    add_workflow,
    id_of,
    opened,
    page_of,
    save,
    text,
    turn_on,
    url,
)

pytestmark = pytest.mark.django_db

Jobs = Callable[[], None]


def test_create_associations(run_jobs: Jobs) -> None:
    employer = make_label("contact", "company", "Employer", "Employee")
    ann, bob = (make_record("contact", firstname=name, company=" ACME ") for name in ("Ann", "Bob"))
    acme, other = make_record("company", name="Acme"), make_record("company", name="Other")
    client = sign_in()
    workflow = add_workflow(client, "Employers", "contact")
    add_filters(client, workflow, {"property": "firstname", "operator": "is_any_of", "values": ["Ann", "Eve"]})
    add_action(
        client, workflow, "create_associations", "company",
        label=id_of(employer), enrolled_property="company", associated_property="name",
    )  # fmt: skip
    assert "1 contact meets the triggers now" in text(client.get(url("workflow_turn_on", workflow.pk)))
    turn_on(client, workflow, enroll="yes")
    run_jobs()
    assert words(ann, acme) == {"unlabeled", "Primary", "Employer"}
    assert words(bob, acme) == words(ann, other) == set()
    run = Run.objects.get()
    assert (run.cause, run.started_by_id) == (Run.Cause.TURNED_ON, int(client.session["_auth_user_id"]))


def test_apply_association_label(run_jobs: Jobs) -> None:
    decider = make_label("company", "contact", "Decision maker")
    acme, [ann, bob] = (
        make_record("company", name="Acme"),
        [make_record("contact", jobtitle=title) for title in ("CEO", "Clerk")],
    )
    for each in (ann, bob):
        associate(acme, each)
    client = sign_in()
    workflow = add_workflow(client, "Deciders", "company")
    add_filters(client, workflow, {"property": "name", "operator": "is_known"})
    add_action(
        client, workflow, "apply_label", "contact",
        label=id_of(decider), apply_to="associated_property", associated_property="jobtitle", value="CEO",
    )  # fmt: skip
    turn_on(client, workflow, enroll="yes")
    run_jobs()
    assert words(acme, ann) == {"unlabeled", "Primary", "Decision maker"}
    assert "Decision maker" not in words(acme, bob)


@pytest.mark.parametrize(("mode", "kept"), [("append", {"Evaluator"}), ("replace", set())])
def test_update_association_labels(run_jobs: Jobs, mode: str, kept: set[str]) -> None:
    evaluator, user = make_label("deal", "contact", "Evaluator"), make_label("deal", "contact", "User")
    deal, ann, bob = make_record("deal", dealname="Big"), make_record("contact"), make_record("contact")
    associate(deal, ann, evaluator)
    associate(deal, bob)
    client = sign_in()
    workflow = add_workflow(client, "Users", "deal")
    add_filters(client, workflow, {"property": "dealname", "operator": "contains", "values": "ig"})
    add_action(
        client, workflow, "update_labels", "contact",
        existing_label=id_of(evaluator), mode=mode, new_label=id_of(user),
    )  # fmt: skip
    turn_on(client, workflow, enroll="yes")
    run_jobs()
    assert words(deal, ann) == {"unlabeled", "User", *kept}
    assert words(deal, bob) == {"unlabeled"}


@pytest.mark.parametrize(("ticked", "left"), [({}, {"unlabeled"}), ({"remove_associations": "on"}, set())])
def test_remove_association_labels(run_jobs: Jobs, ticked: dict[str, str], left: set[str]) -> None:
    evaluator, user = make_label("deal", "contact", "Evaluator"), make_label("deal", "contact", "User")
    deal, ann = make_record("deal", dealstage="closedlost"), make_record("contact")
    associate(deal, ann, evaluator, user)
    client = sign_in()
    workflow = add_workflow(client, "Lost", "deal")
    add_filters(client, workflow, {"property": "dealstage", "values": "closedlost"})
    add_action(client, workflow, "remove_labels", "contact", labels=[id_of(evaluator), id_of(user)], **ticked)
    turn_on(client, workflow, enroll="yes")
    run_jobs()
    assert words(deal, ann) == left


def test_who_comes_to_meet_the_triggers_later_enrolls_without_being_asked_for(run_jobs: Jobs) -> None:
    client = sign_in()
    workflow = add_workflow(client, "Employers", "contact")
    add_filters(client, workflow, {"property": "company", "operator": "is_known"})
    add_action(
        client, workflow, "create_associations", "company", enrolled_property="company", associated_property="name"
    )
    make_record("contact", company="Acme")
    turn_on(client, workflow)
    run_jobs()
    assert not Enrollment.objects.exists()
    acme, ann = make_record("company", name="Acme"), make_record("contact", company="Acme")
    run_jobs()
    assert words(ann, acme) == {"unlabeled", "Primary"}
    assert Enrollment.objects.get().record == ann


# The page of a workflow -------------------------------------------------------------------------


def test_a_new_workflow_asks_for_its_object_type_and_keeps_it() -> None:
    client = sign_in()
    page = submit(client, url("workflow_add"), FORM, name="New", object_type=object_type("deal").pk)
    workflow = Workflow.objects.get()
    assert page.redirect_chain[-1][0] == page_of(workflow)
    assert (workflow.object_type, workflow.is_enabled) == (object_type("deal"), False)
    save(client, workflow, object_type=object_type("contact").pk, description="Why", should_re_enroll="on")
    workflow.refresh_from_db()
    assert (workflow.object_type, workflow.description) == (object_type("deal"), "Why")
    assert workflow.should_re_enroll


@pytest.mark.parametrize(
    ("entered", "field"), [({"name": "Taken"}, "name"), ({"name": ""}, "name"), ({"object_type": ""}, "object_type")]
)
def test_a_new_workflow_that_cannot_be_stays_on_the_page(entered: dict[str, str], field: str) -> None:
    client = sign_in()
    add_workflow(client, "Taken", "contact")
    given = {"name": "Mine", "object_type": object_type("deal").pk} | entered
    page = submit(client, url("workflow_add"), FORM, **given)
    assert set(page.context["adminform"].form.errors) == {field}
    sent = fields_on(page, FORM)
    assert {name: sent.get(name, [""]) for name in given if name != field} == {
        name: [str(value)] for name, value in given.items() if name != field
    }
    assert Workflow.objects.count() == 1


def test_what_it_does_can_be_read_on_its_page() -> None:
    make_label("contact", "company", "Employer", "Employee")
    client = sign_in()
    workflow = add_workflow(client, "Employers", "contact")
    assert "What is done with each of them" in text(client.get(page_of(workflow)))
    page = add_action(
        client, workflow, "create_associations", "company", enrolled_property="company", associated_property="name"
    )
    assert page.redirect_chain[-1][0] == page_of(workflow)
    assert messages_on(page) == ["“Employers” is saved."]
    assert (
        "Associate each enrolled contact with every company whose Company name equals the contact&#x27;s Company name."
        in text(page)
    )


def without_actions(sent: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if not name.startswith("actions-")}


def test_django_s_log_tells_who_changed_what() -> None:
    client = sign_in()
    workflow = add_workflow(client, "Employers", "contact")
    add_filters(client, workflow, {"property": "city", "operator": "is_known"})
    add_action(client, workflow, "create_associations", "company", enrolled_property="city", associated_property="city")
    turn_on(client, workflow)
    client.post(page_of(workflow), {**without_actions(opened(client, workflow)), "_save": "1"})
    client.post(url("workflow_turn_off", workflow.pk))
    history = text(client.get(url("workflow_history", workflow.pk)))
    for told in (
        "Added.",
        "Changed enrollment triggers.",
        "Changed actions.",
        "Turned on, revision 1.",
        "Turned off.",
    ):
        assert told in history
    assert history.count("Changed actions.") == 1  # the second was refused: the workflow was on and would have had none
