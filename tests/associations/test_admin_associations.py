"""A record with many associations: the list of all of one object type, searching whom to associate, and the picture."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from associations.admin import associating_pages, picture, record_page
from associations.admin.picture import draw
from associations.admin.record_page import associations_of
from associations.models import Record
from associations.querysets import types_seen_from
from associations.services import archiving
from tests.factories import (
    ORIGIN,
    associate,
    associate_pairs,
    make_label,
    make_object_type,
    make_record,
    make_records,
    unlabeled,
    words,
)

from .admin_pages import messages_on, record_url, sign_in

pytestmark = pytest.mark.django_db


def all_of(client: Client, record: Record, type_name: str, **query: object) -> Any:
    address = f"/admin/associations/record/{record.pk}/associations/{type_name}/"
    return client.get(address, {name: str(value) for name, value in query.items()})


def names(page: Any) -> list[str]:
    return [str(each.record) for each in page.context["shown"]]


@pytest.fixture
def acme() -> Record:
    """A company with four contacts, one of them an employee, and an archived one."""
    employer = make_label("contact", "company", "Employer", "Employee")
    acme = make_record("company", name="Acme")
    contacts = make_records("contact", [{"email": f"{name}@example.com"} for name in ("ann", "bob", "cleo", "dora")])
    associate_pairs([(each, acme) for each in contacts])
    associate(contacts[1], acme, employer)
    archiving.archive_records(contacts[3].object_type, [contacts[3].pk], origin=ORIGIN)
    return acme


# All of one object type -------------------------------------------------------------------------


def test_all_associations_of_one_object_type_are_searched_and_filtered_by_label(acme: Record) -> None:
    client = sign_in()
    assert names(all_of(client, acme, "contact")) == ["ann@example.com", "bob@example.com", "cleo@example.com"]
    assert names(all_of(client, acme, "contact", q="CLEO")) == ["cleo@example.com"]
    assert names(all_of(client, acme, "contact", q="nobody")) == []
    employee = next(each for each in all_of(client, acme, "contact").context["labels"] if each.label == "Employee")
    page = all_of(client, acme, "contact", label=employee.type_id)
    assert names(page) == ["bob@example.com"]
    assert "1 contact" in page.content.decode()
    assert names(all_of(client, acme, "contact", label="x")) == names(all_of(client, acme, "contact"))
    assert all_of(client, acme, "nothing").status_code == 404
    assert all_of(sign_in("view_workflow"), acme, "contact").status_code == 403


def test_they_are_paged(acme: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(associating_pages, "PER_PAGE", 2)
    client = sign_in()
    first = all_of(client, acme, "contact", q="")
    assert names(first) == ["ann@example.com", "bob@example.com"]
    assert "Page 1 of 2" in first.content.decode()
    assert names(all_of(client, acme, "contact", p=2)) == ["cleo@example.com"]


def test_what_is_done_in_the_list_leads_back_to_it_and_nowhere_else(acme: Record) -> None:
    client = sign_in()
    [ann, *_] = [each.record for each in all_of(client, acme, "contact").context["shown"]]
    back = f"/admin/associations/record/{acme.pk}/associations/contact/?q=a"
    end = f"{unlabeled('company', 'contact').type_id}:{ann.pk}"
    address = f"/admin/associations/record/{acme.pk}/take_off/"
    assert client.post(address, {"end": end, "back": back})["location"] == back
    assert client.post(address, {"end": end, "back": "//evil.example/"})["location"] == record_url(acme)
    assert not words(acme, ann)


def test_the_page_and_its_lists_ask_as_often_for_many_associations_as_for_few(acme: Record) -> None:
    def queries() -> list[int]:
        client, counts = sign_in(), []
        for address in (record_url(acme), f"/admin/associations/record/{acme.pk}/associations/contact/?q=c"):
            client.get(address)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            counts.append(len(captured))
        return counts

    few = queries()
    more = make_records("contact", 60)
    associate_pairs([(each, acme) for each in more])
    associate_pairs([(each, acme) for each in make_records("deal", [{"dealname": f"Deal {n}"} for n in range(20)])])
    assert [few[0]] == queries()[:1]
    assert few[1] == queries()[1]


def test_of_very_many_only_the_first_are_read_and_counted(acme: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_page, "MOST_COUNTED", 2)
    monkeypatch.setattr(record_page, "SHOWN", 1)
    page = sign_in().get(record_url(acme)).content.decode()
    assert "Contacts (2+)" in page
    assert "All 2+ contacts, to search and page through" in page


# Whom to associate ------------------------------------------------------------------------------


def test_a_label_is_put_on_a_pair_by_its_button(acme: Record) -> None:
    client = sign_in()
    [ann, *_] = [each.record for each in all_of(client, acme, "contact").context["shown"]]
    page = client.get(record_url(acme)).content.decode()
    [offered] = re.findall(rf'name="put" value="(\d+:{ann.pk})">Employee', page)
    client.post(f"/admin/associations/record/{acme.pk}/associate/", {"put": offered})
    assert words(acme, ann) == {"unlabeled", "Primary", "Employee"}
    assert not re.findall(rf'name="put" value="\d+:{ann.pk}"', client.get(record_url(acme)).content.decode())


def test_by_the_beginning_of_a_name_one_is_chosen(acme: Record) -> None:
    ann = make_record("contact", email="new@example.com")
    [first, second] = make_records("company", [{"name": "Alder Foods"}, {"name": "Alder Energy"}])
    client, address = sign_in(), f"/admin/associations/record/{ann.pk}/associate/"
    type_id = unlabeled("contact", "company").type_id
    page = client.post(address, {"type_id": type_id, "other": "alder"})
    assert "No company is called just so: choose one of those listed." in page.content.decode()
    assert page.context["form"].candidates == [second, first]
    assert f'<button name="other" value="{first.pk}"' in page.content.decode()
    page = client.post(address, {"type_id": type_id, "other": first.pk}, follow=True)
    assert messages_on(page) == ["Associated with Alder Foods: unlabeled."]


# The picture ------------------------------------------------------------------------------------


def test_the_picture_has_neighbours_of_every_object_type_with_their_labels() -> None:
    ann = make_record("contact", email="ann@example.com")
    acme = make_record("company", name="A company with a name that is longer than its box")
    [deal] = make_records("deal", [{"dealname": "<b>Big</b>"}])
    associate(ann, acme, make_label("contact", "company", "Employer", "Employee"))
    associate(ann, deal)
    page = sign_in().get(record_url(ann)).content.decode()
    drawn = page.partition('id="neighbours"')[2].partition("</svg>")[0]
    assert f'href="{record_url(acme)}#neighbours"' in drawn
    assert "A company with a name tha…</text>" in drawn
    assert "★ Primary, Employer</text>" in drawn
    assert f"/admin/associations/record/{ann.pk}/associations/company/?label=1" in drawn
    assert "&lt;b&gt;Big" in drawn
    assert "style=" not in drawn
    assert 'id="neighbours"' not in sign_in().get(record_url(make_record("contact", firstname="B"))).content.decode()


def test_of_many_neighbours_some_of_each_object_type_are_drawn() -> None:
    make_object_type("pet")
    acme = make_record("company", name="Acme")
    for other in make_records("contact", 30), make_records("deal", [{"dealname": f"{n}"} for n in range(3)]):
        associate_pairs([(each, acme) for each in other])
    associate_pairs([(acme, each) for each in make_records("pet", [{"name": "Rex"}])])
    drawn = draw(acme, associations_of(acme, types_seen_from(acme.object_type)))
    assert drawn is not None
    kinds = [node.record.object_type.name for node in drawn.nodes]
    assert {name: kinds.count(name) for name in kinds} == {"contact": picture.MOST - 4, "deal": 3, "pet": 1}
    assert [(each.name, count) for each, count in drawn.more] == [("contact", "30")]
    boxes = {(node.x, node.y) for node in drawn.nodes}
    assert len(boxes) == len(drawn.nodes)
    assert all(0 <= node.y <= drawn.height - picture.NODE_HEIGHT for node in drawn.nodes)
