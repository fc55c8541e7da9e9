"""The admin's form of a record: one typed field per property of its object type."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError

from associations.admin import records as records_admin
from associations.models import ChangeSet, Property, Record, RecordEvent
from associations.services import archiving, schema
from associations.services.records import save_records
from tests.factories import ORIGIN, make_object_type, make_property, make_record, object_type

from .admin_pages import errors_on, messages_on, record_url, sign_in, submit, url

pytestmark = pytest.mark.django_db

OPTIONS = [{"value": "s", "label": "Small"}, {"value": "m", "label": "Medium"}]
# Each field type: what the browser sends, and what is kept.
ENTERED: list[tuple[str, str, dict[str, Any], Any]] = [
    ("string", "text", {"": " Ann "}, "Ann"),
    ("string", "textarea", {"": "one\r\ntwo"}, "one\ntwo"),
    ("string", "phonenumber", {"": "+1 617 555 0100"}, "+1 617 555 0100"),
    ("string", "html", {"": "<b>x</b>"}, "<b>x</b>"),
    ("number", "number", {"": "7.50"}, 7.5),
    ("date", "date", {"": "2026-11-23"}, "2026-11-23"),
    ("datetime", "date", {"_0": "2026-11-23", "_1": "08:30"}, "2026-11-23T08:30:00.000Z"),
    ("datetime", "date", {"_0": "2026-11-23", "_1": ""}, "2026-11-23T00:00:00.000Z"),
    ("enumeration", "select", {"": "m"}, "m"),
    ("enumeration", "radio", {"": "s"}, "s"),
    ("enumeration", "checkbox", {"": ["m", "s"]}, "s;m"),
    ("bool", "booleancheckbox", {"": "true"}, True),
    ("bool", "booleancheckbox", {"": "false"}, False),
]
REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("number", "number", {"": "seven"}),
    ("date", "date", {"": "2026-02-30"}),
    ("datetime", "date", {"_0": "2026-11-23", "_1": "25:00"}),
    ("datetime", "date", {"_0": "", "_1": "08:00"}),
    ("enumeration", "select", {"": "xl"}),
    ("enumeration", "checkbox", {"": ["s", "xl"]}),
    ("string", "text", {"": "x" * 65_537}),
]


def make_thing(type_: str, field_type: str) -> Property:
    options = OPTIONS if type_ == "enumeration" else []
    return make_property("contact", "thing", type=type_, field_type=field_type, options=options)


def test_fields_with_the_same_label_are_told_apart_by_their_names() -> None:
    make_object_type("pet")
    make_property("pet", "nickname", label="Name")
    page = sign_in().get(url("record_add", object_type="pet")).content.decode()
    assert "Name (name):" in page and "Name (nickname):" in page and "Name:<" not in page


def entered(parts: dict[str, Any]) -> dict[str, Any]:
    return {f"property_thing{part}": value for part, value in parts.items()}


def test_a_new_record_needs_its_object_type_first() -> None:
    make_object_type("pet")
    page = sign_in().get(url("record_add"))
    assert "?object_type=pet" in page.content.decode()
    assert "adminform" not in page.context


def test_a_new_record_is_made_by_the_person_who_is_signed_in() -> None:
    client = sign_in()
    page = submit(
        client,
        url("record_add", object_type="contact"),
        "record_form",
        property_email="ann@example.com",
        property_city="Bonn",
    )
    record = Record.objects.get()
    assert record.properties == {"email": "ann@example.com", "city": "Bonn"}
    assert record.object_type.name == "contact"
    event = RecordEvent.objects.get()
    assert event.kind == RecordEvent.Kind.CREATED
    assert (event.change_set.source, event.change_set.user) == (ChangeSet.Source.USER, page.context["user"])
    assert LogEntry.objects.get().object_id == str(record.pk)
    assert page.context["cl"].object_type.name == "contact"


def test_after_saving_comes_the_list_of_the_object_type_or_a_further_one_of_it() -> None:
    client = sign_in()
    page = submit(client, url("record_add", object_type="deal"), "record_form", property_dealname="Big")
    assert page.context["cl"].object_type.name == "deal"
    page = submit(
        client, url("record_add", object_type="deal"), "record_form", property_dealname="Bigger", _addanother="1"
    )
    assert "property_dealname" in page.context["adminform"].form.fields


@pytest.mark.parametrize(("type_", "field_type", "parts", "kept"), ENTERED)
def test_each_field_type_keeps_its_typed_value(type_: str, field_type: str, parts: dict[str, Any], kept: Any) -> None:
    make_thing(type_, field_type)
    client, record = sign_in(), make_record("contact", firstname="Ann")
    submit(client, record_url(record), "record_form", **entered(parts))
    record.refresh_from_db()
    assert record.properties == {"firstname": "Ann", "thing": kept}


@pytest.mark.parametrize(("type_", "field_type", "parts", "kept"), ENTERED)
def test_saving_the_page_as_it_is_changes_nothing(
    type_: str, field_type: str, parts: dict[str, Any], kept: Any
) -> None:
    make_thing(type_, field_type)
    record = make_record("contact", firstname="Ann", thing=kept)
    page = submit(sign_in(), record_url(record), "record_form")
    assert "was changed successfully" in messages_on(page)[0]
    assert not RecordEvent.objects.filter(record=record, kind=RecordEvent.Kind.CHANGED).exists()


@pytest.mark.parametrize(("type_", "field_type", "parts", "kept"), ENTERED)
def test_each_field_can_be_emptied(type_: str, field_type: str, parts: dict[str, Any], kept: Any) -> None:
    make_thing(type_, field_type)
    client, record = sign_in(), make_record("contact", firstname="Ann", thing=kept)
    nothing: object = "unknown" if type_ == "bool" else [] if field_type == "checkbox" else ""
    submit(client, record_url(record), "record_form", **entered(dict.fromkeys(parts, nothing)))
    record.refresh_from_db()
    assert record.properties == {"firstname": "Ann"}


@pytest.mark.parametrize(("type_", "field_type", "parts"), REFUSED)
def test_a_bad_value_comes_back_at_its_field_and_nothing_is_lost(
    type_: str, field_type: str, parts: dict[str, Any]
) -> None:
    make_thing(type_, field_type)
    record = make_record("contact", firstname="Ann")
    page = submit(sign_in(), record_url(record), "record_form", property_firstname="Anna", **entered(parts))
    assert list(errors_on(page)) == ["property_thing"]
    form = page.context["adminform"].form
    assert form["property_firstname"].value() == "Anna"
    assert form["property_thing"].value() == (list(parts.values()) if len(parts) > 1 else parts[""])
    record.refresh_from_db()
    assert record.properties == {"firstname": "Ann"}


def test_a_value_that_the_service_refuses_comes_back_at_its_field() -> None:
    other = make_record("contact", email="ann@example.com")
    record = make_record("contact", firstname="Ann")
    changes = {"property_email": "ANN@example.com", "property_firstname": "Anna"}
    page = submit(sign_in(), record_url(record), "record_form", **changes)
    assert f"belongs to contact {other.pk}" in errors_on(page)["property_email"][0]
    assert page.context["adminform"].form["property_email"].value() == "ANN@example.com"
    assert page.context["adminform"].form["property_firstname"].value() == "Anna"
    record.refresh_from_db()
    assert record.properties == {"firstname": "Ann"}
    assert not LogEntry.objects.exists()


def test_a_value_that_someone_takes_in_the_same_moment_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's constraint turns the second one away after the service's look found nothing."""
    record, saved, tries = make_record("contact", firstname="Ann"), save_records, []

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise IntegrityError("unique_value_belongs_to_one_record")
        return saved(*args, **kwargs)

    make_record("contact", email="ann@example.com")
    monkeypatch.setattr(records_admin, "save_records", overtaken)
    page = submit(sign_in(), record_url(record), "record_form", property_email="ann@example.com")
    assert list(errors_on(page)) == ["property_email"]


