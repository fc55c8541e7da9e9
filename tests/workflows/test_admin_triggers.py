"""The filters of a workflow as rows of its page: kept as criteria reads them, and refused at their field."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.associations.admin_pages import fields_on, messages_on, sign_in, submit
from tests.factories import make_label, make_property, make_record
from workflows.criteria import MAX_FILTERS
from workflows.models import Action, EnrollmentTrigger, Workflow
from workflows.services import lifecycle

from .admin_workflows import FORM, add_filters, add_workflow, id_of, page_of, row_errors, rows, text
from .making import Filter, create, is_, make_workflow

pytestmark = pytest.mark.django_db


def kept(workflow: Workflow) -> list[list[dict[str, object]]]:
    return lifecycle.definition_json(workflow)["triggers"]


def test_each_kind_of_filter_is_kept_as_it_is_read() -> None:
    employer = make_label("contact", "company", "Employer", "Employee")
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    page = add_filters(
        client,
        workflow,
        {"property": "contact.city", "operator": "is_none_of", "values": " Oslo \r\n\r\nRome", "or_no_value": "on"},
        {
            "kind": "associated_property",
            "type_id": id_of(employer),
            "property": "company.numberofemployees",
            "operator": "is_between",
            "values": "5\r\n10.5",
        },
        {"group": 2, "kind": "association", "type_id": id_of(employer), "has": "lacks", "property": "", "operator": ""},
        {"group": 2, "property": "contact.email", "operator": "is_unknown", "values": "left over"},
    )
    assert messages_on(page)
    one, other = kept(workflow)
    assert one == [
        {
            "kind": "property",
            "property": "city",
            "operator": "is_none_of",
            "values": ["Oslo", "Rome"],
            "or_no_value": True,
        },
        {
            "kind": "associated_property",
            "type_id": employer.type_id,
            "property": "numberofemployees",
            "operator": "is_between",
            "values": [5, 10.5],
        },
    ]
    assert other == [
        {"kind": "association", "type_id": employer.type_id, "has": False},
        {"kind": "property", "property": "email", "operator": "is_unknown"},
    ]


def test_saving_a_page_unchanged_changes_nothing() -> None:
    make_property("contact", "vip", type="bool", field_type="booleancheckbox")
    filters: list[list[Filter]] = [
        [is_("vip", True, operator="is_equal_to"), {"kind": "association", "type_id": 279, "has": False}],
        [{**is_("city", "Rome", "Oslo", operator="is_none_of"), "kind": "associated_property", "type_id": 279}],
        [is_("email", operator="is_known")],
    ]
    workflow = make_workflow("contact", create("company", "company", "name"), triggers=filters)
    before = kept(workflow)
    submit(sign_in(), page_of(workflow), FORM)
    workflow.refresh_from_db()
    assert [[{k: v for k, v in each.items() if v != []} for each in group] for group in before] == kept(workflow)
    # The page keeps typed values and leaves out an empty list; that is no other definition for the second time.
    number = workflow.revision.number  # type: ignore[union-attr]
    submit(sign_in(), page_of(workflow), FORM)
    workflow.refresh_from_db()
    assert workflow.revision.number == number  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"property": "", "values": "x"}, "property", "no property"),
        ({"property": "company.domain", "values": "x"}, "property", "not of Contacts"),
        ({"property": "contact.nothing", "values": "x"}, "property", "Select a valid choice"),
        ({"property": "contact.city", "operator": "is_less_than", "values": "x"}, "operator", "cannot be tested"),
        ({"property": "contact.city", "operator": "is_equal_to", "values": ""}, "values", "say which value"),
        ({"property": "contact.city", "operator": "is_equal_to", "values": "a\nb"}, "values", "takes one value"),
        ({"property": "contact.city", "operator": "contains", "values": "a\x00b"}, "values", "Null characters"),
        ({"property": "contact.lifecyclestage", "values": "nonsense"}, "values", "no option"),
        ({"kind": "association", "type_id": ""}, "type_id", "Choose which association"),
        ({"kind": "association", "type_id": 341}, "type_id", "Select a valid choice"),
        ({"kind": "associated_property", "property": "company.city", "values": "x"}, "type_id", "Choose which"),
        (
            {"kind": "associated_property", "type_id": 279, "property": "contact.city", "values": "x"},
            "property",
            "not of Companies",
        ),
        ({"kind": "event", "property": "contact.city", "values": "x"}, "kind", "Select a valid choice"),
        ({"group": "x", "property": "contact.city", "values": "x"}, "group", "whole number"),
    ],
)
def test_what_is_wrong_with_a_filter_stands_at_its_field(row: dict[str, object], field: str, reason: str) -> None:
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    page = submit(client, page_of(workflow), FORM, name="Renamed", **rows(row))
    errors = row_errors(page)
    assert list(errors) == [field]
    assert reason in errors[field][0]
    shown = fields_on(page, FORM)
    assert shown["name"] == ["Renamed"]
    if field != "values" and row.get("values"):
        assert shown["triggers-0-values"] == ["x"]
    workflow.refresh_from_db()
    assert (workflow.name, kept(workflow)) == ("New", [])


def test_an_empty_row_is_no_filter_and_a_ticked_one_goes() -> None:
    client = sign_in()
    workflow = make_workflow("contact", triggers=[[is_("city", "Rome"), is_("city", "Oslo")]], on=False)
    shown = fields_on(client.get(page_of(workflow)), FORM)
    assert shown["triggers-TOTAL_FORMS"] == ["3"]  # one to add a filter
    client.post(page_of(workflow), {**shown, "triggers-0-DELETE": "on"})
    assert kept(workflow) == [[{"kind": "property", "property": "city", "operator": "is_any_of", "values": ["Oslo"]}]]


def test_250_filters_are_one_form_and_251_are_refused() -> None:
    client = sign_in()
    workflow = add_workflow(client, "New", "contact")
    one: dict[str, object] = {"property": "contact.city", "operator": "is_known"}
    add_filters(client, workflow, *[one] * MAX_FILTERS)
    assert [len(group) for group in kept(workflow)] == [MAX_FILTERS]
    add_filters(client, workflow, *[one] * (MAX_FILTERS + 1))
    assert [len(group) for group in kept(workflow)] == [MAX_FILTERS]


def test_events_and_what_keeps_records_out_are_shown_and_stay_when_the_filters_change() -> None:
    workflow = make_workflow("contact", triggers=[[is_("city", "Rome")]], on=False)
    out = EnrollmentTrigger.Purpose.SUPPRESS
    workflow.triggers.create(purpose=out, fields={"property": "city", "operator": "is_unknown"})
    workflow.triggers.create(
        kind=EnrollmentTrigger.Kind.EVENT, fields={"event": "property_changed", "property": "city"}
    )
    client = sign_in()
    page = client.get(page_of(workflow))
    assert "property changed: City" in text(page)
    assert "City is unknown" in text(page)
    assert fields_on(page, FORM)["triggers-INITIAL_FORMS"] == ["1"]
    submit(client, page_of(workflow), FORM, **{"triggers-0-DELETE": "on"})
    definition = lifecycle.definition_json(workflow)
    assert (len(definition["triggers"]), len(definition["suppression"]), len(definition["events"])) == (0, 1, 1)


def test_a_page_opened_before_somebody_else_saved_can_still_be_saved() -> None:
    workflow = make_workflow("contact", triggers=[[is_("city", "Rome"), is_("city", "Oslo")]], on=False)
    client = sign_in()
    opened = fields_on(client.get(page_of(workflow)), FORM)
    submit(client, page_of(workflow), FORM, **{"triggers-0-values": "Lyon"})
    page = client.post(page_of(workflow), {**opened, "triggers-1-values": "Bari"}, follow=True)
    assert page.redirect_chain
    assert [each["values"] for each in kept(workflow)[0]] == [["Rome"], ["Bari"]]


# A workflow that is on --------------------------------------------------------------------------


def test_new_triggers_of_a_live_workflow_run_at_once_and_ask_whom_to_enroll() -> None:
    make_record("contact", city="Rome")
    workflow = make_workflow("contact", create("company", "company", "name"), triggers=[[is_("city", "Rome")]])
    client = sign_in()
    page = submit(client, page_of(workflow), FORM, **{"triggers-0-values": "Oslo"})
    assert any("Also enroll the records" in message for message in messages_on(page))
    revision = workflow.revisions.get(number=2)
    assert revision.definition["triggers"][0][0]["values"] == ["Oslo"]
    assert revision.created_by_id == int(client.session["_auth_user_id"])
    page = submit(client, page_of(workflow), FORM, name="Renamed")
    assert not any("Also enroll" in message for message in messages_on(page))
    assert workflow.revisions.count() == 2


def test_an_edit_that_cannot_run_is_undone_as_a_whole_and_says_why() -> None:
    workflow = make_workflow("contact", create("company", "company", "name"), triggers=[[is_("city", "Rome")]])
    Action.objects.update(fields={"to_object_type": "0-2"})  # as if something had pulled it from under the workflow
    before, name = kept(workflow), workflow.name
    changes = {"name": "Renamed", "triggers-0-values": "Oslo"}
    page = submit(sign_in(), page_of(workflow), FORM, **changes)
    assert "Action 1 (Create associations)" in page.context["adminform"].form.non_field_errors()[0]
    shown = fields_on(page, FORM)
    assert (shown["name"], shown["triggers-0-values"]) == (["Renamed"], ["Oslo"])
    workflow.refresh_from_db()
    assert (workflow.name, kept(workflow), workflow.revisions.count()) == (name, before, 1)


def test_the_page_asks_the_database_as_often_for_50_filters_as_for_2() -> None:
    make_label("contact", "company", "Employer", "Employee")
    associated = {**is_("city", "Rome"), "kind": "associated_property", "type_id": 279}
    few = make_workflow("contact", triggers=[[is_("city", "Rome"), associated]], on=False)
    many = make_workflow("contact", triggers=[[is_("city", "Rome"), associated]] * 25, on=False)
    for client in (sign_in(), sign_in("view_workflow")):
        counted = []
        for workflow in (few, many):
            client.get(page_of(workflow))  # what Django keeps for the process is read by now
            with CaptureQueriesContext(connection) as captured:
                assert client.get(page_of(workflow)).status_code == 200
            counted.append(len(captured))
        assert counted[0] == counted[1]
