"""Export of associations: each once, in the direction asked for, with both words and where it came from."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from associations.models import Association, ChangeSet, Record
from associations.services import exporting, linking
from associations.services.origin import Origin
from associations.types import DirectedType
from tests.factories import associate, associate_pairs, make_label, make_records, unlabeled

pytestmark = pytest.mark.django_db

Rows = list[dict[str, str]]


def export(**options: Any) -> Rows:
    out = io.StringIO(newline="")
    call_command("export_associations", stdout=out, **options)
    return list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))


def ends(rows: Rows) -> list[tuple[str, int, str, int, int]]:
    return [
        (row["from_type"], int(row["from_id"]), row["to_type"], int(row["to_id"]), int(row["type_id"])) for row in rows
    ]


@pytest.fixture
def manager() -> DirectedType:
    """What a contact is to another one; that one is its report."""
    return make_label("contact", "contact", "Manager", "Report")


@pytest.fixture
def contacts() -> list[Record]:
    return make_records("contact", 3)


@pytest.fixture
def companies() -> list[Record]:
    return make_records("company", 2)


def test_every_association_and_label_once_in_id_order(contacts, companies, manager):
    a, b, c = contacts
    x, y = companies
    associate(b, y)
    associate(x, a)
    associate(c, a, manager)  # a is c's manager
    assert ends(export()) == [
        ("contact", a.pk, "company", x.pk, 1),
        ("contact", a.pk, "company", x.pk, 279),
        ("contact", a.pk, "contact", c.pk, 449),
        ("contact", b.pk, "company", y.pk, 1),
        ("contact", b.pk, "company", y.pk, 279),
        ("contact", c.pk, "contact", a.pk, manager.type_id),
    ]


def test_both_words(contacts, manager):
    associate(contacts[0], contacts[1], manager)
    unlabeled_row, label_row = export()
    assert (unlabeled_row["label"], unlabeled_row["inverse_label"]) == ("", "")
    assert (label_row["label"], label_row["inverse_label"]) == ("Manager", "Report")


def test_the_direction_that_is_asked_for(contacts, companies):
    associate(contacts[0], companies[1])
    associate(contacts[1], companies[0])
    there = export(from_type="company", to_type="contacts")
    assert ends(there) == [
        ("company", companies[0].pk, "contact", contacts[1].pk, 2),
        ("company", companies[0].pk, "contact", contacts[1].pk, 280),
        ("company", companies[1].pk, "contact", contacts[0].pk, 2),
        ("company", companies[1].pk, "contact", contacts[0].pk, 280),
    ]
    assert export(from_type="company") == export(to_type="0-1") == there
    assert export(from_type="deal") == []


def test_one_label_in_its_direction(contacts, manager):
    a, b, _ = contacts
    associate(a, b, manager)
    [row] = export(label=manager.type_id)
    assert ends([row]) == [("contact", a.pk, "contact", b.pk, manager.type_id)]
    [row] = export(label=manager.reverse.type_id)
    assert ends([row]) == [("contact", b.pk, "contact", a.pk, manager.reverse.type_id)]
    assert (row["label"], row["inverse_label"]) == ("Report", "Manager")


def test_a_label_of_other_types_than_asked_for(contacts, manager):
    associate(contacts[0], contacts[1], manager)
    assert export(label=manager.type_id, from_type="deal") == []


def test_who_made_it_and_when(contacts, companies):
    user = get_user_model().objects.create_user("=anna")
    origin = Origin(ChangeSet.Source.USER, user_id=user.pk, note="+by hand")
    pair = unlabeled("contact", "company")
    linking.associate(pair, [(contacts[0].pk, companies[0].pk)], origin=origin)
    change_set = ChangeSet.objects.latest("id")
    for row in export():
        assert row["at"] == change_set.at.isoformat()
        assert (row["source"], row["user"], row["note"]) == ("user", "'=anna", "'+by hand")


def test_a_change_that_nobody_remembers(contacts, companies):
    associate(contacts[0], companies[0])
    Association.objects.update(change_set=10**9)
    assert [(row["at"], row["source"], row["user"], row["note"]) for row in export()] == [("", "", "", "")] * 2


def test_a_label_that_does_not_exist():
    with pytest.raises(CommandError, match="There is no association type 999999") as refused:
        export(label=999_999)
    assert refused.value.returncode == 2


def test_to_a_file(contacts, companies, tmp_path: Path):
    associate(contacts[0], companies[0])
    path = tmp_path / "associations.csv"
    call_command("export_associations", path)
    assert path.read_text().count("\n") == 3


def test_the_number_of_queries_grows_by_the_chunk_only(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(exporting, "CHUNK", 10)
    contacts, companies = make_records("contact", 15), make_records("company", 15)
    associate_pairs(zip(contacts, companies, strict=True))
    with django_assert_num_queries(5):  # types, rows, and the changes of each chunk
        assert len(list(exporting.association_rows())) == 31
