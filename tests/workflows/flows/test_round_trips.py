"""A flow comes back as it was sent; a workflow that becomes a flow and a workflow again is the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from associations.querysets import Surroundings
from associations.types import DirectedType
from tests.factories import make_label, make_property, object_type, unlabeled
from tests.workflows.random_filters import KINDS, NOW, OPTIONS, VALUES, filters
from workflows.criteria import Criteria, Filter
from workflows.flows import read_flow, write_flow
from workflows.models import Workflow
from workflows.services import editing, flows, lifecycle

from .hubspot import (
    DELAY,
    EMAIL,
    all_of,
    any_of,
    changed,
    create,
    event,
    event_based,
    flow,
    list_based,
    remove,
)

pytestmark = pytest.mark.once

FORM = {"filterType": "FORM_SUBMISSION", "operator": "FILLED_OUT", "formId": "x"}
DENIALS = ("is_not_equal_to", "is_none_of", "does_not_contain")


def told(workflow: Workflow) -> Any:
    [given] = flows.flows_of([Workflow.objects.get(pk=workflow.pk)])
    return given


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sent",
    [
        flow(),
        flow(create(), enrollmentCriteria=list_based(all_of(any_of("city", "a")))),
        flow(DELAY, create(), EMAIL, enrollmentCriteria=list_based(all_of(FORM, any_of("city", "a")))),
        flow(create(), enrollmentCriteria=event_based(event("4-1639801"), changed("city")), uuid="u-1"),
        flow(
            create(),
            enrollmentSchedule={"type": "YEARLY", "month": "MAY", "dayOfMonth": 1},
            enrollmentCriteria={"type": "MANUAL", "shouldReEnroll": True},
            goalFilterBranch=all_of(FORM),
            timeWindows=[{"day": "MONDAY", "startTime": {"hour": 9, "minute": 0}}],
            dataSources=[{"type": "ASSOCIATION", "name": "company"}],
            customProperties={"a": "b"},
            canEnrollFromSalesforce=True,
            suppressionListIds=[1, 2],
            unEnrollmentSetting={"type": "ALL", "flowIds": []},
            somethingNew={"HubSpot": ["added", None, 1.5]},
        ),
    ],
)
def test_a_flow_comes_back_as_it_was_sent(sent):
    given = told(flows.create_flow(sent))
    assert {name: given[name] for name in sent} == sent
    again = told(flows.replace_flow(Workflow.objects.get(), given))
    assert {**again, "revisionId": "", "updatedAt": ""} == {**given, "revisionId": "", "updatedAt": ""}


def save(workflow, definition):
    editing.save_workflow(workflow, definition, name=workflow.name, description=workflow.description)
    workflow.refresh_from_db()


@pytest.mark.django_db
def test_what_is_changed_here_is_changed_there_and_the_rest_is_as_it_was_sent():
    sent = flow(EMAIL, create(), enrollmentCriteria=list_based(all_of(FORM)), goalFilterBranch=all_of(FORM))
    workflow = flows.create_flow(sent)
    definition = lifecycle.definition_json(workflow)
    definition["actions"][1]["fields"]["enrolled_property"] = "city"
    save(workflow, definition)
    given = told(workflow)
    assert given["enrollmentCriteria"] == sent["enrollmentCriteria"] and given["goalFilterBranch"]
    email, created = given["actions"]
    assert email == sent["actions"][0]
    assert created["fields"]["enrolledObjectPropertyNameToMatch"] == "0-1/city" and created["actionId"] == "2"
    save(workflow, {**definition, "actions": definition["actions"][1:]})
    [created] = told(workflow)["actions"]
    assert created["actionId"] == told(workflow)["startActionId"] == "2"


@pytest.mark.django_db
def test_triggers_that_are_put_anew_here_replace_those_that_cannot_run():
    workflow = flows.create_flow(flow(create(), enrollmentCriteria=list_based(all_of(FORM))))
    assert told(workflow)["cannotRun"]
    workflow.triggers.all().delete()
    given = told(workflow)
    assert given["enrollmentCriteria"] == {"type": "MANUAL", "shouldReEnroll": False}
    assert "cannotRun" not in given
    lifecycle.turn_on(workflow)


@pytest.mark.django_db
def test_a_revision_is_told_as_a_flow_too():
    label = make_label("contact", "company", "Local")
    workflow = flows.create_flow(flow(create(), isEnabled=True))
    first = workflow.revision
    assert first is not None
    flows.replace_flow(workflow, {**told(workflow), **flow(remove(label))} | {"isEnabled": True})
    written = write_flow(workflow, first.definition, Surroundings(workflow.object_type))
    assert written["actions"][0]["fields"] == create()["fields"]
    assert [revision.edits for revision in workflow.revisions.all()] == [2, 3]


# At random --------------------------------------------------------------------------------------

EVENT_VALUES = {name: st.lists(VALUES[name], min_size=0, max_size=2) for name in KINDS}


class Random(TestCase):
    label: DirectedType
    other: DirectedType
    type_ids: list[int]
    around: Surroundings

    @classmethod
    def setUpTestData(cls) -> None:
        options = [{"value": each, "label": each} for each in OPTIONS]
        for type_name in ("contact", "company"):
            for name, (type_, field_type) in KINDS.items():
                given_options = options if type_ == "enumeration" else []
                make_property(type_name, name, type=type_, field_type=field_type, options=given_options)
        cls.label = make_label("contact", "company", "Local")
        cls.other = make_label("contact", "company", "Employer", "Employee")
        cls.type_ids = [unlabeled("contact", "company").type_id, cls.label.type_id, cls.other.type_id]
        cls.around = Surroundings(object_type("contact"))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_a_workflow_that_becomes_a_flow_and_a_workflow_again_is_the_same(self, data: st.DataObject) -> None:
        drawn = {name: data.draw(VALUES[name]) for name in KINDS}
        pool = {name: [value] if str(value).strip() else [] for name, value in drawn.items()}
        definition = data.draw(self.definitions(pool))
        before = lifecycle.read_definition(definition, self.around.object_type)
        workflow = Workflow(name="It", object_type=self.around.object_type)
        workflow.created_at = workflow.updated_at = NOW
        sent = write_flow(workflow, definition, self.around)
        draft = read_flow(sent, self.around.object_type, self.around)
        assert draft.flow["problems"] == []
        after = lifecycle.read_definition(draft.definition, self.around.object_type)
        assert after.actions == before.actions
        for name in ("events", "schedule", "re_enrollment_properties", "unenroll"):
            assert getattr(after.triggers, name) == getattr(before.triggers, name), name
        assert meant(after.triggers.criteria) == meant(before.triggers.criteria)
        assert meant(after.triggers.suppression) == meant(before.triggers.suppression)
        # And from then on the JSON is the same, too.
        workflow.flow = draft.flow
        assert write_flow(workflow, draft.definition, self.around) == sent

    def definitions(self, pool: Any) -> st.SearchStrategy[Any]:
        @st.composite
        def draw_one(draw: st.DrawFn) -> Any:
            every = draw(filters(self.type_ids, pool, pool))
            triggers = draw(st.lists(st.lists(st.sampled_from(every), min_size=1, max_size=4), max_size=4))
            suppression = draw(st.lists(st.lists(st.sampled_from(every), min_size=1, max_size=2), max_size=2))
            schedule = draw(schedules)
            events = [] if schedule else draw(st.lists(self.events(), max_size=3))
            marks = draw(st.lists(st.sampled_from(list(KINDS)), unique=True, max_size=2))
            return {
                "triggers": triggers,
                "suppression": suppression,
                "events": events,
                "schedule": schedule,
                "should_re_enroll": bool(marks) or draw(st.booleans()),
                "re_enrollment_properties": marks,
                "unenroll": bool(triggers) and draw(st.booleans()),
                "actions": draw(st.lists(self.actions(), min_size=1, max_size=4)),
            }

        return draw_one()

    def events(self) -> st.SearchStrategy[Any]:
        def of_change(name: str) -> st.SearchStrategy[Any]:
            plain = {"event": "property_changed", "property": name}
            some = EVENT_VALUES[name].map(lambda values: {**plain, "values": values})
            return st.one_of(st.just(plain), st.just({**plain, "known": True}), some)

        labels = st.sampled_from(self.type_ids[1:])
        return st.one_of(
            st.just({"event": "created"}),
            st.just({"event": "associated", "type_id": self.type_ids[0]}),
            st.sampled_from(list(KINDS)).flatmap(of_change),
            st.builds(
                lambda name, type_id: {"event": name, "type_id": type_id},
                st.sampled_from(["label_added", "label_removed"]),
                labels,
            ),
        )

    def actions(self) -> st.SearchStrategy[Any]:
        one, two = str(self.label.type_id), str(self.other.type_id)
        to = {"to_object_type": "0-2"}

        def row(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
            return st.fixed_dictionaries({}, optional=fields).map(lambda each: {"kind": kind, "fields": {**to, **each}})

        matching = {"enrolled_property": "city", "associated_property": "name"}
        comparison = st.sampled_from(["normalized", "exact", "phone", "domain"])
        tests = {"operator": st.sampled_from(["is_equal_to", "is_not_equal_to"]), "or_no_value": st.just(True)}
        more = [
            {"apply_to": "all"},
            {"apply_to": "matching_property", **matching},
            {"apply_to": "enrolled_property", "enrolled_property": "city", "value": "Rome"},
            {"apply_to": "associated_property", "associated_property": "flag", "value": "true"},
        ]
        created = row(
            "create_associations",
            label=st.sampled_from([one, two]),
            comparison=comparison,
            several=st.sampled_from(["all", "oldest", "newest", "review"]),
            cap=st.integers(1, 10_000),
            keep_in_sync=st.just(True),
        )
        applied = row("apply_label", comparison=comparison, **tests)
        updated = row("update_labels", mode=st.sampled_from(["append", "replace"]))
        removed = row("remove_labels", remove_associations=st.just(True))
        return st.one_of(
            created.map(lambda each: with_fields(each, matching)),
            st.builds(with_fields, applied, st.sampled_from(more).map(lambda each: {"label": one, **each})),
            updated.map(lambda each: with_fields(each, {"existing_label": one, "new_label": two})),
            st.builds(with_fields, removed, st.sampled_from([{"labels": [one]}, {"labels": [two, one]}])),
        )


def with_fields(row: Any, fields: Any) -> Any:
    return {**row, "fields": {**row["fields"], **fields}}


_times = st.times().map(lambda time: f"{time:%H:%M}")
schedules = st.one_of(
    st.none(),
    st.builds(
        lambda days, time, zone: {**days, "time": time, "time_zone": zone},
        st.one_of(
            st.just({"frequency": "daily"}),
            st.integers(0, 6).map(lambda day: {"frequency": "weekly", "weekday": day}),
            st.integers(1, 31).map(lambda day: {"frequency": "monthly", "day": day}),
        ),
        _times,
        st.sampled_from(["UTC", "Europe/Berlin"]),
    ),
)


def meant(criteria: Criteria) -> list[set[str]]:
    """The groups, each as a set: a flow has filters and associations in two lists. "or has no value" says nothing
    beside an operator that denies nothing."""
    return [{_said(each) for each in group} for group in criteria.groups]


def _said(each: Filter) -> str:
    inner: Any = getattr(each, "filter", each)
    if getattr(inner, "or_no_value", False) and inner.operator not in DENIALS:
        return repr(each).replace("or_no_value=True", "or_no_value=False")
    return repr(each)