def test_an_option_that_is_gone_stays_until_another_one_is_chosen() -> None:
    prop = make_thing("enumeration", "select")
    record = make_record("contact", firstname="Ann", thing="s")
    Property.objects.filter(pk=prop.pk).update(options=OPTIONS[1:])  # as an import of a schema might
    client = sign_in()
    submit(client, record_url(record), "record_form", property_firstname="Anna")
    record.refresh_from_db()
    assert record.properties == {"firstname": "Anna", "thing": "s"}
    assert "no longer an option" in client.get(record_url(record)).content.decode()
    submit(client, record_url(record), "record_form", property_thing="m")
    record.refresh_from_db()
    assert record.properties["thing"] == "m"


def test_milliseconds_that_the_form_does_not_show_are_kept() -> None:
    make_thing("datetime", "date")
    record = make_record("contact", thing="2026-11-23T08:30:00.123Z")
    submit(sign_in(), record_url(record), "record_form", property_firstname="Ann")
    record.refresh_from_db()
    assert record.properties["thing"] == "2026-11-23T08:30:00.123Z"


@pytest.mark.parametrize(
    "name", ["object_type", "properties", "id", "created_at", "form", "contains", "media", "errors"]
)
def test_a_property_may_be_called_like_anything(name: str) -> None:
    make_property("contact", name)
    client, record = sign_in(), make_record("contact", firstname="Ann")
    submit(client, record_url(record), "record_form", **{f"property_{name}": "x"})
    record.refresh_from_db()
    assert record.properties[name] == "x"
    assert client.get(url("record_changelist", object_type="contact")).status_code == 200


def test_an_archived_record_can_be_read_only() -> None:
    client, record = sign_in(), make_record("contact", firstname="Ann")
    archiving.archive_records(record.object_type, [record.pk], origin=ORIGIN)
    page = client.get(record_url(record))
    assert "Archived on" in page.content.decode()
    assert ">Ann<" in page.content.decode()
    assert 'name="property_firstname"' not in page.content.decode()
    assert client.post(record_url(record), {"property_firstname": "Anna"}).status_code == 403


def test_a_record_is_deleted_for_good() -> None:
    client, record = sign_in(), make_record("contact", firstname="Ann")
    page = client.post(url("record_delete", record.pk), {"post": "yes"}, follow=True)
    assert "was deleted successfully" in messages_on(page)[0]
    assert not Record.objects.exists()
    assert ChangeSet.objects.latest("id").source == ChangeSet.Source.USER


def test_the_form_follows_the_properties_of_the_type() -> None:
    make_object_type("pet")
    client = sign_in()
    form = client.get(url("record_add", object_type="pet")).context["adminform"].form
    assert list(form.fields) == ["property_name"]
    schema.create_property(object_type("pet"), name="age", label="Age", type="number", field_type="number")
    form = client.get(url("record_add", object_type="pet")).context["adminform"].form
    assert list(form.fields) == ["property_name", "property_age"]


def test_the_log_of_the_admin_names_the_properties_that_were_changed() -> None:
    record = make_record("contact", email="ann@example.com", city="Bonn")
    submit(sign_in(), record_url(record), "record_form", property_city="Rome", property_firstname="Ann")
    assert LogEntry.objects.get().get_change_message() == "Changed First name and City."
