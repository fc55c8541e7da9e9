"""Looking at what happened takes one query more for a live workflow at most, and none more for more records."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import Association
from tests.factories import make_record, make_records, unlabeled
from tests.plans import on_postgresql, times_read_whole
from tests.workflows.making import Filter, create, is_, make_workflow
from workflows.models import Enrollment
from workflows.services import events

pytestmark = pytest.mark.django_db
IN_BOSTON = is_("city", "Boston")
HAS_COMPANY_IN_BOSTON = {**IN_BOSTON, "kind": "associated_property", "type_id": 279}
LACKS_COMPANY = {"kind": "association", "type_id": 279, "has": False}
TRIGGERS: list[list[list[Filter]]] = [
    [[IN_BOSTON]],
    [[IN_BOSTON, LACKS_COMPANY], [HAS_COMPANY_IN_BOSTON]],
    [[is_("city", operator="is_known"), is_("state", operator="is_known")]],
]


def queries_for(records: int, city: str) -> int:
    make_records("contact", [{"city": city}] * records)
    with CaptureQueriesContext(connection) as queries:
        events.process_events()
    return len(queries)


def test_a_live_workflow_that_asks_for_associations_costs_one_query_and_all_others_one_together() -> None:
    """What its triggers mean is read when it is asked for the first time, and remembered."""
    for triggers in TRIGGERS:
        make_workflow("contact", create("company", "city", "city"), triggers=triggers)
    queries_for(1, "Oslo")
    counts = [queries_for(1, "Oslo")]
    for triggers in TRIGGERS:
        make_workflow("contact", create("company", "city", "city"), triggers=triggers)
        queries_for(1, "Oslo")
        counts.append(queries_for(1, "Oslo"))
    assert counts == [counts[0] + more for more in (0, 0, 1, 1)]


@pytest.mark.parametrize("city", ["Boston", "Oslo"])
def test_the_number_of_records_costs_none(city: str) -> None:
    for triggers in TRIGGERS:
        make_workflow("contact", create("company", "city", "city"), triggers=triggers)
    queries_for(1, city)
    first = queries_for(2, city)
    assert queries_for(200, city) == first
    assert Enrollment.objects.filter(record__properties__city="Boston").exists() is (city == "Boston")


@on_postgresql
def test_whether_associations_changed_is_found_without_reading_them() -> None:
    """Where the planner knows of a few changes it expects to meet a row of any one soon."""
    companies, type_ = make_records("company", 4), unlabeled("contact", "company").type
    contacts = make_records("contact", 405)
    for some in (contacts[:5], contacts[5:]):
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE associations_association")
        Association.objects.bulk_create(
            Association(source=contact, type=type_, target=company, change_set_id=contact.pk)
            for contact in some
            for company in companies
        )
    events.process_events()
    make_record("contact")
    before = times_read_whole("associations_association")
    events.process_events()
    assert times_read_whole("associations_association") == before
