"""Who may see and do what in the admin of this app: Django's model permissions, on pages and behind them."""

from __future__ import annotations

import pytest
from django.test import Client

from associations.models import ChangeSet, ObjectType, Property, Record
from tests.factories import associate, make_label, make_record, make_records, object_type, unlabeled, words

from .admin_pages import fields_on, record_url, sign_in, url

pytestmark = pytest.mark.django_db

MODELS = ("objecttype", "property", "record", "associationtype", "changeset")


def some_page(model: str) -> str:
    """The page of one thing of a model."""
    make_record("contact", firstname="Ann")
    things = {
        "objecttype": object_type("contact").pk,
        "property": object_type("contact").properties.first(),
        "record": Record.objects.first(),
        "associationtype": 279,
        "changeset": ChangeSet.objects.first(),
    }
    thing = things[model]
    return url(f"{model}_change", getattr(thing, "pk", thing))


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_seen_without_a_permission(model: str) -> None:
    client, stranger = sign_in("view_user"), Client()
    for address in (url(f"{model}_changelist"), some_page(model)):
        assert client.get(address).status_code == 403
        assert stranger.get(address).status_code == 302


@pytest.mark.parametrize("model", MODELS)
def test_whoever_may_only_look_gets_pages_to_read(model: str) -> None:
    client, address = sign_in(f"view_{model}"), some_page(model)
    listed = client.get(url(f"{model}_changelist"))
    assert listed.status_code == 200
    assert "addlink" not in listed.content.decode().partition('id="content"')[2]
    page = client.get(address)
    assert page.status_code == 200
    assert not page.context["has_change_permission"]
    content = page.content.decode()
    assert 'name="_save"' not in content
    assert "deletelink" not in content
    assert f'id="{model}_form"' in content
    assert set(fields_on(page, f"{model}_form")) <= {
        "csrfmiddlewaretoken", "properties-TOTAL_FORMS", "properties-INITIAL_FORMS", "properties-MIN_NUM_FORMS",
        "properties-MAX_NUM_FORMS",
    }  # fmt: skip
    assert client.post(address, {"label": "x", "property_firstname": "x"}).status_code == 403
    assert client.get(url(f"{model}_add", object_type="contact")).status_code == 403
    assert client.post(address.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403


def test_pages_to_read_show_the_values() -> None:
    record = make_record("contact", email="ann@example.com", lifecyclestage="lead")
    page = sign_in("view_record").get(record_url(record)).content.decode()
    assert all(shown in page for shown in ("ann@example.com", "Lead", "Lifecycle stage"))
    assert '<div class="readonly">-</div>' in page and ">None<" not in page, "where there is no value"
    stage = Property.objects.get(object_type__name="contact", name="lifecyclestage")
    page = sign_in("view_property").get(url("property_change", stage.pk)).content.decode()
    assert all(shown in page for shown in ("lead | Lead", "Dropdown select", "lifecyclestage"))
    label = make_label("contact", "company", "Employer", "Employee")
    page = sign_in("view_associationtype").get(url("associationtype_change", label.type.pk)).content.decode()
    assert all(shown in page for shown in ("Employer", "Employee", str(label.type_id)))


def test_whoever_may_only_look_changes_no_association() -> None:
    client, employer = sign_in("view_record"), make_label("contact", "company", "Employer", "Employee")
    ann, acme = make_record("contact", firstname="Ann"), make_record("company", name="Acme")
    associate(ann, acme, employer)
    page = client.get(record_url(ann)).content.decode()
    assert "Employer" in page
    assert "associate-form" not in page
    assert 'name="end"' not in page
    [other] = make_records("company", 1)
    data = {"type_id": 279, "other": other.pk}
    assert client.get(f"/admin/associations/record/{ann.pk}/associate/").status_code == 403
    assert client.post(f"/admin/associations/record/{ann.pk}/associate/", data).status_code == 403
    end = {"end": f"279:{acme.pk}"}
    assert client.post(f"/admin/associations/record/{ann.pk}/take_off/", end).status_code == 403
    assert not words(ann, other)
    assert words(ann, acme)


def test_strangers_are_sent_to_sign_in_before_they_change_an_association() -> None:
    ann, acme = make_record("contact", firstname="Ann"), make_record("company", name="Acme")
    data = {"type_id": unlabeled("contact", "company").type_id, "other": acme.pk}
    response = Client().post(f"/admin/associations/record/{ann.pk}/associate/", data)
    assert response["location"].startswith("/admin/login/")
    assert not words(ann, acme)


@pytest.mark.parametrize(
    ("permissions", "offered"),
    [
        (["view_record"], {"export_selected"}),
        (["change_record"], {"archive_selected", "restore_selected", "merge_selected"}),
        (["view_record", "delete_record"], {"export_selected", "delete_selected"}),
    ],
)
def test_the_list_offers_what_may_be_done_and_does_no_more(permissions: list[str], offered: set[str]) -> None:
    client, records = sign_in(*permissions), make_records("contact", 2)
    form = client.get(url("record_changelist")).context["action_form"]
    choices = {name for name, _ in form.fields["action"].choices if name} if form else set()
    assert choices == offered
    for action in {"archive_selected", "delete_selected", "merge_selected"} - offered:
        data = {
            "action": action,
            "_selected_action": [each.pk for each in records],
            "post": "yes",
            "survivor": records[0].pk,
        }
        client.post(url("record_changelist"), data)
    assert Record.objects.filter(archived_at=None).count() == 2


def test_whoever_may_add_records_only_adds_them() -> None:
    client = sign_in("add_record")
    client.post(url("record_add", object_type="contact"), {"property_firstname": "Ann"})
    record = Record.objects.get()
    assert record.properties == {"firstname": "Ann"}
    assert client.get(record_url(record)).status_code == 403


def test_whoever_may_change_object_types_but_not_properties_changes_no_property() -> None:
    client, contact = sign_in("change_objecttype", "view_property"), object_type("contact")
    data = fields_on(client.get(url("objecttype_change", contact.pk)), "objecttype_form")
    assert "properties-0-label" not in data
    email = contact.properties.get(name="email")
    row = {"properties-0-id": email.pk, "properties-0-object_type": contact.pk, "properties-0-label": "Mine"}
    client.post(url("objecttype_change", contact.pk), {**data, **row, "label": "Person"})
    assert Property.objects.get(pk=email.pk).label == "Email"
    assert object_type("contact").label == "Person"


def test_change_sets_can_be_read_only_even_by_a_superuser() -> None:
    client = sign_in()
    make_record("contact", firstname="Ann")
    change_set = ChangeSet.objects.get()
    page = client.get(url("changeset_changelist"))
    [listed] = page.context["cl"].result_list
    assert (listed.facts, listed.note) == (1, "a test")
    address = url("changeset_change", change_set.pk)
    assert client.post(address, {"note": "x"}).status_code == 403
    assert client.post(url("changeset_delete", change_set.pk), {"post": "yes"}).status_code == 403
    assert client.get(url("changeset_add")).status_code == 403


def test_the_facts_of_a_change_set_are_counted_of_records_and_of_associations() -> None:
    contacts, [company] = make_records("contact", 3), make_records("company", 1)
    associate(contacts[0], company)
    facts = [each.facts for each in sign_in().get(url("changeset_changelist")).context["cl"].result_list]
    assert facts == [2, 1, 3]  # the newest first: unlabeled and Primary, a company, three contacts


def test_one_who_may_look_at_object_types_finds_their_records_linked() -> None:
    page = sign_in("view_objecttype").get(url("objecttype_changelist")).content.decode()
    assert ObjectType.objects.count() > 1
    assert 'href="/admin/associations/record/?object_type=company"' in page
