"""What holds for every page of this app's admin: it is safe, loads nothing from elsewhere, and asks the database a
number of times that does not grow with what it shows."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from associations.models import AssociationType, ObjectType, Record
from associations.services import labels, schema
from tests.factories import (
    associate,
    change,
    make_label,
    make_object_type,
    make_property,
    make_record,
    make_records,
    object_type,
)

from .admin_pages import record_url, sign_in, url

pytestmark = pytest.mark.django_db

EVIL = "<script>alert(1)</script>"


def every_page(record: Record) -> list[str]:
    """Each page that a record and its schema have a part in."""
    contact = record.object_type
    own = AssociationType.objects.exclude(name="").latest("id")
    return [
        "/admin/",
        *(url(f"{model}_changelist") for model in ("objecttype", "property", "associationtype", "changeset")),
        *(url(f"{model}_add") for model in ("objecttype", "property", "record", "associationtype")),
        url("objecttype_change", contact.pk),
        url("property_change", contact.properties.latest("id").pk),
        url("property_add", object_type=contact.name),
        url("associationtype_change", own.pk),
        url("associationtype_delete", own.pk),
        url("record_changelist", object_type=contact.name),
        url("record_changelist", object_type=contact.name, q=EVIL),
        url("record_changelist", object_type=EVIL),
        url("record_add", object_type=contact.name),
        record_url(record),
        url("record_history", record.pk),
        url("record_delete", record.pk),
        f"/admin/associations/record/{record.pk}/associate/",
    ]


def evil_record() -> Record:
    """A record that tries to run a script wherever something of it or of its type is shown."""
    pet = schema.create_object_type(
        name="pet", label=EVIL, plural_label=EVIL, primary_property="name", primary_label=EVIL, description=EVIL
    )
    options = [{"value": EVIL, "label": EVIL}]
    schema.create_property(
        pet, name="kind", label=EVIL, description=EVIL, type="enumeration", field_type="select", options=options
    )
    label = labels.create_label(pet, pet, label=EVIL, inverse_label=f"{EVIL}{EVIL}")
    record, other = make_records("pet", [{"name": EVIL, "kind": EVIL}, {"name": EVIL}])
    associate(record, other, label)
    change(record, name=f"{EVIL} changed")
    return record


def test_what_people_enter_is_text_on_every_page() -> None:
    record, client = evil_record(), sign_in()
    shown = 0
    for address in every_page(record):
        page = client.get(address, follow=True).content.decode()
        assert EVIL not in page, address
        shown += "&lt;script&gt;alert(1)" in page
    assert shown > 15
    selected = {"action": "merge_selected", "_selected_action": Record.objects.values_list("pk", flat=True)}
    page = client.post(url("record_changelist", object_type="pet"), selected).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert EVIL not in page


def test_what_is_told_of_what_people_entered_is_text_too() -> None:
    record, client = evil_record(), sign_in()
    other = Record.objects.exclude(pk=record.pk).get()
    for address, data in [
        (f"/admin/associations/record/{record.pk}/associate/", {"type_id": "", "other": EVIL}),
        (f"/admin/associations/record/{record.pk}/take_off/", {"end": f"{EVIL}:{other.pk}"}),
        (url("record_delete", record.pk), {"post": "yes"}),
        (url("objecttype_delete", record.object_type_id), {"post": "yes"}),
    ]:
        page = client.post(address, data, follow=True).content.decode()
        assert EVIL not in page, address


def test_every_page_keeps_to_the_content_security_policy() -> None:
    """default-src 'self': what stands in the page itself would not run, and nothing comes from another host."""
    make_label("contact", "company", "Employer", "Employee")
    [ann], [acme] = make_records("contact", 1), make_records("company", 1)
    associate(ann, acme)
    client = sign_in()
    for address in every_page(ann):
        response = client.get(address, follow=True)
        assert "default-src 'self'" in response["Content-Security-Policy"]
        page = response.content.decode()
        assert not re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", page), address
        assert not re.findall(r"(?:src|action)=\"(?:https?:)?//", page), address


# Queries ----------------------------------------------------------------------------------------


def queries(client: Client, address: str) -> int:
    client.get(address)  # the first page of a process also asks for what it then remembers
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def more_records(count: int) -> None:
    make_records("contact", count)


def more_properties(count: int) -> None:
    for _ in range(count):
        number = object_type("contact").properties.count()
        options = [{"value": "a", "label": "A"}]
        make_property("contact", f"p{number}", type="enumeration", field_type="select", options=options)


def more_object_types(count: int) -> None:
    for _ in range(count):
        make_object_type(f"type{ObjectType.objects.count()}")


def more_labels(count: int) -> None:
    for _ in range(count):
        make_label("contact", "contact", f"Label {AssociationType.objects.count()}")


def more_associations(count: int) -> None:
    ann = Record.objects.order_by("id").first()
    assert ann is not None
    employer = make_label("contact", "company", f"Employer {count}", f"Employee {count}")
    for each in [*make_records("company", count), *make_records("contact", count)]:
        associate(ann, each, *([employer] if each.object_type.name == "company" else []))


def more_changes(count: int) -> None:
    ann = Record.objects.order_by("id").first()
    assert ann is not None
    for number in range(count):
        change(ann, city=f"City {number}")


@pytest.mark.parametrize(
    ("page", "more"),
    [
        ("record_changelist", more_records),
        ("record_changelist", more_properties),
        ("record_changelist", more_object_types),
        ("record", more_associations),
        ("record", more_properties),
        ("record", more_labels),
        ("record_history", more_changes),
        ("record_history", more_associations),
        ("objecttype_changelist", more_object_types),
        ("objecttype", more_properties),
        ("property_changelist", more_properties),
        ("associationtype_changelist", more_labels),
        ("changeset_changelist", more_changes),
    ],
)
def test_a_page_asks_the_database_as_often_for_50_as_for_5(page: str, more: Callable[[int], None]) -> None:
    record = make_record("contact", email="ann@example.com")
    ids = {"record": record.pk, "record_history": record.pk, "objecttype": object_type("contact").pk}
    address = url(
        page if page.endswith(("list", "history")) else f"{page}_change", *([ids[page]] if page in ids else [])
    )
    client = sign_in()
    many = 15 if more is more_object_types else 45
    more(5)
    few = queries(client, address)
    more(many)
    assert queries(client, address) == few


def test_a_list_counts_its_records_once_and_only_those_of_its_type() -> None:
    make_records("contact", 3)
    client = sign_in()
    with CaptureQueriesContext(connection) as captured:
        client.get(url("record_changelist", object_type="contact", property_lifecyclestage="lead"))
    counts = [query["sql"] for query in captured if "COUNT(" in query["sql"].upper()]
    assert len(counts) == 1
    assert '"object_type_id" = ' in counts[0]
