"""The admin's pages of object types and properties."""

from __future__ import annotations

import pytest

from associations.errors import Refused
from associations.models import ObjectType, Property
from associations.services import archiving, schema
from tests.factories import ORIGIN, make_object_type, make_property, make_record, object_type

from .admin_pages import errors_on, messages_on, sign_in, submit, url

pytestmark = pytest.mark.django_db

PET = {"label": "Pet", "plural_label": "Pets", "name": "pet", "primary_property": "nickname"}


def field_of(type_name: str, name: str) -> Property:
    return Property.objects.get(object_type__name=type_name, name=name)


# Object types -----------------------------------------------------------------------------------


def test_a_new_object_type_has_all_that_its_service_gives() -> None:
    page = submit(sign_in(), url("objecttype_add"), "objecttype_form", **PET, primary_label="Called")
    pet = object_type("pet")
    assert (pet.type_id, pet.primary_property, pet.plural_label) == ("2-1", "nickname", "Pets")
    assert field_of("pet", "nickname").label == "Called"
    assert "was added successfully" in messages_on(page)[0]
    assert str(make_record("pet", nickname="Rex")) == "Rex"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "My Pet"}, "name"),
        ({"name": "contact"}, "name"),
        ({"name": ""}, "name"),
        ({"primary_property": "Nick name"}, "primary_property"),
        ({"primary_property": ""}, "primary_property"),
        ({"label": ""}, "label"),
    ],
)
def test_what_is_wrong_with_a_new_object_type_stands_at_its_field(changes: dict[str, str], field: str) -> None:
    page = submit(sign_in(), url("objecttype_add"), "objecttype_form", **{**PET, "description": "Kept", **changes})
    assert list(errors_on(page)) == [field]
    assert "Kept" in page.content.decode()
    assert not ObjectType.objects.filter(is_builtin=False).exists()


def test_the_words_of_an_object_type_change_and_nothing_else() -> None:
    contact = object_type("contact")
    changes = {"label": "Person", "plural_label": "People", "name": "person", "type_id": "9-9", "primary_property": "x"}
    submit(sign_in(), url("objecttype_change", contact.pk), "objecttype_form", **changes)
    now = object_type("contact")
    assert (now.label, now.plural_label) == ("Person", "People")
    assert (now.name, now.type_id, now.primary_property) == (contact.name, contact.type_id, contact.primary_property)


def test_a_property_is_added_and_another_one_renamed_as_rows_of_their_object_type() -> None:
    contact = object_type("contact")
    count = contact.properties.count()
    rows = {
        "properties-TOTAL_FORMS": count + 1,
        "properties-0-label": "E-mail",
        f"properties-{count}-label": "Shoe size",
        f"properties-{count}-name": "shoe_size",
        f"properties-{count}-kind": "number/number",
        f"properties-{count}-id": "",
        f"properties-{count}-object_type": contact.pk,
    }
    page = submit(sign_in(), url("objecttype_change", contact.pk), "objecttype_form", **rows)
    assert "was changed successfully" in messages_on(page)[0]
    assert field_of("contact", "email").label == "E-mail"
    added = field_of("contact", "shoe_size")
    assert (added.type, added.field_type, added.group.name) == ("number", "number", "contactinformation")
    assert contact.properties.last() == added
    assert contact.properties.count() == count + 1


def test_what_is_wrong_with_a_row_stands_in_it_and_nothing_of_the_page_is_saved() -> None:
    contact = object_type("contact")
    count = contact.properties.count()
    rows = {
        "label": "Person",
        "properties-TOTAL_FORMS": count + 1,
        f"properties-{count}-label": "Shoe size",
        f"properties-{count}-name": "Shoe Size",
        f"properties-{count}-kind": "number/number",
        f"properties-{count}-id": "",
        f"properties-{count}-object_type": contact.pk,
    }
    page = submit(sign_in(), url("objecttype_change", contact.pk), "objecttype_form", **rows)
    [formset] = [each.formset for each in page.context["inline_admin_formsets"]]
    assert list(formset.errors[count]) == ["name"]
    assert "lower-case" in formset.errors[count]["name"][0]
    assert "Shoe Size" in page.content.decode()
    assert object_type("contact").label == "Contact"


def test_what_is_fixed_of_a_property_stays_whatever_a_row_says() -> None:
    contact = object_type("contact")
    rows = {"properties-0-name": "mail", "properties-0-kind": "number/number", "properties-0-has_unique_value": ""}
    submit(sign_in(), url("objecttype_change", contact.pk), "objecttype_form", **rows)
    email = field_of("contact", "email")
    assert (email.type, email.has_unique_value) == ("string", True)


def test_an_object_type_is_deleted() -> None:
    pet = make_object_type("pet")
    page = sign_in().post(url("objecttype_delete", pet.pk), {"post": "yes"}, follow=True)
    assert "was deleted successfully" in messages_on(page)[0]
    assert not ObjectType.objects.filter(name="pet").exists()


def test_why_an_object_type_cannot_be_deleted_is_said() -> None:
    client, pet = sign_in(), make_object_type("pet")
    make_record("pet", name="Rex")
    for each, reason in ((object_type("course"), "Course is built in"), (pet, "1 record")):
        page = client.post(url("objecttype_delete", each.pk), {"post": "yes"}, follow=True)
        assert reason in messages_on(page)[0]
        assert ObjectType.objects.filter(pk=each.pk).exists()
    assert not page.context["user"].logentry_set.exists()


