"""The pages of a workflow's actions: what they offer, refuse and keep, and the order of the actions."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from associations.types import DirectedType
from tests.associations.admin_pages import fields_on, messages_on, sign_in, submit
from tests.factories import make_label, make_property, object_type
from workflows.models import Action, Workflow

from .admin_workflows import add_action, id_of, page_of, text, url
from .making import apply, create, is_, make_workflow, remove, update

pytestmark = pytest.mark.django_db

FORM = "action_form"


@pytest.fixture
def employer() -> DirectedType:
    return make_label("contact", "company", "Employer", "Employee")


def offered(page: Any, name: str) -> set[str]:
    return {str(value) for value, _ in page.context["form"].fields[name].choices if value}


def choose(client: Client, address: str, other: str, **typed: object) -> Any:
    return submit(client, address, FORM, to_object_type=object_type(other).type_id, _choose="Next", **typed)


def errors(page: Any) -> dict[str, list[str]]:
    return dict(page.context["form"].errors)


def actions(workflow: Workflow) -> list[str]:
    return [action.kind for action in workflow.actions.order_by("position", "id")]


# The form ---------------------------------------------------------------------------------------


def test_the_object_comes_first_and_only_those_with_labels_where_it_is_about_labels(employer: DirectedType) -> None:
    client = sign_in()
    workflow = make_workflow("contact", on=False)
    for kind, object_types in (("create_associations", 8), ("apply_label", 1), ("remove_labels", 1)):
        page = client.get(url("workflow_add_action", workflow.pk, kind))
        assert list(fields_on(page, FORM)) == ["csrfmiddlewaretoken", "to_object_type"]
        assert len(offered(page, "to_object_type")) == object_types
    assert client.get(url("workflow_add_action", workflow.pk, "nonsense")).status_code == 404


def test_the_choices_are_those_of_the_chosen_object(employer: DirectedType) -> None:
    partner = make_label("contact", "deal", "Partner")
    client = sign_in()
    workflow = make_workflow("contact", on=False)
    address = url("workflow_add_action", workflow.pk, "create_associations")
    page = choose(client, address, "company")
    assert offered(page, "label") == {"1", id_of(employer)}
    assert "domain" in offered(page, "associated_property")
    assert offered(page, "enrolled_property") > {"firstname", "mobilephone"}
    assert "lifecyclestage" not in offered(page, "enrolled_property")  # only text and phone numbers may match
    page = choose(client, address, "deal")
    assert offered(page, "label") == {id_of(partner)}
    assert offered(page, "associated_property") == {"dealname", "description", "hubspot_owner_id"}


def test_choosing_another_object_keeps_what_was_typed_and_saves_nothing(employer: DirectedType) -> None:
    client = sign_in()
    workflow = make_workflow("contact", create("company", "company", "name", label=employer, cap=7), on=False)
    before = Action.objects.get().fields
    page = choose(client, url("workflow_change_action", workflow.pk, Action.objects.get().pk), "deal", cap="9")
    shown = fields_on(page, FORM)
    assert (shown["cap"], shown["enrolled_property"], shown["to_object_type"]) == (["9"], ["company"], ["0-3"])
    assert not errors(page)
    assert Action.objects.get().fields == before


@pytest.mark.parametrize(
    ("kind", "typed", "field"),
    [
        ("create_associations", {"enrolled_property": "company"}, "associated_property"),
        ("create_associations", {"enrolled_property": "company", "associated_property": "name", "cap": "0"}, "cap"),
        ("create_associations", {"enrolled_property": "city", "associated_property": "city", "label": "1"}, "several"),
        (
            "apply_label",
            {"label": "1", "apply_to": "matching_property", "enrolled_property": "city"},
            "associated_property",
        ),
        ("apply_label", {"label": "1", "apply_to": "enrolled_property", "enrolled_property": "city"}, "value"),
        (
            "apply_label",
            {
                "label": "1",
                "apply_to": "enrolled_property",
                "enrolled_property": "lifecyclestage",
                "value": "nonsense",
            },
            "value",
        ),
        ("update_labels", {"existing_label": "1", "new_label": "1"}, "new_label"),
        ("remove_labels", {"remove_associations": "on"}, "labels"),
    ],
)
def test_what_is_wrong_with_an_action_stands_at_its_field(
    employer: DirectedType, kind: str, typed: dict[str, str], field: str
) -> None:
    client = sign_in()
    workflow = make_workflow("contact", on=False)
    page = add_action(client, workflow, kind, "company", **typed)
    assert list(errors(page)) == [field]
    shown = fields_on(page, FORM)
    assert {name: shown[name] for name in typed} == {name: [value] for name, value in typed.items()}
    assert not Action.objects.exists()


def test_an_action_is_kept_as_the_engine_reads_it_and_shown_as_it_is_kept(employer: DirectedType) -> None:
    client = sign_in()
    workflow = make_workflow("contact", on=False)
    add_action(
        client, workflow, "create_associations", "company", cap="5", several="newest",
        label=id_of(employer), enrolled_property="company", associated_property="name",
    )  # fmt: skip
    add_action(client, workflow, "remove_labels", "company", labels=["1", id_of(employer)], remove_associations="on")
    one, other = Action.objects.order_by("position")
    assert one.fields == create("company", "company", "name", label=employer, cap=5, several="newest")[1]
    assert other.fields == {"to_object_type": "0-2", "labels": ["1", id_of(employer)], "remove_associations": True}
    for action in (one, other):
        submit(client, url("workflow_change_action", workflow.pk, action.pk), FORM)
        assert Action.objects.get(pk=action.pk).fields == action.fields
    submit(client, url("workflow_change_action", workflow.pk, one.pk), FORM, cap="6", label="")
    one.refresh_from_db()
    assert one.fields == create("company", "company", "name", cap=6, several="newest")[1]


def test_a_condition_on_no_is_kept(employer: DirectedType) -> None:
    """A value that is false is still a value."""
    make_property("contact", "vip", type="bool", field_type="booleancheckbox")
    workflow = make_workflow("contact", on=False)
    add_action(
        sign_in(), workflow, "apply_label", "company",
        label=id_of(employer), apply_to="enrolled_property", enrolled_property="vip", value="no",
    )  # fmt: skip
    assert Action.objects.get().fields["value"] == "no"


def test_a_property_that_decides_nothing_is_not_kept(employer: DirectedType) -> None:
    """Nothing would protect it from being deleted, and then the action could no longer be read."""
    workflow = make_workflow("contact", on=False)
    add_action(sign_in(), workflow, "apply_label", "company", label=id_of(employer), enrolled_property="city")
    assert "enrolled_property" not in Action.objects.get().fields


# Order ------------------------------------------------------------------------------------------


def three_actions(employer: DirectedType, *, on: bool = False) -> tuple[Workflow, list[Action]]:
    other = make_label("contact", "company", "Other")
    steps = create("company", "company", "name"), apply(employer), update(employer, other)
    workflow = make_workflow("contact", *steps, triggers=[[is_("city", "Rome")]], on=on)
    return workflow, list(workflow.actions.order_by("position"))


def test_actions_move_up_and_down_within_the_list(employer: DirectedType) -> None:
    workflow, [first, second, third] = three_actions(employer)
    client = sign_in()

    def move(action: Action, direction: str) -> list[int]:
        page = client.post(url("workflow_move_action", workflow.pk, action.pk), {"direction": direction}, follow=True)
        assert page.redirect_chain[-1][0] == page_of(workflow)
        return list(workflow.actions.order_by("position").values_list("pk", flat=True))

    assert move(third, "up") == [first.pk, third.pk, second.pk]
    assert move(first, "down") == [third.pk, first.pk, second.pk]
    assert move(third, "up") == [third.pk, first.pk, second.pk]
    assert move(second, "down") == [third.pk, first.pk, second.pk]


def test_an_action_is_removed_once_its_sentence_was_read(employer: DirectedType) -> None:
    workflow, [_, second, _] = three_actions(employer)
    client = sign_in()
    address = url("workflow_remove_action", workflow.pk, second.pk)
    assert "Apply the label Employer to every company" in text(client.get(address))
    assert len(actions(workflow)) == 3
    client.post(address)
    assert actions(workflow) == ["create_associations", "update_labels"]
    assert list(workflow.actions.order_by("position").values_list("position", flat=True)) == [0, 1]
    assert client.post(address).status_code == 404


def test_an_action_of_another_workflow_is_not_found(employer: DirectedType) -> None:
    _, [action, *_] = three_actions(employer)
    other = make_workflow("contact", on=False)
    client = sign_in()
    assert client.get(url("workflow_change_action", other.pk, action.pk)).status_code == 404
    assert client.post(url("workflow_remove_action", other.pk, action.pk)).status_code == 404
    page = client.post(url("workflow_move_action", other.pk, action.pk), {"direction": "up"}, follow=True)
    assert "no longer there" in messages_on(page)[0]


# A workflow that is on --------------------------------------------------------------------------


def test_each_edit_of_a_live_workflow_is_a_revision(employer: DirectedType) -> None:
    workflow, [first, *_] = three_actions(employer, on=True)
    client = sign_in()
    add_action(client, workflow, "remove_labels", "company", labels=[id_of(employer)])
    submit(client, url("workflow_change_action", workflow.pk, first.pk), FORM, cap="3")
    client.post(url("workflow_move_action", workflow.pk, first.pk), {"direction": "down"})
    client.post(url("workflow_remove_action", workflow.pk, first.pk))
    workflow.refresh_from_db()
    assert workflow.revision is not None
    assert workflow.revision.number == 5
    kinds = [[each["kind"] for each in revision.definition["actions"]] for revision in workflow.revisions.all()]
    assert [len(each) for each in kinds] == [3, 4, 4, 4, 3]
    assert kinds[3][:2] == ["apply_label", "create_associations"]
    assert kinds[4] == actions(workflow)


def test_the_last_action_of_a_live_workflow_stays(employer: DirectedType) -> None:
    workflow = make_workflow("contact", remove(employer))
    page = sign_in().post(url("workflow_remove_action", workflow.pk, Action.objects.get().pk), follow=True)
    assert messages_on(page) == ["Nothing was changed. A workflow needs at least one action."]
    assert actions(workflow) == ["remove_labels"]
    assert workflow.revisions.count() == 1


def test_an_edit_of_one_action_is_undone_where_another_one_cannot_run(employer: DirectedType) -> None:
    workflow, [first, second, _] = three_actions(employer, on=True)
    Action.objects.filter(pk=second.pk).update(fields={})  # as if something had pulled it from under the workflow
    page = submit(sign_in(), url("workflow_change_action", workflow.pk, first.pk), FORM, cap="3")
    assert "Action 2 (Apply association label)" in page.context["form"].non_field_errors()[0]
    assert fields_on(page, FORM)["cap"] == ["3"]
    first.refresh_from_db()
    assert "cap" not in first.fields
    broken = text(sign_in().get(page_of(workflow)))
    assert "This field is required." in broken


@pytest.mark.parametrize("codename", ["view_workflow", "change_workflow"])
def test_pages_ask_the_database_as_often_for_20_actions_as_for_2(employer: DirectedType, codename: str) -> None:
    steps = [create("company", "company", "name", label=employer), apply(employer)]
    few, many = (make_workflow("contact", *steps * times) for times in (1, 10))
    client = sign_in(codename)
    counted = []
    for workflow in (few, many):
        action = workflow.actions.first()
        assert action is not None
        pages = page_of(workflow), url("workflow_change_action", workflow.pk, action.pk)
        client.get(pages[0])  # what Django keeps for the process is read by now
        with CaptureQueriesContext(connection) as captured:
            assert [client.get(page).status_code for page in pages] == [200, 200]
        counted.append(len(captured))
    assert counted[0] == counted[1]
