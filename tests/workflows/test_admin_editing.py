"""The workflow editor: what it offers, the steps that people take, and several people at a workflow that is on."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.types import DirectedType
from tests.associations.admin_pages import fields_on, messages_on, sign_in
from tests.factories import make_label, make_record
from workflows.models import Action, Run, Workflow
from workflows.services import editing

from .admin_workflows import (
    FORM,
    add_workflow,
    definition,
    draw,
    id_of,
    offered,
    opened,
    page_of,
    rows,
    save,
    text,
    url,
)
from .making import apply, create, is_, make_workflow, remove

pytestmark = pytest.mark.django_db

CITY = "enroll-0-filter-0-values"


@pytest.fixture
def employer() -> DirectedType:
    return make_label("contact", "company", "Employer", "Employee")


# What is offered --------------------------------------------------------------------------------


def test_an_action_offers_what_fits(employer: DirectedType) -> None:
    partner = make_label("contact", "deal", "Partner")
    client = sign_in()
    workflow = make_workflow("contact", on=False)
    page = draw(client, workflow, "add-action create_associations")
    assert list(page.context["draft"].cards[0].form.shown()) == ["to_object_type"]
    assert len(offered(page, 0, "to_object_type")) == 8
    assert offered(draw(client, workflow, "add-action apply_label"), 0, "to_object_type") == {"0-2", "0-3"}
    of_company = {"actions-0-kind": "create_associations", "actions-0-to_object_type": "0-2"}
    page = draw(client, workflow, **of_company)
    assert offered(page, 0, "label") == {"1", id_of(employer)}
    assert "domain" in offered(page, 0, "associated_property")
    assert "lifecyclestage" not in offered(page, 0, "enrolled_property")  # only text and phone numbers may match
    page = draw(client, workflow, **of_company | {"actions-0-to_object_type": "0-3", "actions-0-cap": "9"})
    assert offered(page, 0, "label") == {id_of(partner)}
    assert fields_on(page, FORM)["actions-0-cap"] == ["9"]
    assert not Action.objects.exists()


def test_a_filter_offers_the_operators_and_inputs_of_the_property_s_type() -> None:
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    page = draw(client, workflow, **rows({"property": "lifecyclestage", "operator": ""}))
    row = page.context["draft"].groups["enroll"][0][0]
    assert [value for value, _ in row.fields["operator"].choices][:2] == ["is_any_of", "is_none_of"]
    assert 'type="checkbox" name="enroll-0-filter-0-values" value="lead"' in text(page)
    page = draw(client, workflow, **rows({"subject": 4, "property": "closedate", "operator": "is_between"}))
    assert (
        text(page).count('type="datetime-local" name="enroll-0-filter-0-values"')
        + text(page).count('type="date" name="enroll-0-filter-0-values"')
        == 2
    )
    page = draw(client, workflow, **rows({"property": "city", "operator": "is_any_of", "values": ["Rome", "Oslo"]}))
    assert text(page).count('type="text" name="enroll-0-filter-0-values"') == 3  # one to add another


# Steps ------------------------------------------------------------------------------------------


def test_steps_add_move_and_remove_and_save_nothing(employer: DirectedType) -> None:
    client = sign_in()
    workflow = make_workflow("contact", apply(employer), remove(employer), triggers=[[is_("city", "Rome")]], on=False)
    before = definition(workflow)

    def step(step: str) -> Any:
        return draw(client, workflow, step).context["draft"].state

    assert [len(group) for group in step("add-filter enroll 0").groups["enroll"]] == [2]
    assert [len(group) for group in step("add-group enroll").groups["enroll"]] == [1, 1]
    assert step("remove-filter enroll 0 0").groups["enroll"] == []
    assert len(step("add-group suppress").groups["suppress"]) == 1
    assert len(step("add-event").events) == 1
    moved = step("move-action 1 up")
    assert [row["kind"] for row in moved.actions] == ["remove_labels", "apply_label"]
    assert moved.focus == "actions-0-down"  # it cannot go further up
    assert [row["kind"] for row in step("remove-action 0").actions] == ["remove_labels"]
    for nonsense in (
        "move-action 0 up",
        "move-action 9 up",
        "remove-event 3",
        "add-action nonsense",
        "x",
        "add-event 1",
    ):
        assert len(step(nonsense).actions) == 2
    assert definition(workflow) == before


def test_what_was_moved_and_removed_is_kept_when_it_is_saved(employer: DirectedType) -> None:
    client = sign_in()
    workflow = make_workflow("contact", apply(employer), remove(employer), triggers=[[is_("city", "Rome")]])
    page = draw(client, workflow, "move-action 1 up")
    page = client.post(page_of(workflow), {**fields_on(page, FORM), "_save": "1"}, follow=True)
    assert messages_on(page) == [f"“{workflow}” is saved. Revision 2 runs now."]
    assert [action["kind"] for action in definition(workflow)["actions"]] == ["remove_labels", "apply_label"]


# A workflow that is on, and several people ------------------------------------------------------


def test_new_triggers_of_a_live_workflow_run_at_once_and_ask_whom_to_enroll() -> None:
    make_record("contact", city="Oslo")
    workflow = make_workflow("contact", create("company", "company", "name"), triggers=[[is_("city", "Rome")]])
    client = sign_in()
    page = save(client, workflow, **{CITY: "Oslo"})
    assert page.redirect_chain[-1][0] == url("workflow_enroll_existing", workflow.pk)
    assert "1 contact meets the new triggers already. Enroll them, too?" in text(page)
    revision = workflow.revisions.get(number=2)
    assert revision.definition["triggers"][0][0]["values"] == ["Oslo"]
    assert revision.created_by_id == int(client.session["_auth_user_id"])
    client.post(url("workflow_enroll_existing", workflow.pk))
    assert Run.objects.get().criteria == revision.definition["triggers"]
    page = save(client, workflow, name="Renamed")
    assert page.redirect_chain[-1][0] == page_of(workflow)
    assert workflow.revisions.count() == 2


def test_an_edit_that_cannot_run_is_undone_as_a_whole_and_says_why() -> None:
    workflow = make_workflow("contact", create("company", "company", "name"), triggers=[[is_("city", "Rome")]])
    client, name, before = sign_in(), workflow.name, definition(workflow)
    sent = {key: value for key, value in opened(client, workflow).items() if not key.startswith("actions-")}
    page = client.post(page_of(workflow), {**sent, "name": "Renamed", CITY: "Oslo", "_save": "1"})
    assert "A workflow needs at least one action." in page.context["draft"].problems
    shown = fields_on(page, FORM)
    assert (shown["name"], shown[CITY]) == (["Renamed"], ["Oslo", ""])
    workflow.refresh_from_db()
    assert (workflow.name, definition(workflow), workflow.revisions.count()) == (name, before, 1)


def test_whoever_was_slower_is_told_and_loses_nothing() -> None:
    workflow = make_workflow("contact", triggers=[[is_("city", "Rome")]], on=False)
    client = sign_in()
    mine = opened(client, workflow)
    save(client, workflow, **{CITY: "Lyon"})
    page = client.post(page_of(workflow), {**mine, CITY: "Bari", "_save": "1"})
    assert "Somebody else has changed this workflow" in text(page)
    assert definition(workflow)["triggers"] == [[is_("city", "Lyon")]]
    client.post(page_of(workflow), {**fields_on(page, FORM), "_save": "1"})  # knowing of it
    assert definition(workflow)["triggers"] == [[is_("city", "Bari")]]


def test_imported_parts_that_cannot_run_stay_as_they_are(employer: DirectedType) -> None:
    imported = {
        "kind": "unsupported",
        "fields": {"reason": "No e-mails here", "title": "Send", "flow": {"actionTypeId": "0-4"}},
    }
    strange = {"kind": "unsupported", "reason": "A list", "flow": {"filterType": "IN_LIST"}}
    workflow = make_workflow("contact", on=False)
    kind, fields = apply(employer)
    meant = {
        **definition(workflow),
        "triggers": [[strange, is_("city", "Rome")]],
        "events": [],
        "actions": [imported, {"kind": kind, "fields": fields}],
    }
    editing.save_workflow(workflow, meant, name="Imported", description="")
    client = sign_in()
    page = draw(client, workflow, "move-action 0 down")
    client.post(page_of(workflow), {**fields_on(page, FORM), "_save": "1"})
    now = definition(workflow)
    assert now["triggers"] == meant["triggers"]
    assert now["actions"] == meant["actions"][::-1]
    page = client.get(url("workflow_turn_on", workflow.pk), follow=True)
    assert "cannot be turned on yet" in messages_on(page)[-1]


def test_a_duplicate_is_off_and_has_a_name_of_its_own(employer: DirectedType) -> None:
    workflow = make_workflow("contact", apply(employer), triggers=[[is_("city", "Rome")]])
    client = sign_in()
    for name in (f"Copy of {workflow}", f"Copy of {workflow} (2)"):
        client.post(url("workflow_duplicate", workflow.pk))
        copy = Workflow.objects.get(name=name)
        assert definition(copy) == definition(workflow)
        assert not copy.is_enabled


@pytest.mark.parametrize("codename", ["view_workflow", "change_workflow"])
def test_the_page_asks_the_database_as_often_for_many_parts_as_for_few(employer: DirectedType, codename: str) -> None:
    associated = {**is_("city", "Rome"), "kind": "associated_property", "type_id": 279}
    steps = [create("company", "company", "name", label=employer), apply(employer)]
    few, many = (
        make_workflow("contact", *steps * times, triggers=[[is_("city", "Rome"), associated]] * times, on=False)
        for times in (1, 10)
    )
    client, counted = sign_in(codename), []
    for workflow in (few, many):
        client.get(page_of(workflow))  # what Django keeps for the process is read by now
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page_of(workflow)).status_code == 200
        counted.append(len(captured))
    assert counted[0] == counted[1]
