"""Below a record's form in the admin: its associations, changed by hand there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from associations.admin import record_page
from associations.models import ChangeSet, Record, RecordEvent
from associations.services import archiving, provenance
from associations.types import DirectedType
from tests.factories import (
    ORIGIN,
    associate,
    between,
    limit,
    make_label,
    make_record,
    make_records,
    primary,
    unlabeled,
    words,
)

from .admin_pages import messages_on, record_url, sign_in

pytestmark = pytest.mark.django_db


def groups_on(client: Client, record: Record) -> dict[str, tuple[int, dict[str, set[str]]]]:
    """What the page shows: by object type the count, and the labels of each associated record."""
    groups = client.get(record_url(record)).context["groups"]
    return {
        group.object_type.name: (
            group.count,
            {str(each.record): {str(put.directed) for put in each.labels} for each in group.shown},
        )
        for group in groups
    }


def put_together(client: Client, record: Record, directed: DirectedType, other: object) -> Any:
    data = {"type_id": directed.type_id, "other": other}
    return client.post(f"/admin/associations/record/{record.pk}/associate/", data, follow=True)


def take_off(client: Client, record: Record, directed: DirectedType | str, other: Record) -> Any:
    type_id = directed if isinstance(directed, str) else directed.type_id
    data = {"end": f"{type_id}:{other.pk}"}
    return client.post(f"/admin/associations/record/{record.pk}/take_off/", data, follow=True)


# What it shows ----------------------------------------------------------------------------------


def test_associations_are_grouped_by_object_type_with_their_labels() -> None:
    ann, bob = make_records("contact", [{"email": "ann@example.com"}, {"email": "bob@example.com"}])
    acme = make_record("company", name="Acme")
    [deal] = make_records("deal", [{"dealname": "Big"}])
    associate(ann, acme, make_label("contact", "company", "Employer", "Employee"))
    associate(ann, bob, make_label("contact", "contact", "Manager", "Report"))
    associate(ann, deal)
    client = sign_in()
    assert groups_on(client, ann) == {
        "contact": (1, {"bob@example.com": {"Manager"}}),
        "deal": (1, {"Big": set()}),
        "company": (1, {"Acme": {"Primary", "Employer"}}),
    }
    assert groups_on(client, bob) == {"contact": (1, {"ann@example.com": {"Report"}})}
    assert groups_on(client, acme) == {"contact": (1, {"ann@example.com": {"Primary", "Employee"}})}
    page = client.get(record_url(ann)).content.decode()
    assert f'<a class="pair-name" href="{record_url(acme)}">Acme</a>' in page
    assert "Companies (1)" in page


def test_a_label_both_ways_between_two_records_of_one_type_is_two_labels_of_one_association() -> None:
    ann, bob = make_records("contact", [{"email": "ann@example.com"}, {"email": "bob@example.com"}])
    manager = make_label("contact", "contact", "Manager", "Report")
    associate(ann, bob, manager, manager.reverse)
    assert groups_on(sign_in(), ann) == {"contact": (1, {"bob@example.com": {"Manager", "Report"}})}


def test_archived_records_are_not_shown() -> None:
    ann, acme = make_record("contact", email="ann@example.com"), make_record("company", name="Acme")
    associate(ann, acme)
    archiving.archive_records(acme.object_type, [acme.pk], origin=ORIGIN)
    client = sign_in()
    assert groups_on(client, ann) == {}
    assert "Not associated with any record." in client.get(record_url(ann)).content.decode()


def test_of_many_the_first_are_shown_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_page, "SHOWN", 2)
    ann = make_record("contact", email="ann@example.com")
    for each in [*make_records("company", 3), *make_records("deal", [{"dealname": name} for name in "abcd"])]:
        associate(ann, each)
    groups = groups_on(sign_in(), ann)
    assert {name: (count, len(shown)) for name, (count, shown) in groups.items()} == {"company": (3, 2), "deal": (4, 2)}


def test_who_or_what_put_a_label_there_is_told() -> None:
    client = sign_in()
    ann, acme = make_record("contact", email="ann@example.com"), make_record("company", name="Acme")
    employer = make_label("contact", "company", "Employer", "Employee")
    associate(ann, acme)
    put_together(client, ann, employer, acme.pk)
    page = client.get(record_url(ann))
    [group] = page.context["groups"]
    [each] = group.shown
    user = page.context["user"].username
    assert each.association.who == "System a test"
    assert {str(put.directed): put.who for put in each.labels} == {"Primary": "System a test", "Employer": user}


def test_workflows_and_users_who_are_gone_are_told_too() -> None:
    told = provenance.who
    assert told(ChangeSet(source="workflow", source_id=7)) == "Workflow 7"
    assert told(ChangeSet(source="import", note="a.csv")) == "Import a.csv"
    assert told(ChangeSet(source="user")) == "a user who is deleted"
    assert told(None) == "unknown"


def test_associations_outlive_what_is_pruned_of_their_history() -> None:
    ann, acme = make_record("contact", email="ann@example.com"), make_record("company", name="Acme")
    associate(ann, acme)
    ChangeSet.objects.filter(association_changes__source=ann.pk).update(note="old")
    ids = list(ChangeSet.objects.filter(note="old").values_list("id", flat=True))
    RecordEvent.objects.filter(change_set__in=ids).delete()
    ChangeSet.objects.filter(id__in=ids).delete()
    client = sign_in()
    assert groups_on(client, ann) == {"company": (1, {"Acme": {"Primary"}})}
    assert "unknown" in client.get(record_url(ann)).content.decode()


# Associating ------------------------------------------------------------------------------------


def test_a_record_is_associated_without_a_label() -> None:
    client, ann, acme = sign_in(), make_record("contact", email="ann@example.com"), make_record("company", name="Acme")
    page = put_together(client, ann, unlabeled("contact", "company"), acme.pk)
    assert messages_on(page) == ["Associated with Acme: unlabeled."]
    assert words(ann, acme) == {"unlabeled", "Primary"}
    change_set = ChangeSet.objects.latest("id")
    assert (change_set.source, change_set.user) == (ChangeSet.Source.USER, page.context["user"])
    assert "Acme" in LogEntry.objects.get().change_message


def test_a_record_is_associated_with_a_label_as_its_page_sees_it() -> None:
    client, ann, acme = sign_in(), make_record("contact", email="ann@example.com"), make_record("company", name="Acme")
    employer = make_label("contact", "company", "Employer", "Employee")
    put_together(client, acme, employer.reverse, ann.pk)
    assert words(acme, ann) == {"unlabeled", "Primary", "Employee"}
    assert words(ann, acme) == {"unlabeled", "Primary", "Employer"}


def test_the_form_offers_every_type_in_its_direction_by_object_type() -> None:
    manager = make_label("contact", "contact", "Manager", "Report")
    form = sign_in().get(record_url(make_record("contact", firstname="Ann"))).context["associate_form"]
    offered = dict(form.fields["type_id"].choices[1:])
    assert offered["Contact"] == [
        (449, "Contact, no label"),
        (manager.type_id, "Manager"),
        (manager.reverse.type_id, "Report"),
    ]
    assert offered["Company"] == [(279, "Company, no label"), (1, "Primary")]


@pytest.mark.parametrize("by", ["{0.pk}", " {0.pk} ", "ACME.example", "Acme"])
def test_a_record_is_found_by_id_unique_value_or_what_it_is_shown_by(by: str) -> None:
    ann, acme = (
        make_record("contact", email="ann@example.com"),
        make_record("company", name="Acme", domain="acme.example"),
    )
    make_record("company", name="Acme Ltd")
    put_together(sign_in(), ann, unlabeled("contact", "company"), by.format(acme))
    assert words(ann, acme)


@pytest.mark.parametrize(
    ("entered", "reason"),
    [
        ("Nobody", "There is no company Nobody."),
        ("0", "There is no company 0."),
        ("9" * 30, "There is no company"),
        ("Twice", "Several companies are called so"),
        ("Gone", "There is no company Gone."),
        ("ann@example.com", "There is no company ann@example.com."),
        ("", "required"),
    ],
)
def test_a_record_that_is_not_found_is_said_at_its_field(entered: str, reason: str) -> None:
    ann, gone = make_record("contact", email="ann@example.com"), make_record("company", name="Gone")
    make_records("company", [{"name": "Twice"}, {"name": "Twice"}])
    archiving.archive_records(gone.object_type, [gone.pk], origin=ORIGIN)
    page = put_together(sign_in(), ann, unlabeled("contact", "company"), entered)
    assert reason in page.context["form"].errors["other"][0]
    assert page.context["form"]["other"].value() == entered
    assert 'value="279" selected' in page.content.decode()


def test_what_the_service_refuses_is_said_and_nothing_typed_is_lost() -> None:
    client, ann = sign_in(), make_record("contact", email="ann@example.com")
    first, second = make_records("company", [{"name": "Acme"}, {"name": "Other"}])
    associate(ann, first)
    pair = limit(unlabeled("contact", "company"), to=1)
    page = put_together(client, ann, pair, "Other")
    assert "the limit is reached" in page.context["form"].non_field_errors()[0]
    assert page.context["form"]["other"].value() == "Other"
    assert not words(ann, second)
    page = put_together(client, ann, unlabeled("contact", "contact"), ann.pk)
    assert "never associated with itself" in page.context["form"].non_field_errors()[0]
    assert not LogEntry.objects.exists()


def test_a_type_of_other_object_types_is_refused() -> None:
    ann = make_record("contact", email="ann@example.com")
    page = put_together(sign_in(), ann, primary("deal", "company"), "Acme")
    assert "type_id" in page.context["form"].errors


def test_associating_twice_says_so() -> None:
    client, ann, acme = sign_in(), make_record("contact", email="ann@example.com"), make_record("company", name="Acme")
    put_together(client, ann, unlabeled("contact", "company"), acme.pk)
    page = put_together(client, ann, unlabeled("contact", "company"), acme.pk)
    assert messages_on(page) == ["Acme was associated so before."]
    assert LogEntry.objects.count() == 1


# Taking off -------------------------------------------------------------------------------------


def test_a_label_is_taken_off_and_the_association_stays() -> None:
    client, ann, acme = sign_in(), make_record("contact", email="ann@example.com"), make_record("company", name="Acme")
    employer = make_label("contact", "company", "Employer", "Employee")
    associate(ann, acme, employer)
    page = take_off(client, acme, employer.reverse, ann)
    assert messages_on(page) == ["The label Employee was removed."]
    assert words(ann, acme) == {"unlabeled", "Primary"}
    assert messages_on(take_off(client, acme, employer.reverse, ann)) == ["The label Employee was no longer there."]


@pytest.mark.parametrize("type_name", ["contact", "company"])
def test_an_association_is_removed_with_all_its_labels(type_name: str) -> None:
    ann, [other] = make_record("contact", email="ann@example.com"), make_records(type_name, 1)
    associate(ann, other, make_label("contact", type_name, "Mentor", "Pupil"))
    page = take_off(sign_in(), other, between(other, ann), ann)
    assert messages_on(page) == ["The association was removed."]
    assert words(ann, other) == set()


@pytest.mark.parametrize("end", ["", "x:1", "279", "279:x", "341:1", "279:²"])
def test_what_is_no_association_is_not_taken_off(end: str) -> None:
    client, ann, acme = sign_in(), make_record("contact", email="ann@example.com"), make_record("company", name="Acme")
    associate(ann, acme)
    page = client.post(f"/admin/associations/record/{ann.pk}/take_off/", {"end": end}, follow=True)
    assert messages_on(page) == ["There is no such association."]
    assert words(ann, acme)


def test_taking_off_needs_a_post() -> None:
    ann = make_record("contact", email="ann@example.com")
    assert sign_in().get(f"/admin/associations/record/{ann.pk}/take_off/").status_code == 405


@pytest.mark.parametrize("page", ["associate", "take_off"])
def test_a_record_that_is_gone_leads_to_the_front_page(page: str) -> None:
    shown = sign_in().post(f"/admin/associations/record/999/{page}/", {}, follow=True)
    assert "doesn’t exist" in messages_on(shown)[0]
