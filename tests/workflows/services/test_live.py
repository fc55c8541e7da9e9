"""With many workflows on, one statement tells in which of them nobody can come: the others are asked as ever."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import change, make_property, make_record, make_records
from tests.workflows.making import Filter, create, is_, make_workflow
from workflows import sql
from workflows.models import Enrollment, Workflow
from workflows.services import events, lifecycle, live

pytestmark = pytest.mark.django_db
CITIES = ["Boston", "Oslo", "Paris", "Rome"]


def wanting(*groups: list[Filter]) -> Workflow:
    return make_workflow("contact", create("company", "city", "city"), triggers=list(groups))


def enrolled() -> list[tuple[str, str]]:
    found = Enrollment.objects.order_by("record_id", "workflow__name")
    return [(record["city"], name) for record, name in found.values_list("record__properties", "workflow__name")]


def queries() -> int:
    with CaptureQueriesContext(connection) as captured:
        events.process_events()
    return len(captured)


def test_each_record_comes_into_the_workflows_that_want_it_and_into_no_others() -> None:
    by_city = {city: wanting([is_("city", city)]) for city in CITIES}
    make_records("contact", [{"city": city} for city in [*CITIES[:3], "Lima"]])
    events.process_events()
    assert enrolled() == [(city, by_city[city].name) for city in CITIES[:3]]


def test_a_workflow_that_wants_none_of_what_happened_costs_no_query() -> None:
    wanting([is_("city", "Boston")])
    wanting([is_("city", "Oslo")])
    make_record("contact", city="Lima")
    queries()  # the first time reads what the workflows mean
    make_record("contact", city="Lima")
    before = queries()
    for city in CITIES:
        wanting([is_("city", city)])
    make_record("contact", city="Lima")
    queries()
    make_record("contact", city="Lima")
    assert queries() == before


def test_more_workflows_than_one_statement_asks_of_are_asked_by_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "AT_A_TIME", 2)
    by_city = {city: wanting([is_("city", city)]) for city in [*CITIES, "Lima"]}
    make_records("contact", [{"city": "Lima"}, {"city": "Oslo"}])
    events.process_events()
    assert enrolled() == [(city, by_city[city].name) for city in ("Lima", "Oslo")]


def test_who_asks_for_associations_or_the_day_is_asked_for_itself() -> None:
    lacks = {"kind": "association", "type_id": 279, "has": False}
    make_property("contact", "seen", type="date", field_type="date")
    today = is_("seen", 7, operator="in_last_days")
    groups: list[list[Filter]] = [[is_("city", "Boston")], [is_("city", "Oslo")], [lacks], [today]]
    for group in groups:
        wanting(group)
    asked = [each.asks_for_properties_alone for each in live.live_workflows(*sql.begin_look(0)[2:])]
    assert sorted(asked) == [False, False, True, True]


def test_what_only_concerns_other_object_types_asks_no_workflow_of_contacts() -> None:
    wanting([is_("city", "Boston")])
    wanting([{**is_("city", "Boston"), "kind": "associated_property", "type_id": 279}])
    make_record("company", city="Lima")
    queries()
    make_record("company", city="Lima")
    with_one_that_looks_at_companies = queries()
    wanting([is_("city", "Oslo")])
    make_record("company", city="Lima")
    queries()
    make_record("company", city="Lima")
    assert queries() == with_one_that_looks_at_companies


def test_a_workflow_that_is_turned_off_or_edited_is_read_anew() -> None:
    first, second = wanting([is_("city", "Boston")]), wanting([is_("city", "Oslo")])
    make_records("contact", [{"city": "Boston"}, {"city": "Oslo"}])
    events.process_events()
    lifecycle.turn_off(first)
    trigger = second.triggers.get()
    trigger.fields = {**trigger.fields, "values": ["Rome"]}
    trigger.save()
    lifecycle.edited(second)
    make_records("contact", [{"city": "Boston"}, {"city": "Oslo"}, {"city": "Rome"}])
    events.process_events()
    assert enrolled()[2:] == [("Rome", second.name)]


def test_a_record_that_comes_to_meet_by_a_change_is_enrolled_among_many_workflows() -> None:
    by_city = {city: wanting([is_("city", city)]) for city in CITIES}
    contact = make_record("contact", city="Lima")
    events.process_events()
    assert enrolled() == []
    change(contact, city="Rome")
    events.process_events()
    assert enrolled() == [("Rome", by_city["Rome"].name)]