# Properties -------------------------------------------------------------------------------------


def test_a_property_needs_its_object_type_first() -> None:
    page = sign_in().get(url("property_add"))
    assert "?object_type=company" in page.content.decode()
    assert "adminform" not in page.context


def test_a_property_with_options() -> None:
    changes = {
        "label": "Size",
        "name": "size",
        "kind": "enumeration/radio",
        "option_lines": "s | Small\r\n\r\nm|Medium\nL",
    }
    submit(sign_in(), url("property_add", object_type="company"), "property_form", **changes)
    size = field_of("company", "size")
    assert (size.type, size.field_type, size.group.name) == ("enumeration", "radio", "companyinformation")
    assert size.options == [
        {"value": "s", "label": "Small"},
        {"value": "m", "label": "Medium"},
        {"value": "L", "label": "L"},
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "enumeration/select"}, "option_lines"),
        ({"kind": "enumeration/select", "option_lines": "a;b | A"}, "option_lines"),
        ({"kind": "enumeration/select", "option_lines": "a | A\na | B"}, "option_lines"),
        ({"option_lines": "a | A"}, "option_lines"),
        ({"name": "Size"}, "name"),
        ({"name": "domain"}, "name"),
        ({"kind": "enumeration/select", "option_lines": "a", "has_unique_value": "on"}, "has_unique_value"),
    ],
)
def test_what_is_wrong_with_a_property_stands_at_its_field(changes: dict[str, str], field: str) -> None:
    entered = {"label": "Size", "name": "size", "kind": "string/text", "description": "Kept", **changes}
    page = submit(sign_in(), url("property_add", object_type="company"), "property_form", **entered)
    assert list(errors_on(page)) == [field]
    assert "Kept" in page.content.decode()
    assert not Property.objects.filter(label="Size").exists()


def test_saving_a_property_page_as_it_is_changes_nothing() -> None:
    stages = Property.objects.filter(object_type__name="contact", name="lifecyclestage").values()
    before = {**stages.get(), "updated_at": None}
    page = submit(sign_in(), url("property_change", before["id"]), "property_form")
    assert "was changed successfully" in messages_on(page)[0]
    assert {**stages.get(), "updated_at": None} == before


def test_options_of_a_built_in_property_can_be_added_and_renamed() -> None:
    stage = field_of("contact", "lifecyclestage")
    lines = "\n".join([*(f"{value} | {value.upper()}" for value in stage.option_values), "lost | Lost"])
    submit(sign_in(), url("property_change", stage.pk), "property_form", option_lines=lines, kind="string/text")
    now = field_of("contact", "lifecyclestage")
    assert now.options[0] == {"value": "subscriber", "label": "SUBSCRIBER"}
    assert now.option_values == [*stage.option_values, "lost"]
    assert now.type == "enumeration"


@pytest.mark.parametrize("field_type", ["select", "checkbox"])
def test_an_option_that_a_record_holds_archived_or_not_cannot_go(field_type: str) -> None:
    options = [{"value": value, "label": value} for value in ("a", "a.", "b")]
    prop = make_property("contact", "rank", type="enumeration", field_type=field_type, options=options)
    holder = make_record("contact", rank="a.")
    archiving.archive_records(holder.object_type, [holder.pk], origin=ORIGIN)
    client = sign_in()
    page = submit(client, url("property_change", prop.pk), "property_form", option_lines="a\nb")
    assert str(holder.pk) in errors_on(page)["option_lines"][0]
    submit(client, url("property_change", prop.pk), "property_form", option_lines="a.\nb")
    assert field_of("contact", "rank").option_values == ["a.", "b"]


def test_a_field_type_changes_only_for_one_that_shows_the_same_values() -> None:
    client, prop = sign_in(), make_property("contact", "notes")
    submit(client, url("property_change", prop.pk), "property_form", kind="string/textarea")
    assert field_of("contact", "notes").field_type == "textarea"
    page = submit(client, url("property_change", prop.pk), "property_form", kind="number/number")
    assert list(errors_on(page)) == ["kind"]
    assert field_of("contact", "notes").type == "string"


def test_a_property_without_values_is_deleted() -> None:
    prop = make_property("contact", "notes")
    make_record("contact", firstname="Ann")
    page = sign_in().post(url("property_delete", prop.pk), {"post": "yes"}, follow=True)
    assert "was deleted successfully" in messages_on(page)[0]
    assert not Property.objects.filter(pk=prop.pk).exists()


def test_why_a_property_cannot_be_deleted_is_said() -> None:
    client, held = sign_in(), make_property("contact", "notes")
    holder = make_record("contact", notes="x")
    archiving.archive_records(holder.object_type, [holder.pk], origin=ORIGIN)
    make_object_type("pet")
    for prop, reason in (
        (field_of("contact", "city"), "built in"),
        (held, f"contact {holder.pk}"),
        (field_of("pet", "name"), "shown by it"),
    ):
        page = client.post(url("property_delete", prop.pk), {"post": "yes"}, follow=True)
        assert reason in messages_on(page)[0]
        assert Property.objects.filter(pk=prop.pk).exists()


def test_what_is_fixed_of_a_property_cannot_be_changed_by_any_door() -> None:
    with pytest.raises(Refused, match="has_unique_value, name"):
        schema.update_property(field_of("contact", "city"), name="town", has_unique_value=True)
