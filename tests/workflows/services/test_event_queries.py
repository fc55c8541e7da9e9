"""Looking at what happened takes one query more for a live workflow at most, and none more for more records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import Association, Record
from associations.services import linking
from tests.factories import ORIGIN, change, make_record, make_records, unlabeled
from tests.plans import on_postgresql, on_sqlite, rows_fetched, times_read_whole, walks
from tests.workflows.making import Filter, create, is_, make_workflow, process_all
from workflows.models import Enrollment, EnrollmentTrigger
from workflows.services import events, lifecycle

pytestmark = pytest.mark.django_db
ENROLL, SUPPRESS = EnrollmentTrigger.Purpose
EVERYTHING = {
    "associations_record",
    "associations_recordevent",
    "associations_association",
    "associations_formerassociation",
    "workflows_enrollment",
}
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


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def without_leftovers() -> None:
    """Have the tables as on the first day: the planner goes by their size, to which rows of other tests, taken back,
    still belong."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(sorted(EVERYTHING))}, associations_changeset CASCADE")


def associate_all(contacts: Sequence[Record], companies: Sequence[Record]) -> None:
    type_ = unlabeled("contact", "company").type
    Association.objects.bulk_create(
        Association(source=contact, type=type_, target=company, change_set_id=contact.pk)
        for contact in contacts
        for company in companies
    )


@on_postgresql
def test_whether_associations_changed_is_found_without_reading_them() -> None:
    """Where the planner knows of a few changes it expects to meet a row of any one soon."""
    companies = make_records("company", 4)
    contacts = make_records("contact", 405)
    for some in (contacts[:5], contacts[5:]):
        analyze()
        associate_all(some, companies)
    events.process_events()
    make_record("contact")
    before = times_read_whole("associations_association")
    events.process_events()
    assert times_read_whole("associations_association") == before


def happen() -> Iterator[None]:
    """To few, one after the other: created, changed, the company of one changed, associated, labelled."""
    contact, company = make_records("contact", [{"city": "Oslo"}])[0], make_record("company", city="Oslo")
    yield
    linking.associate(unlabeled("contact", "company"), [(contact.pk, company.pk)], origin=ORIGIN)
    yield
    change(contact, city="Boston")
    yield
    change(company, city="Boston")
    yield


def all_kinds() -> None:
    """A workflow of every kind that looks at what happens."""
    step, event = create("company", "city", "city"), EnrollmentTrigger.Kind.EVENT
    for triggers in TRIGGERS:
        make_workflow("contact", step, triggers=triggers)
    make_workflow("contact", create("company", "city", "city", keep_in_sync=True), triggers=TRIGGERS[0])
    for purpose, triggers in ((SUPPRESS, TRIGGERS[1]), (ENROLL, [])):
        workflow = make_workflow("contact", step, triggers=TRIGGERS[0], on=False)
        workflow.unenroll_when_not_met = not triggers
        workflow.save()
        for group, filters in enumerate(triggers, 1):
            for each in filters:
                fields = {name: value for name, value in each.items() if name != "kind"}
                workflow.triggers.create(purpose=purpose, group=group, kind=each["kind"], fields=fields)
        lifecycle.turn_on(workflow)
    of_events = make_workflow("contact", step, on=False)
    for fields in (
        {"event": "created"},
        {"event": "property_changed", "property": "city"},
        {"event": "associated", "type_id": 279},
    ):
        of_events.triggers.create(kind=event, fields=fields)
    lifecycle.turn_on(of_events)


@on_sqlite
def test_a_look_walks_through_no_table() -> None:
    all_kinds()
    process_all()
    for _ in happen():
        with walks() as walked:
            process_all()
        assert not walked & EVERYTHING


@on_postgresql
@pytest.mark.parametrize("known", [1, 100])
def test_a_look_reads_what_happened_and_not_what_there_is(known: int) -> None:
    """Asked for all records at once, filters would read every one of them. The planner may know the first chunk only,
    as of tables that have just begun to grow."""
    all_kinds()
    for chunk in range(1, 101):
        associate_all(make_records("contact", [{"city": "Bergen"}] * 30), make_records("company", 2))
        if chunk == known:
            process_all()
            analyze()
    process_all()
    for _ in happen():
        before = rows_fetched()
        process_all()
        read = rows_fetched() - before
        assert {table: read[table] for table in EVERYTHING if read[table] > 300} == {}
