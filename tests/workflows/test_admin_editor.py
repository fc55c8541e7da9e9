"""The workflow editor: what it offers, keeps and refuses at which field, and the steps that people take."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from associations.types import DirectedType
from tests.associations.admin_pages import fields_on, messages_on, sign_in
from tests.factories import make_label, make_property, make_record
from workflows.criteria import MAX_FILTERS
from workflows.models import Action, Run, Workflow
from workflows.services import editing, lifecycle

from .admin_workflows import (
    FORM,
    add_action,
    add_filters,
    add_workflow,
    card_errors,
    id_of,
    opened,
    page_of,
    row_errors,
    rows,
    save,
    text,
    url,
)
from .making import Filter, apply, create, is_, make_workflow, remove, update

pytestmark = pytest.mark.django_db

CITY = "enroll-0-filter-0-values"


@pytest.fixture
def employer() -> DirectedType:
    return make_label("contact", "company", "Employer", "Employee")


def definition(workflow: Workflow) -> dict[str, Any]:
    return lifecycle.definition_json(Workflow.objects.get(pk=workflow.pk))


def draw(client: Client, workflow: Workflow, step: str = "", **changes: Any) -> Any:
    """The page after a step or a choice, before anything is saved."""
    sent = fields_on(client.get(page_of(workflow)), FORM)
    return client.post(page_of(workflow), {**sent, **changes, "do": step})


def offered(page: Any, number: int, field: str) -> set[str]:
    return {str(value) for value, _ in page.context["draft"].cards[number].form.fields[field].choices if value}


# What is kept -----------------------------------------------------------------------------------


def test_each_kind_of_filter_is_kept_as_it_is_read(employer: DirectedType) -> None:
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    with_employer = {"subject": id_of(employer)}
    page = add_filters(
        client,
        workflow,
        {"property": "city", "operator": "is_none_of", "values": [" Oslo ", "", "Rome"], "or_no_value": "on"},
        {**with_employer, "property": "numberofemployees", "operator": "is_between", "values": ["5", "10.5"]},
        {"group": 2, **with_employer, "property": "_lacks"},
        {"group": 2, "property": "email", "operator": "is_unknown", "values": "left over"},
    )
    assert messages_on(page) == ["“New” is saved."]
    one, other = definition(workflow)["triggers"]
    of_employer = {"kind": "associated_property", "type_id": employer.type_id}
    assert one == [
        {**is_("city", "Oslo", "Rome", operator="is_none_of"), "or_no_value": True},
        {**of_employer, "property": "numberofemployees", "operator": "is_between", "values": [5, 10.5]},
    ]
    assert other == [
        {"kind": "association", "type_id": employer.type_id, "has": False},
        {"kind": "property", "property": "email", "operator": "is_unknown"},
    ]


def every_input() -> dict[str, Any]:
    make_property("contact", "vip", type="bool", field_type="booleancheckbox")
    make_property("contact", "since", type="date", field_type="date")
    make_property("contact", "seen", type="datetime", field_type="date")
    options = [{"value": each, "label": each.upper()} for each in "abc"]
    make_property("contact", "likes", type="enumeration", field_type="checkbox", options=options)
    filters: list[list[Filter]] = [
        [
            is_("vip", False, operator="is_equal_to"),
            is_("since", "2026-01-02", "2026-03-04", operator="is_between"),
            is_("since", 30, operator="in_last_days"),
            is_("seen", "2026-01-02T08:30:15.250Z", operator="is_greater_than"),
        ],
        [
            is_("likes", "a;c", operator="is_equal_to"),
            is_("likes", "a", "b;c"),
            is_("lifecyclestage", "lead", "customer"),
            {**is_("city", "Rome", "Oslo", operator="is_none_of"), "kind": "associated_property", "type_id": 279},
            {"kind": "association", "type_id": 279, "has": False},
            {"kind": "property", "property": "email", "operator": "is_known"},
        ],
    ]
    return {
        "should_re_enroll": True,
        "re_enrollment_properties": ["city", "vip"],
        "unenroll": True,
        "triggers": filters,
        "suppression": [[is_("city", "Bern")]],
        "events": [],
        "schedule": None,
        "actions": [],
    }


@pytest.mark.parametrize(
    "start",
    [
        {},
        {"events": [{"event": "created"}, {"event": "property_changed", "property": "city", "values": ["Bern"]}]},
        {"events": [{"event": "associated", "type_id": 279}, {"event": "label_added", "type_id": 1}]},
        {"schedule": {"frequency": "weekly", "time": "09:30", "time_zone": "Europe/Berlin", "weekday": 4}},
        {"schedule": {"frequency": "monthly", "time": "09:30", "time_zone": "UTC", "day": 31}, "triggers": []},
    ],
)
def test_saving_what_was_opened_changes_nothing(employer: DirectedType, start: dict[str, Any]) -> None:
    steps = (
        create("company", "company", "name", label=employer, cap=5, several="newest", keep_in_sync=True),
        apply(employer, "enrolled_property", enrolled_property="vip", operator="is_equal_to", value="false"),
        update(employer, make_label("contact", "company", "Other"), "replace"),
        remove(employer, associations=True),
    )
    workflow = make_workflow("contact", on=False)
    meant = {**every_input(), "actions": [{"kind": kind, "fields": fields} for kind, fields in steps], **start}
    meant["unenroll"] = bool(meant["triggers"])
    editing.save_workflow(workflow, meant, name="All", description="Every input")
    page = save(sign_in(), workflow)
    assert messages_on(page) == ["Nothing was changed."]
    assert definition(workflow) == meant


def test_what_is_not_asked_for_now_is_not_kept(employer: DirectedType) -> None:
    """Another way to start, another choice in an action: what was entered before is there until it is saved."""
    client = sign_in()
    workflow = make_workflow("contact", apply(employer, "associated_property", associated_property="city", value="x"))
    page = draw(client, workflow, **{"actions-0-apply_to": "all", "start": "schedule"})
    shown = fields_on(page, FORM)
    assert (shown["actions-0-value"], shown["schedule-time"]) == (["x"], ["09:00"])
    client.post(page_of(workflow), {**shown, "_save": "1"})
    now = definition(workflow)
    assert now["actions"][0]["fields"] == apply(employer)[1]
    assert now["schedule"] == {"frequency": "daily", "time": "09:00", "time_zone": "UTC"}


def test_250_filters_are_one_form_and_251_are_refused() -> None:
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    one: dict[str, object] = {"property": "city", "operator": "is_known"}
    add_filters(client, workflow, *[one] * MAX_FILTERS)
    page = add_filters(client, workflow, *[one] * (MAX_FILTERS + 1))
    assert "At most 250 filters" in text(page)
    assert [len(group) for group in definition(workflow)["triggers"]] == [MAX_FILTERS]


# What is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"property": ""}, "property", "Choose what is tested"),
        ({"property": "domain", "values": "x"}, "property", "Choose what is tested"),
        ({"property": "city", "values": ""}, "values", "say which value"),
        ({"property": "city", "values": ["a", "b"]}, "values", "takes one value"),
        ({"property": "city", "operator": "contains", "values": "a\x00b"}, "values", "NUL"),
        ({"property": "lifecyclestage", "values": "nonsense"}, "values", "no option"),
        ({"property": "closedate", "subject": 4, "operator": "is_equal_to", "values": "x"}, "values", "not a date"),
    ],
)
def test_what_is_wrong_with_a_filter_stands_at_its_field(row: dict[str, object], field: str, reason: str) -> None:
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    sent = opened(client, workflow) | rows(row) | {"name": "Renamed", "start": "filters", "_save": "1"}
    page = client.post(page_of(workflow), sent)
    errors = row_errors(page)
    assert list(errors) == [field]
    assert reason in errors[field][0]
    assert "Nothing was saved yet" in text(page)
    assert fields_on(page, FORM)["name"] == ["Renamed"]
    workflow.refresh_from_db()
    assert (workflow.name, definition(workflow)["triggers"]) == ("New", [])


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
        ("update_labels", {"existing_label": "1", "new_label": "1"}, "new_label"),
        ("remove_labels", {"remove_associations": "on"}, "labels"),
    ],
)
def test_what_is_wrong_with_an_action_stands_at_its_field(
    employer: DirectedType, kind: str, typed: dict[str, str], field: str
) -> None:
    workflow = make_workflow("contact", on=False)
    page = add_action(sign_in(), workflow, kind, "company", **typed)
    assert list(card_errors(page)) == [field]
    shown = fields_on(page, FORM)
    assert {name: shown[f"actions-0-{name}"] for name in typed} == {name: [value] for name, value in typed.items()}
    assert not Action.objects.exists()


def test_settings_that_cannot_be_are_refused_at_their_field() -> None:
    make_workflow("contact", on=False)
    taken = Workflow.objects.get().name
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    for changes, field in (
        ({"name": taken}, "name"),
        ({"name": ""}, "name"),
        ({"start": "events"}, "start"),
        ({"start": "filters"}, "start"),
        ({"unenroll": "on"}, "unenroll"),
    ):
        page = save(client, workflow, **changes)
        assert list(page.context["draft"].settings.errors) == [field]


def test_while_it_is_put_together_nothing_is_called_wrong(employer: DirectedType) -> None:
    workflow = add_workflow(sign_in(), "New", "contact")
    page = draw(sign_in(), workflow, "add-action create_associations")
    assert not row_errors(page)
    assert not card_errors(page)
    assert "Still to say: Associated object." in text(page)
    assert "errorlist" not in text(page)


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
