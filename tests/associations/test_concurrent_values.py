"""Two writers of records at once, on PostgreSQL: unique values, changes, match keys and the ids of labels hold."""

from __future__ import annotations

from functools import partial

import pytest
from pytest_django import Settings

from associations.errors import InvalidRecords
from associations.models import ChangeSet, MatchIndex, MatchKey, Record
from associations.services import archiving, match_keys
from associations.types import DirectedType
from tests.concurrency import at_once, meanwhile, needs_two_writers
from tests.factories import ORIGIN, change, make_label, make_record, make_records, object_type, save

pytestmark = [needs_two_writers, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

# Values -----------------------------------------------------------------------------------------


def test_of_two_that_save_one_unique_value_the_second_is_told_who_has_it() -> None:
    with meanwhile(partial(make_record, "contact", email="ANN@example.com")) as other:
        first = make_record("contact", email="ann@example.com")
    with pytest.raises(InvalidRecords, match=f"belongs to contact {first.pk}"):
        other.result()


def test_of_two_that_upsert_one_value_the_second_updates() -> None:
    again = partial(save, "contact", [{"email": "ann@example.com", "city": "Rome"}], upsert_by="email")
    with meanwhile(again) as other:
        first = make_record("contact", email="ann@example.com", state="x")
    assert other.result().changed == {first.pk}
    assert Record.objects.get().properties == {"email": "ann@example.com", "city": "Rome", "state": "x"}


def test_many_values_saved_at_once_in_opposite_order_end_in_words_and_not_in_a_deadlock() -> None:
    values = [{"email": f"{number}@example.com"} for number in range(1000)]
    for _ in range(3):
        results = at_once(partial(save, "contact", values), partial(save, "contact", values[::-1]))
        assert sorted(type(each).__name__ for each in results) == ["InvalidRecords", "Saved"]
        archiving.delete_records(object_type("contact"), Record.objects.values_list("id", flat=True), origin=ORIGIN)


def test_two_that_change_one_record_at_once_both_keep_their_change() -> None:
    contact = make_record("contact", firstname="Ann")
    with meanwhile(partial(change, contact, state="Lazio")) as other:
        change(contact, city="Rome")
    assert other.result().properties == {"firstname": "Ann", "city": "Rome", "state": "Lazio"}
    assert ChangeSet.objects.count() == 3


# Match keys -------------------------------------------------------------------------------------


def missing_or_wrong(index: MatchIndex) -> int:
    kept = set(MatchKey.objects.filter(index=index).values_list("record", "key"))
    match_keys.rebuild(index)
    return len(kept ^ set(MatchKey.objects.filter(index=index).values_list("record", "key")))


def test_a_save_that_has_begun_before_a_build_is_read_by_it() -> None:
    city = object_type("contact").properties.get(name="city")
    with meanwhile(partial(match_keys.ensure_match_index, city, "normalized")) as index:
        make_record("contact", city="Rome")
    assert MatchKey.objects.filter(index=index.result()).count() == 1


def test_a_save_after_a_build_writes_its_key_itself() -> None:
    city = object_type("contact").properties.get(name="city")
    with meanwhile(partial(make_record, "contact", city="Rome")) as other:
        index = match_keys.ensure_match_index(city, "normalized")
    assert list(MatchKey.objects.filter(index=index).values_list("record", flat=True)) == [other.result().pk]


@pytest.mark.parametrize("city", ["Oslo", "", "Rome"])
def test_a_rebuild_waits_for_a_save_of_one_of_its_records(city: str) -> None:
    index = match_keys.ensure_match_index(object_type("contact").properties.get(name="city"), "normalized")
    contact, empty, _ = make_records("contact", [{"city": "Rome"}, {}, {"city": "Bern"}])
    with meanwhile(partial(match_keys.rebuild, index)) as rebuilt:
        change(contact, city=city, state="x")
        change(empty, city="Paris")
    assert rebuilt.result() == (3 if city else 2)
    assert missing_or_wrong(index) == 0


def test_saves_during_builds_lose_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_keys, "CHUNK", 7)
    city = object_type("contact").properties.get(name="city")
    contacts = make_records("contact", [{"city": "Rome"} for _ in range(30)])

    def write(start: int) -> None:
        for number in range(25):
            make_record("contact", city=f"City {number}")
            record = contacts[(start + number) % len(contacts)]
            change(record, city="" if number % 3 == 0 else f"{start} {number}")

    def build() -> None:
        index = match_keys.ensure_match_index(city, "normalized")
        for _ in range(5):
            match_keys.rebuild(index)

    assert at_once(partial(write, 0), partial(write, 13), build, build) == [None] * 4
    assert missing_or_wrong(MatchIndex.objects.get()) == 0


# Schema -----------------------------------------------------------------------------------------


def test_labels_made_at_once_have_ids_of_their_own_and_keep_to_the_number(settings: Settings) -> None:
    settings.LABELS_PER_PAIR = 2
    made = at_once(*(partial(make_label, "contact", "deal", f"Label {number}", "Back") for number in range(2)))
    made += at_once(*(partial(make_label, "contact", "deal", f"More {number}") for number in range(3)))
    kept = [each for each in made if isinstance(each, DirectedType)]
    assert len(kept) == 2
    assert len({type_id for each in kept for type_id in (each.type_id, each.reverse.type_id)}) == 4
