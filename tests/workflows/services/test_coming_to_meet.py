"""Who comes to meet the filters: after any changes exactly those that meet them now and did not before.

The product asks this of today's rows and the facts of the changes, in one query; the test looks before and after.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from associations.models import ChangeSet, Record
from associations.querysets import types_of_pair
from associations.services import archiving
from tests.factories import (
    ORIGIN,
    associate,
    change,
    disassociate,
    make_label,
    make_record,
    object_type,
    remove_label,
    unlabeled,
)
from tests.workflows.making import create, make_workflow
from workflows.criteria import Criteria, read_criteria
from workflows.models import Enrollment, Workflow
from workflows.services.events import process_events

CITIES = ["Boston", "Berlin", None]
# Few of each, so that changes meet each other: an archived company is one with associations, and so on.
_contact = st.integers(0, 1)
_company = st.just(0)
_operations = st.lists(
    st.one_of(
        st.tuples(st.just("contact city"), _contact, st.sampled_from(CITIES)),
        st.tuples(st.just("company city"), _company, st.sampled_from(CITIES)),
        st.tuples(st.sampled_from(["associate", "disassociate"]), _contact, _company),
        st.tuples(st.sampled_from(["label", "unlabel"]), _contact, _company),
        st.tuples(st.sampled_from(["archive company", "restore company"]), _company, st.none()),
        st.tuples(st.just("new contact"), st.none(), st.sampled_from(CITIES)),
    ),
    min_size=1,
    max_size=8,
)


_TESTS: list[dict[str, Any]] = [
    {"property": "city", "operator": "is_any_of", "values": ["Boston"]},
    {"property": "city", "operator": "is_not_equal_to", "values": ["Boston"], "or_no_value": True},
    {"property": "city", "operator": "is_unknown"},
]


@pytest.fixture
def workflows(db: None) -> list[tuple[Workflow, Criteria]]:
    """A live workflow for every kind of filter, and two for filters together."""
    type_ids = unlabeled("contact", "company").type_id, make_label("contact", "company", "Employer").type_id
    filters = [{"kind": "property", **raw} for raw in _TESTS]
    for type_id in type_ids:
        filters += [{"kind": "associated_property", "type_id": type_id, **raw} for raw in _TESTS]
        filters += [{"kind": "association", "type_id": type_id, "has": has} for has in (True, False)]
    trees = [[[each]] for each in filters]
    trees += [[[filters[0], filters[-1]]], [[filters[0]], [filters[-2], filters[3]]]]
    step = create("company", "company", "name")
    return [
        (make_workflow("contact", step, triggers=groups), read_criteria(groups, object_type("contact")))
        for groups in trees
    ]


@settings(deadline=None, max_examples=24, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(earlier=_operations, later=_operations)
@example(earlier=[("label", 0, 0)], later=[("archive company", 0, None), ("restore company", 0, None)])
@example(
    earlier=[("associate", 0, 0), ("archive company", 0, None)],
    later=[("restore company", 0, None), ("archive company", 0, None)],
)
@example(earlier=[("associate", 0, 0)], later=[("disassociate", 0, 0), ("associate", 0, 0), ("disassociate", 0, 0)])
@example(earlier=[("associate", 0, 0)], later=[("company city", 0, "Boston"), ("disassociate", 0, 0)])
@example(earlier=[("contact city", 0, None)], later=[("associate", 0, 0), ("disassociate", 0, 0)])
@example(earlier=[("associate", 1, 0)], later=[("company city", 0, "Boston")])
def test_exactly_those_enroll_that_meet_the_filters_now_and_did_not_before(
    workflows: list[tuple[Workflow, Criteria]], earlier: list[Any], later: list[Any]
) -> None:
    with transaction.atomic():
        world = World()
        for operation in earlier:
            world.do(*operation)
        Workflow.objects.update(since_change_set=ChangeSet.objects.latest("id").pk)  # as if turned on now
        before = [meeting(criteria) for _, criteria in workflows]
        for operation in later:
            world.do(*operation)
        while process_events():
            pass
        for (workflow, criteria), met in zip(workflows, before, strict=True):
            assert enrolled(workflow) == meeting(criteria) - met, criteria
        assert not ChangeSet.objects.filter(processed_at=None).exists()
        transaction.set_rollback(True)


class World:
    """Two contacts and a company to change at random."""

    def __init__(self) -> None:
        self.contacts = [make_record("contact") for _ in range(2)]
        self.companies = [make_record("company")]

    def do(self, operation: str, first: Any, second: Any) -> None:
        match operation:
            case "contact city":
                change(self.contacts[first], city=second)
            case "company city" if not self.is_archived(self.companies[first]):
                change(self.companies[first], city=second)
            case "new contact":
                make_record("contact", city=second)
            case "archive company":
                archiving.archive_records(object_type("company"), [self.companies[first].pk], origin=ORIGIN)
            case "restore company":
                archiving.restore_records(object_type("company"), [self.companies[first].pk], origin=ORIGIN)
            case "associate" | "disassociate" | "label" | "unlabel":
                self.link(operation, self.contacts[first], self.companies[second])

    def link(self, operation: str, contact: Record, company: Record) -> None:
        pair = types_of_pair(object_type("contact"), object_type("company"))
        label = next(each for each in pair if str(each) == "Employer")
        if operation == "disassociate":
            disassociate(contact, company)
        elif operation == "unlabel":
            remove_label(contact, company, label)
        elif not self.is_archived(company):
            associate(contact, company, *([label] if operation == "label" else []))

    def is_archived(self, record: Record) -> bool:
        return Record.objects.filter(pk=record.pk, archived_at__isnull=False).exists()


def meeting(criteria: Criteria) -> set[int]:
    records = Record.objects.filter(object_type=object_type("contact"), archived_at=None)
    return set(records.filter(criteria.q()).values_list("id", flat=True))


def enrolled(workflow: Workflow) -> set[int]:
    return set(Enrollment.objects.filter(workflow=workflow).values_list("record", flat=True))
