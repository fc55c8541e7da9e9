"""The sums of the ledger that pages show: kept as change sets are looked at, and the same when they are made anew."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.management import call_command
from django.utils import timezone

from associations.models import AssociationChange, AssociationFigure, ChangeSet, Record
from tests.factories import associate, disassociate, make_label, make_record, make_records, remove_label
from tests.plans import on_sqlite, walks
from workflows.services.events import process_events

pytestmark = pytest.mark.django_db


def figures() -> dict[tuple[dt.date, int, str], tuple[int, int]]:
    return {
        (each.day, each.type_id, each.source): (each.added, each.removed) for each in AssociationFigure.objects.all()
    }


def test_what_came_and_went_is_summed_by_day_type_and_source_once_for_each_change() -> None:
    employer = make_label("contact", "company", "Employer", "Employee")
    contacts, acme = make_records("contact", 3), make_record("company", name="Acme")
    for contact in contacts:
        associate(contact, acme, employer)
    assert figures() == {}  # nobody has looked at the changes yet
    process_events()
    today = timezone.localdate()
    assert figures() == {(today, type_id, "system"): (3, 0) for type_id in (279, 1, employer.type_id)}
    remove_label(contacts[0], acme, employer)
    disassociate(contacts[1], acme)
    process_events()
    process_events()
    assert figures() == {
        (today, 279, "system"): (3, 1),
        (today, 1, "system"): (3, 1),
        (today, employer.type_id, "system"): (3, 2),
    }


def test_days_are_those_of_the_installation(settings) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    associate(make_record("contact", firstname="Ann"), make_record("company", name="Acme"))
    late = dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.UTC)
    with timezone.override("Asia/Tokyo"):
        ChangeSet.objects.update(at=late)
        process_events()
        assert {day for day, _, _ in figures()} == {dt.date(2026, 3, 2)}


def test_made_anew_the_sums_and_names_are_the_same() -> None:
    employer = make_label("contact", "company", "Employer", "Employee")
    ann, acme = make_record("contact", email="Ann@Example.com"), make_record("company", name="  ACME\u3000Inc ")
    associate(ann, acme, employer)
    remove_label(ann, acme, employer)
    process_events()
    before, names = figures(), list(Record.objects.order_by("id").values_list("name_key", flat=True))
    assert [bytes(name) for name in names] == [b"ann@example.com", b"acme inc"]
    AssociationFigure.objects.update(added=99)
    Record.objects.update(name_key=b"x")
    call_command("rebuild_derived", verbosity=0)
    assert figures() == before
    assert list(Record.objects.order_by("id").values_list("name_key", flat=True)) == names
    assert AssociationChange.objects.count() == 4


@on_sqlite
def test_what_change_sets_did_is_found_by_their_numbers_and_not_in_all_there_is() -> None:
    contacts, acme = make_records("contact", 3), make_record("company", name="Acme")
    associate(contacts[0], acme)
    with walks() as walked:
        process_events()
    assert not walked & {"associations_association", "associations_formerassociation"}
    assert AssociationFigure.objects.exists()
