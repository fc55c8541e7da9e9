"""Match keys are derived: whatever happened to the records, building them anew gives what was kept."""

from __future__ import annotations

import io
import random

import pytest
from django.core.management import CommandError, call_command

from associations.models import MatchIndex, MatchKey, Property, Record
from associations.services import archiving, match_keys, merging
from tests.factories import ORIGIN, change, make_record, make_records, object_type

pytestmark = pytest.mark.django_db

VALUES = ["Acme", "acme ", "ACME", "+1 617 555 0199", "(617) 555-0199", "x@acme.com", "http://www.acme.com/", "", None]


def rebuild(**options: str) -> str:
    out = io.StringIO()
    call_command("rebuild_match_keys", stdout=out, **options)
    return out.getvalue()


def keys() -> set[tuple[int, int, bytes]]:
    return {
        (index, record, bytes(key)) for index, record, key in MatchKey.objects.values_list("index", "record", "key")
    }


@pytest.fixture
def indexes() -> list[MatchIndex]:
    properties = Property.objects.filter(object_type=object_type("company"), name__in=["name", "phone"]).order_by(
        "name"
    )
    return [
        match_keys.ensure_match_index(prop, comparison)
        for prop in properties
        for comparison in MatchIndex.Comparison.values
    ]


@pytest.mark.parametrize("seed", range(8))
def test_rebuilt_is_kept(indexes: list[MatchIndex], monkeypatch: pytest.MonkeyPatch, seed: int):
    chance, company = random.Random(seed), object_type("company")
    monkeypatch.setattr(match_keys, "CHUNK", 4)
    make_records("company", 10)
    for _ in range(40):
        live = list(Record.objects.filter(object_type=company, archived_at=None))
        archived = Record.objects.exclude(archived_at=None).filter(merged_into=None).values_list("id", flat=True)
        values = {"name": chance.choice(VALUES), "phone": chance.choice(VALUES)}
        match chance.choice(["create", "change", "change", "archive", "restore", "merge"]):
            case "create":
                make_record("company", **values)
            case "change":
                change(chance.choice(live), **values)
            case "archive" if len(live) > 3:
                archiving.archive_records(company, [chance.choice(live).pk], origin=ORIGIN)
            case "restore" if archived:
                archiving.restore_records(company, [chance.choice(archived)], origin=ORIGIN)
            case "merge" if len(live) > 3:
                survivor, merged = chance.sample(live, 2)
                merging.merge_records(company, survivor.pk, merged.pk, origin=ORIGIN)
    kept = keys()
    assert kept
    rebuild()
    assert keys() == kept
    MatchKey.objects.all().delete()
    rebuild()
    assert keys() == kept


def test_one_property_only(indexes: list[MatchIndex]):
    make_records("company", [{"name": "Acme", "phone": "617 555 0199"}])
    whole = keys()
    MatchKey.objects.all().delete()
    out = rebuild(property="companies.phone")
    assert "company.phone, Phone number: 1 keys" in out
    assert "company.name" not in out
    phone = {index.pk for index in indexes if index.property.name == "phone"}
    assert keys() == {each for each in whole if each[0] in phone}


def test_a_property_that_nothing_matches_on():
    with pytest.raises(CommandError, match=r"No action matches on contact\.city") as refused:
        rebuild(property="contact.city")
    assert refused.value.returncode == 2


def test_without_any_index_there_is_nothing_to_do():
    assert rebuild() == ""
