"""The admin's list of the records of one object type, and what can be done with those selected in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from associations.models import ChangeSet, Record
from associations.services import archiving
from tests.factories import (
    ORIGIN,
    associate,
    limit,
    make_label,
    make_object_type,
    make_property,
    make_record,
    make_records,
    object_type,
    unlabeled,
    words,
)

from .admin_pages import messages_on, sign_in, url

pytestmark = pytest.mark.django_db


def listed(client: Client, **query: str) -> list[Record]:
    page = client.get(url("record_changelist", **query))
    assert page.status_code == 200
    return list(page.context["cl"].result_list)


def archive(*records: Record) -> None:
    archiving.archive_records(records[0].object_type, [record.pk for record in records], origin=ORIGIN)


def act(client: Client, action: str, records: list[Record], **more: object) -> Any:
    data = {"action": action, "_selected_action": [record.pk for record in records], **more}
    return client.post(url("record_changelist", object_type=records[0].object_type.name), data, follow=True)


# What it lists ----------------------------------------------------------------------------------


def test_contacts_come_first_and_each_object_type_has_a_list() -> None:
    make_object_type("pet")
    contacts, [rex] = make_records("contact", 2), make_records("pet", [{"name": "Rex"}])
    client = sign_in()
    assert listed(client) == contacts[::-1]
    assert listed(client, object_type="pet") == [rex]
    page = client.get(url("record_changelist", object_type="pet")).content.decode()
    assert '<a href="?object_type=pet" aria-current="page">Pets</a>' in page
    assert '<a href="?object_type=company">Companies</a>' in page


def test_a_list_of_no_object_type_leads_to_one_that_is() -> None:
    response = sign_in().get(url("record_changelist", object_type="nothing"))
    assert (response.status_code, response["location"]) == (302, url("record_changelist"))


def test_the_columns_are_the_primary_display_property_and_the_next_ones() -> None:
    make_record("company", name="Acme", domain="acme.example", phone="+1 617 555 0100")
    page = sign_in().get(url("record_changelist", object_type="company"))
    assert [column.__name__ for column in page.context["cl"].list_display[1:-1]] == [
        "property_name", "property_domain", "property_phone", "property_address", "property_city", "property_state",
    ]  # fmt: skip
    content = page.content.decode()
    assert all(shown in content for shown in (">Acme<", ">acme.example<", ">+1 617 555 0100<", "Company domain name"))


def test_a_record_without_its_primary_value_is_named_by_its_id() -> None:
    record = make_record("contact", firstname="Ann")
    assert f">Contact {record.pk}</a>" in sign_in().get(url("record_changelist")).content.decode()


def test_values_are_shown_as_people_read_them() -> None:
    make_object_type("pet")
    options = [{"value": "s", "label": "Small"}, {"value": "m", "label": "Medium"}]
    make_property("pet", "sizes", type="enumeration", field_type="checkbox", options=options)
    make_property("pet", "tame", type="bool", field_type="booleancheckbox")
    make_property("pet", "seen", type="datetime", field_type="date")
    make_property("pet", "notes", field_type="textarea")
    make_record("pet", name="Rex", sizes="s;m", tame=False, seen="2026-11-23T08:30:00.123Z", notes="long " * 50)
    page = sign_in().get(url("record_changelist", object_type="pet")).content.decode()
    for shown in ("Small, Medium", ">No</td>", "2026-11-23 08:30:00", "…</td>"):
        assert shown in page
    assert "long " * 50 not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("acme", {"Acme Inc", "ACME Ltd"}),
        ("acme inc", {"Acme Inc"}),
        ("acme.example", {"Acme Inc"}),
        ("100%", {"100% Cotton"}),
        ("  ACME   inc", {"Acme Inc"}),
        ("Inc", set()),
        ("%", set()),
        ("Boston", set()),
        ("nobody", set()),
        ("<b>", set()),
    ],
)
def test_search_is_over_the_primary_display_property_and_unique_ones(query: str, found: set[str]) -> None:
    companies = [
        {"name": "Acme Inc", "domain": "acme.example", "city": "Boston"},
        {"name": "ACME Ltd"},
        {"name": "100% Cotton"},
    ]
    make_records("company", companies)
    make_record("contact", email="acme@example.com")
    assert {str(record) for record in listed(sign_in(), object_type="company", q=query)} == found


def test_search_finds_a_record_by_its_id() -> None:
    first, _ = make_records("company", [{"name": "Acme"}, {"name": "Other"}])
    assert first in listed(sign_in(), object_type="company", q=str(first.pk))
    assert listed(sign_in(), object_type="company", q="9" * 30) == []


def test_archived_records_are_listed_when_asked_for() -> None:
    live, gone = make_records("contact", 2)
    archive(gone)
    client = sign_in()
    assert listed(client) == [live]
    assert listed(client, object_type="contact", archived="yes") == [gone]


def test_records_are_filtered_by_what_an_enumeration_or_a_yes_or_no_says() -> None:
    options = [{"value": value, "label": value} for value in ("a", "a.", "b")]
    make_property("contact", "single", type="enumeration", field_type="select", options=options)
    make_property("contact", "several", type="enumeration", field_type="checkbox", options=options)
    make_property("contact", "vip", type="bool", field_type="booleancheckbox")
    values: list[dict[str, object]] = [
        {"firstname": "0", "single": "a", "several": "a;b", "vip": True},
        {"firstname": "1", "single": "a.", "several": "a.", "vip": False},
        {"firstname": "2"},
    ]
    make_records("contact", values)
    client = sign_in()
    expected = {
        ("single", "a"): "0",
        ("single", "a."): "1",
        ("single", "_none"): "2",
        ("several", "a"): "0",
        ("several", "a."): "1",
        ("several", "b"): "0",
        ("several", "_none"): "2",
        ("vip", "true"): "0",
        ("vip", "false"): "1",
        ("vip", "_none"): "2",
    }
    found = {
        (name, value): "".join(
            record.properties["firstname"]
            for record in listed(client, object_type="contact", **{f"property_{name}": value})
        )
        for name, value in expected
    }
    assert found == expected


def test_a_list_is_sorted_by_a_column_numbers_as_numbers() -> None:
    make_object_type("pet")
    make_property("pet", "age", type="number", field_type="number")
    pets = make_records("pet", [{"name": "a", "age": 10}, {"name": "b", "age": 9}])
    assert listed(sign_in(), object_type="pet", o="2") == pets[::-1]
    assert listed(sign_in(), object_type="pet", o="-2") == pets


# Actions ----------------------------------------------------------------------------------------


def test_the_selected_records_are_archived_and_restored() -> None:
    client, records = sign_in(), make_records("contact", 3)
    page = act(client, "archive_selected", records[:2])
    assert messages_on(page) == ["Archived 2 contacts."]
    assert listed(client) == [records[2]]
    change_set = ChangeSet.objects.latest("id")
    assert (change_set.source, change_set.user) == (ChangeSet.Source.USER, page.context["user"])
    data = {"action": "restore_selected", "_selected_action": [records[0].pk]}
    page = client.post(url("record_changelist", object_type="contact", archived="yes"), data, follow=True)
    assert messages_on(page) == ["Restored 1 contact."]
    assert listed(client) == [records[2], records[0]]


def test_why_records_cannot_be_restored_is_said() -> None:
    client, old = sign_in(), make_record("contact", email="ann@example.com")
    archive(old)
    make_record("contact", email="ann@example.com")
    data = {"action": "restore_selected", "_selected_action": [old.pk]}
    page = client.post(url("record_changelist", object_type="contact", archived="yes"), data, follow=True)
    [message] = messages_on(page)
    assert "email must be unique" in message
    old.refresh_from_db()
    assert old.archived_at is not None


def test_the_selected_records_are_deleted_for_good_once_that_is_confirmed() -> None:
    client, records = sign_in(), make_records("contact", 3)
    associate(records[0], records[1])
    page = act(client, "delete_selected", records[:2])
    assert str(records[0]) in page.content.decode()
    assert Record.objects.count() == 3
    page = act(client, "delete_selected", records[:2], post="yes")
    assert messages_on(page) == ["Successfully deleted 2 records."]
    assert list(Record.objects.all()) == [records[2]]
    assert LogEntry.objects.count() == 2


def test_a_page_of_many_to_be_deleted_names_the_first_hundred() -> None:
    client, records = sign_in(), make_records("contact", 120)
    page = act(client, "delete_selected", records, select_across="1", index="0")
    assert "and 20 more" in page.content.decode()


def test_two_records_are_merged_into_the_one_that_is_chosen() -> None:
    client = sign_in()
    first, second = make_records(
        "contact", [{"firstname": "Ann", "email": "a@example.com"}, {"firstname": "Anna", "city": "Bonn"}]
    )
    [company] = make_records("company", 1)
    employer = make_label("contact", "company", "Employer", "Employee")
    associate(first, company, employer)
    page = act(client, "merge_selected", [first, second])
    content = page.content.decode()
    assert all(shown in content for shown in ("Ann", "Anna", "a@example.com", "Bonn", f'value="{second.pk}"'))
    assert Record.objects.filter(archived_at=None, object_type__name="contact").count() == 2
    page = act(client, "merge_selected", [first, second], survivor=second.pk)
    assert messages_on(page) == ["Merged a@example.com into a@example.com."]
    assert page.context["original"] == second
    second.refresh_from_db()
    assert second.properties == {"firstname": "Anna", "city": "Bonn", "email": "a@example.com"}
    assert words(second, company) == {"unlabeled", "Primary", "Employer"}
    first.refresh_from_db()
    assert first.merged_into == second
    page = client.get(url("record_change", first.pk)).content.decode()
    assert f'Merged into <a href="{url("record_change", second.pk)}">' in page


def test_merging_takes_exactly_two_records_and_one_of_them_survives() -> None:
    client, records = sign_in(), make_records("contact", 4)
    for selected in (records[:1], records[:3]):
        assert messages_on(act(client, "merge_selected", selected)) == ["Select exactly two records to merge."]
    act(client, "merge_selected", records[:2], survivor=records[3].pk)
    assert not Record.objects.exclude(archived_at=None).exists()


def test_why_records_cannot_be_merged_is_said() -> None:
    client, contacts, companies = sign_in(), make_records("contact", 2), make_records("company", 2)
    for contact, company in zip(contacts, companies, strict=True):
        associate(contact, company)
    limit(unlabeled("contact", "company"), to=1)
    page = act(client, "merge_selected", contacts, survivor=contacts[0].pk)
    [message] = messages_on(page)
    assert "the limit is 1" in message
    assert not Record.objects.exclude(archived_at=None).exists()


def test_object_types_are_not_deleted_in_bulk() -> None:
    pet = make_object_type("pet")
    data = {"action": "delete_selected", "_selected_action": [pet.pk], "post": "yes"}
    sign_in().post(url("objecttype_changelist"), data)
    assert object_type("pet") == pet


def test_from_what_was_found_a_link_leads_to_all_of_the_object_type() -> None:
    make_record("company", name="Acme")
    page = sign_in().get(url("record_changelist", object_type="company", q="Acme")).content.decode()
    assert '1 result (<a href="?object_type=company">Show all</a>)' in page


def test_object_types_come_as_people_expect_them() -> None:
    for number in range(11):
        make_object_type(f"pet{number}")
    shown = [each.name for each in sign_in().get(url("record_changelist")).context["object_types"]]
    assert shown[:8] == ["contact", "company", "deal", "ticket", "service", "course", "listing", "appointment"]
    assert shown[8:] == [f"pet{number}" for number in range(11)]


def test_where_there_are_no_records_yet_it_is_said_how_they_come() -> None:
    client = sign_in()
    hint = "import_records ticket FILE"
    assert hint in client.get(url("record_changelist", object_type="ticket")).content.decode()
    assert hint not in client.get(url("record_changelist", object_type="ticket", q="x")).content.decode()
    make_record("ticket", subject="Help")
    assert hint not in client.get(url("record_changelist", object_type="ticket")).content.decode()
