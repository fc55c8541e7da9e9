"""Match keys: derived from live records, kept with every change, and the same when they are built anew."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from associations.comparison import COMPARISONS, match_key
from associations.models import MatchIndex, MatchKey, Property, Record
from associations.services import archiving, match_keys, merging
from associations.services.records import RecordInput
from tests.factories import ORIGIN, change, make_property, make_record, make_records, object_type, save

pytestmark = pytest.mark.django_db


def prop(name: str, type_name: str = "contact") -> Property:
    return Property.objects.get(object_type__name=type_name, name=name)


def keys(index: MatchIndex) -> dict[int, bytes]:
    return {record: bytes(key) for record, key in MatchKey.objects.filter(index=index).values_list("record", "key")}


def expected(index: MatchIndex) -> dict[int, bytes]:
    """What the keys must be, from the values of the live records."""
    live = Record.objects.filter(object_type=index.property.object_type, archived_at=None)
    found = {each.pk: match_key(each.properties.get(index.property.name), index.comparison) for each in live}
    return {record: key for record, key in found.items() if key is not None}


# Building ---------------------------------------------------------------------------------------


def test_a_new_index_covers_what_was_saved_before_and_what_is_saved_after() -> None:
    before, empty, archived = make_records("contact", [{"city": "Rome"}, {}, {"city": "Oslo"}])
    archiving.archive_records(object_type("contact"), [archived.pk], origin=ORIGIN)
    index = match_keys.ensure_match_index(prop("city"), "normalized")
    after = make_record("contact", city="ROME")
    assert index.built_at is not None
    assert keys(index).keys() == {before.pk, after.pk}
    assert keys(index)[before.pk] == keys(index)[after.pk]
    assert empty.pk not in keys(index)


def test_an_index_is_built_once() -> None:
    index = match_keys.ensure_match_index(prop("city"), "normalized")
    again = match_keys.ensure_match_index(prop("city"), "normalized")
    assert (again.pk, again.built_at) == (index.pk, index.built_at)
    assert match_keys.ensure_match_index(prop("city"), "exact").pk != index.pk
    assert match_keys.ensure_match_index(prop("city", "company"), "normalized").pk != index.pk


def test_without_an_index_no_keys_are_kept() -> None:
    make_record("contact", city="Rome")
    assert not MatchKey.objects.exists()


def test_building_goes_on_after_the_first_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_keys, "CHUNK", 2)
    make_records("contact", [{"city": f"City {number}"} for number in range(5)])
    make_record("deal", dealname="not one of them")
    index = match_keys.ensure_match_index(prop("city"), "normalized")
    assert keys(index) == expected(index)
    assert match_keys.rebuild(index) == 5


def test_the_ranges_of_chunks_hold_every_id_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_keys, "CHUNK", 2)
    ids = Record.objects.order_by("id").values_list("id", flat=True)
    assert list(match_keys.id_ranges(ids)) == []
    for count in range(1, 6):
        [new] = make_records("deal", 1)
        ranges = list(match_keys.id_ranges(ids))
        assert [sum(first <= each <= last for first, last in ranges) for each in ids.all()] == [1] * count
        assert ranges[-1][1] == new.pk


def test_a_rebuild_mends_what_is_wrong() -> None:
    index = match_keys.ensure_match_index(prop("city"), "normalized")
    right, wrong, missing, archived = make_records(
        "contact", [{"city": city} for city in ("Rome", "Oslo", "Bern", "x")]
    )
    stale = MatchKey.objects.get(record=archived)
    archiving.archive_records(object_type("contact"), [archived.pk], origin=ORIGIN)
    MatchKey.objects.filter(record=wrong).update(key=b"wrong")
    MatchKey.objects.filter(record=missing).delete()
    MatchKey.objects.create(index=index, record=archived, key=stale.key)
    assert match_keys.rebuild(index) == 3
    assert keys(index) == expected(index)
    assert keys(index).keys() == {right.pk, wrong.pk, missing.pk}


# Keeping ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_every_comparison_has_its_own_keys(comparison: str) -> None:
    index = match_keys.ensure_match_index(prop("phone"), comparison)
    make_records("contact", [{"phone": phone} for phone in ("+1 617 555 0123", "(617) 555-0123", "acme.com")])
    different = {"normalized": 3, "exact": 3, "phone": 1, "domain": 1}
    assert len(set(keys(index).values())) == different[comparison]
    assert keys(index) == expected(index)


@pytest.mark.parametrize(
    ("type_", "field_type", "value"),
    [
        ("number", "number", "1e23"),
        ("number", "number", 0.1),
        ("bool", "booleancheckbox", True),
        ("date", "date", "2026-11-23"),
        ("datetime", "date", "2026-11-23T08:00:00Z"),
    ],
)
def test_keys_of_typed_values_are_the_same_built_anew(type_: str, field_type: str, value: object) -> None:
    typed = make_property("contact", "thing", type=type_, field_type=field_type)
    index = match_keys.ensure_match_index(typed, "normalized")
    make_record("contact", thing=value)
    kept = keys(index)
    match_keys.rebuild(index)
    assert kept == keys(index) != {}


def test_keys_follow_the_value() -> None:
    index = match_keys.ensure_match_index(prop("city"), "normalized")
    contact = make_record("contact", city="Rome")
    for city in ("Oslo", "", "Bern"):
        change(contact, city=city)
        assert keys(index) == expected(index)
    change(contact, state="x")
    assert len(keys(index)) == 1


def test_keys_go_with_a_deleted_record_and_with_a_deleted_property() -> None:
    nickname = make_property("contact", "nickname")
    index = match_keys.ensure_match_index(nickname, "normalized")
    one, _ = make_records("contact", [{"nickname": "A"}, {"nickname": "B"}])
    archiving.delete_records(object_type("contact"), [one.pk], origin=ORIGIN)
    assert len(keys(index)) == 1
    nickname.delete()
    assert not MatchKey.objects.exists()


CITY = st.sampled_from(["", "Rome", " ROME ", "Oslo", "ｏｓｌｏ", "Straße", "strasse"])
STEP = st.one_of(
    st.tuples(st.just("save"), st.integers(0, 3), CITY, CITY),
    st.tuples(st.sampled_from(["archive", "restore", "delete"]), st.integers(0, 3)),
    st.tuples(st.just("merge"), st.integers(0, 3), st.integers(0, 3)),
)


class KeptIsRebuilt(TestCase):
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(STEP, max_size=8))
    def test_kept_keys_are_the_rebuilt_ones(self, steps: list[tuple]) -> None:
        contact = object_type("contact")
        indexes = [
            match_keys.ensure_match_index(prop(name), how) for name, how in (("city", "normalized"), ("state", "exact"))
        ]
        records = make_records("contact", [{} for _ in range(4)])
        for kind, place, *more in steps:
            record = Record.objects.filter(pk=records[place].pk).first()
            live = record is not None and record.archived_at is None
            if kind == "save" and live:
                save("contact", [RecordInput({"city": more[0], "state": more[1]}, id=records[place].pk)])
            elif kind == "archive":
                archiving.archive_records(contact, [records[place].pk], origin=ORIGIN)
            elif kind == "restore" and record and not record.merged_into_id:
                archiving.restore_records(contact, [record.pk], origin=ORIGIN)
            elif kind == "delete":
                archiving.delete_records(contact, [records[place].pk], origin=ORIGIN)
            elif kind == "merge" and place != more[0] and live:
                other = Record.objects.filter(pk=records[more[0]].pk, archived_at=None).first()
                if other:
                    merging.merge_records(contact, records[place].pk, other.pk, origin=ORIGIN)
        for index in indexes:
            kept = keys(index)
            match_keys.rebuild(index)
            assert kept == keys(index)
            assert kept == expected(index)
