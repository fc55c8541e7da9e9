"""The keys of a property that nothing matched on before: complete and right, whatever happens while they are built."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from associations import sql
from associations.comparison import match_key
from associations.errors import Missing, Refused
from associations.models import MatchIndex, MatchKey, Property, Record
from associations.services import archiving, match_keys, merging
from associations.services.records import RecordInput
from tests.concurrency import WAIT, needs_two_writers, wait_until_blocked
from tests.factories import ORIGIN, change, make_record, make_records, object_type, save

pytestmark = pytest.mark.django_db
CITIES = ["", "Rome", " ROME ", "Oslo", "ｏｓｌｏ"]


def city() -> Property:
    return object_type("contact").properties.get(name="city")


def build() -> MatchIndex:
    return match_keys.ensure_match_index(city(), "normalized")


def keys() -> dict[int, bytes]:
    return {record: bytes(key) for record, key in MatchKey.objects.values_list("record", "key")}


def expected() -> dict[int, bytes]:
    """What the keys must be, from the values of the live records."""
    live = Record.objects.filter(object_type=object_type("contact"), archived_at=None)
    found = {each.pk: match_key(each.properties.get("city"), "normalized") for each in live}
    return {record: key for record, key in found.items() if key is not None}


def do(kind: str, record: Record, other: Record, value: str) -> None:
    """What may happen to a record at any moment."""
    contact = object_type("contact")
    match kind:
        case "save":
            save("contact", [RecordInput({"city": value}, id=record.pk)])
        case "create":
            make_record("contact", city=value)
        case "archive":
            archiving.archive_records(contact, [record.pk], origin=ORIGIN)
        case "restore":
            archiving.restore_records(contact, [record.pk], origin=ORIGIN)
        case "delete":
            archiving.delete_records(contact, [record.pk], origin=ORIGIN)
        case "merge":
            merging.merge_records(contact, record.pk, other.pk, origin=ORIGIN)


@contextmanager
def around_writes(before: Callable[[int], object], after: Callable[[int], object]) -> Iterator[pytest.MonkeyPatch]:
    """Do something before and after every writing of keys, of which the first has the number 0."""
    write, numbers = sql.insert_match_keys, count()

    def written(*args: Any) -> int:
        number = next(numbers)
        before(number)
        keys_written = write(*args)
        after(number)
        return keys_written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(match_keys, "CHUNK", 2)
        patch.setattr(sql, "insert_match_keys", written)
        yield patch


def nothing(_: int) -> None:
    pass


# One after the other ----------------------------------------------------------------------------

STEP = st.tuples(
    st.sampled_from(["save", "save", "create", "restore", "archive", "delete", "merge"]),
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from(CITIES),
)


class BuiltIsExpected(TestCase):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.lists(STEP, max_size=3), max_size=5), st.lists(st.sampled_from(CITIES), min_size=6, max_size=6))
    def test_keys_are_those_of_the_values_whatever_is_saved_meanwhile(self, plan: list[list[tuple]], values: list[str]):
        contacts = make_records("contact", [{"city": value} for value in values])
        archiving.archive_records(object_type("contact"), [contacts[5].pk], origin=ORIGIN)

        locks = count()
        lock = sql.lock_object_type

        def locked(object_type_id: int, *, exclusive: bool) -> None:
            if next(locks) == 2:
                plan.clear()  # from here on to the end savers would wait
            lock(object_type_id, exclusive=exclusive)

        def happen(number: int, *, may_go: bool) -> None:
            for kind, place, other, value in plan[number] if number < len(plan) else ():
                # Whoever takes records away waits until what was read of them is written.
                if (kind in {"archive", "delete", "merge"}) == may_go:
                    with suppress(Missing, Refused):
                        do(kind, contacts[place], contacts[other], value)

        with around_writes(partial(happen, may_go=False), partial(happen, may_go=True)) as patch:
            patch.setattr(sql, "lock_object_type", locked)
            build()
        assert keys() == expected()
        make_record("contact", city="Rome")
        assert keys() == expected()


def test_a_build_that_died_is_gone_on_with() -> None:
    contacts = make_records("contact", [{"city": f"City {number}"} for number in range(7)])

    def die(number: int) -> None:
        if number == 2:
            raise KeyboardInterrupt

    with around_writes(die, nothing), pytest.raises(KeyboardInterrupt):
        build()
    assert keys().keys() == {each.pk for each in contacts[:4]}
    change(contacts[0], city="")
    change(contacts[1], city="Rome")
    archiving.archive_records(object_type("contact"), [contacts[2].pk], origin=ORIGIN)
    MatchKey.objects.filter(record=contacts[3]).update(key=b"read already")
    assert build().built_at is not None
    assert keys() == expected() | {contacts[3].pk: b"read already"}


def test_nobody_keeps_the_keys_of_a_half_built_index() -> None:
    index = MatchIndex.objects.create(property=city(), comparison="normalized")
    contact = make_record("contact", city="Rome")
    assert not keys()
    assert match_keys.rebuild(index) == 1
    assert keys().keys() == {contact.pk}


def test_a_build_whose_index_is_forgotten_meanwhile_begins_again() -> None:
    make_records("contact", [{"city": f"City {number}"} for number in range(5)])

    def forget(number: int) -> None:
        if number == 1:
            match_keys.forget_unused(lambda: {(city().pk, "normalized")})

    with around_writes(nothing, forget):
        index = build()
    assert keys() == expected()
    assert set(MatchKey.objects.values_list("index", flat=True)) == {index.pk}


# At once ----------------------------------------------------------------------------------------


@needs_two_writers
class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

    @pytest.fixture
    def other(self) -> Iterator[Callable[..., Future[None]]]:
        """Somebody else, who does something by a connection of his own."""

        def alone(*args: Any) -> None:
            try:
                with suppress(Missing, Refused):
                    do(*args)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            yield lambda *args: pool.submit(alone, *args)

    def test_whoever_saves_waits_for_no_chunk(self, other: Callable[..., Future[None]]) -> None:
        first, second, third, _, archived = make_records("contact", [{"city": "Rome"} for _ in range(5)])
        archiving.archive_records(object_type("contact"), [archived.pk], origin=ORIGIN)

        def happen(number: int) -> None:
            if number == 0:  # the first two are read, and their keys written or not: in a transaction that is open
                for each in (("save", first, first, ""), ("save", second, second, "Oslo"), ("save", third, third, "")):
                    other(*each).result(WAIT)
                for each in (("create", first, first, "Bern"), ("restore", archived, first, "")):
                    other(*each).result(WAIT)

        for before, after in ((happen, nothing), (nothing, happen)):
            MatchIndex.objects.all().delete()
            with around_writes(before, after):
                build()
            assert keys() == expected()

    @pytest.mark.parametrize("kind", ["archive", "delete", "merge"])
    def test_whoever_takes_a_record_away_takes_its_key_along(
        self, other: Callable[..., Future[None]], kind: str
    ) -> None:
        contacts = make_records("contact", [{"city": "Rome"} for _ in range(6)])
        begun: list[Future[None]] = []

        def happen(number: int) -> None:
            if number < 3:
                begun.append(other(kind, contacts[number * 2], contacts[number * 2 + 1], ""))
                wait_until_blocked(begun[-1])

        with around_writes(happen, nothing):
            build()
        assert [each.result(WAIT) for each in begun] == [None] * 3
        assert keys() == expected()
        assert len(keys()) == 3

    @pytest.mark.parametrize("seed", range(8))
    def test_whatever_happens_at_any_moment_no_key_is_missing_or_wrong(
        self, other: Callable[..., Future[None]], seed: int
    ) -> None:
        chance, begun = random.Random(seed), list[Future[None]]()
        contacts = make_records("contact", [{"city": chance.choice(CITIES)} for _ in range(12)])

        def happen(_: int) -> None:
            for _ in range(chance.randrange(3)):
                kind = chance.choice(["save", "save", "create", "restore", "archive", "delete", "merge"])
                begun.append(other(kind, *chance.sample(contacts, 2), chance.choice(CITIES)))

        with around_writes(happen, happen):
            build()
        assert {each.result(WAIT) for each in begun} <= {None}
        assert keys() == expected()
