"""What a record's page tells of its history."""

from __future__ import annotations

import pytest

from associations.models import Record
from associations.services import archiving, labels, linking, merging
from associations.services.origin import Origin
from tests.factories import (
    ORIGIN,
    associate,
    between,
    change,
    disassociate,
    make_label,
    make_record,
    make_records,
    object_type,
)

from .admin_pages import sign_in, url

pytestmark = pytest.mark.django_db


def history_of(record: Record) -> list[list[str]]:
    page = sign_in().get(url("record_history", record.pk))
    return [entry.lines for entry in page.context["entries"]]


def test_the_history_tells_what_happened_the_newest_first() -> None:
    employer = make_label("contact", "company", "Employer", "Employee")
    ann, acme = make_record("contact", firstname="Ann", city="Bonn"), make_record("company", name="Acme")
    change(ann, city="Berlin", lifecyclestage="lead")
    change(ann, city=None)
    associate(ann, acme, employer)
    disassociate(ann, acme)
    archiving.archive_records(ann.object_type, [ann.pk], origin=ORIGIN)
    archiving.restore_records(ann.object_type, [ann.pk], origin=ORIGIN)
    restored, archived, removed, added, emptied, changed, created = history_of(ann)
    assert (restored, archived) == (["Restored"], ["Archived"])
    assert sorted(removed) == [
        "Label Employer taken off Acme", "Label Primary taken off Acme", "No longer associated with Acme",
    ]  # fmt: skip
    assert sorted(added) == ["Associated with Acme", "Label Employer put on Acme", "Label Primary put on Acme"]
    assert emptied == ["Changed", "City: Berlin → no value"]
    assert changed == ["Changed", "City: Bonn → Berlin", "Lifecycle stage: no value → Lead"]
    assert created == ["Created", "City: no value → Bonn", "First name: no value → Ann"]
    assert f"Label Employee put on Contact {ann.pk}" in history_of(acme)[1]


def test_the_history_of_a_merge_is_told_on_both_records() -> None:
    first, second = make_records("contact", [{"firstname": "Ann"}, {"city": "Bonn"}])
    merging.merge_records(object_type("contact"), first.pk, second.pk, origin=ORIGIN)
    assert history_of(first)[0] == ["Merged", "City: no value → Bonn"]
    assert history_of(second)[0] == ["Merged"]


def test_the_history_outlives_records_and_labels() -> None:
    ann, acme = make_record("contact", firstname="Ann"), make_record("company", name="Acme")
    mentor = make_label("contact", "company", "Mentor")
    linking.associate(between(ann, acme), [(ann.pk, acme.pk)], origin=Origin.system(), labels=[mentor])
    archiving.delete_records(acme.object_type, [acme.pk], origin=ORIGIN)
    labels.delete_label(mentor.type)
    added = history_of(ann)[1]
    assert f"Associated with {acme.pk}, which is deleted" in added
    assert f"Label that is deleted put on {acme.pk}, which is deleted" in added
