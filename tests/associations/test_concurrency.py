"""Two writers at once, on PostgreSQL: limits, primary, labels, unique values and match keys hold."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from pytest_django import Settings

from associations import sql
from associations.errors import InvalidRecords, LimitReached, Refused
from associations.models import Association, AssociationChange, ChangeSet, MatchIndex, MatchKey, Record
from associations.services import archiving, linking, match_keys, merging
from associations.services.origin import open_change_set
from associations.types import DirectedType
from tests.concurrency import at_once, meanwhile, needs_two_writers
from tests.factories import (
    ORIGIN,
    associate,
    associated,
    change,
    disassociate,
    limit,
    make_label,
    make_record,
    make_records,
    object_type,
    primary,
    save,
    unlabeled,
    words,
)

pytestmark = [needs_two_writers, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def ledger_agrees() -> bool:
    net: Counter[tuple[int, int, int]] = Counter()
    for source, type_, target, added in AssociationChange.objects.values_list("source", "type", "target", "added"):
        net[source, type_, target] += 1 if added else -1
    rows = Association.objects.values_list("source_id", "type_id", "target_id")
    return {row for row, count in net.items() if count} == set(rows) and set(net.values()) <= {0, 1}


def labels_without_association() -> int:
    own = unlabeled("contact", "deal").type
    pair = Association.objects.filter(type=own, source=OuterRef("source"), target=OuterRef("target"))
    return Association.objects.filter(~Exists(pair)).count()


# Limits -----------------------------------------------------------------------------------------


def test_of_two_associations_at_once_only_one_takes_the_last_room() -> None:
    [contact], deals = make_records("contact", 1), make_records("deal", 2)
    limit(unlabeled("contact", "deal"), to=1)
    with meanwhile(partial(associate, deals[1], contact)) as other:
        associate(contact, deals[0])
    with pytest.raises(LimitReached):
        other.result()
    assert associated(contact, unlabeled("contact", "deal")) == {deals[0].pk}


def test_many_writers_at_once_fill_every_limit_and_exceed_none() -> None:
    contacts, deals = make_records("contact", 4), make_records("deal", 4)
    limit(unlabeled("contact", "deal"), to=2, inverse=2)
    pairs = list(itertools.product(contacts, deals))

    def write(own: list[tuple[Record, Record]]) -> int:
        made = 0
        for one, other in own:
            try:
                made += associate(one, other).associations
            except LimitReached:
                continue
        return made

    made = at_once(*(partial(write, pairs[start:] + pairs[:start]) for start in (0, 5, 11)))
    assert sum(made) == Association.objects.count()
    for record, directed in [
        *((contact, unlabeled("contact", "deal")) for contact in contacts),
        *((deal, unlabeled("deal", "contact")) for deal in deals),
    ]:
        assert len(associated(record, directed)) <= 2
    assert ledger_agrees()


def test_both_ends_of_a_symmetric_pair_are_counted_by_two_writers() -> None:
    one, two, three = make_records("contact", 3)
    limit(unlabeled("contact", "contact"), to=1)
    with meanwhile(partial(associate, three, one)) as other:
        associate(one, two)
    with pytest.raises(LimitReached):
        other.result()


# Primary ----------------------------------------------------------------------------------------


def test_two_that_set_primary_at_once_leave_exactly_one() -> None:
    [contact], companies = make_records("contact", 1), make_records("company", 3)
    for company in companies:
        associate(contact, company)
    to = primary("contact", "company")
    with meanwhile(partial(associate, contact, companies[2], to)) as other:
        associate(contact, companies[1], to)
    assert other.result().labels == 1
    assert associated(contact, to) == {companies[2].pk}
    assert ledger_agrees()


def test_of_two_first_companies_at_once_one_is_primary() -> None:
    [contact], companies = make_records("contact", 1), make_records("company", 2)
    with meanwhile(partial(associate, contact, companies[1])) as other:
        associate(contact, companies[0])
    assert other.result().associations == 1
    assert associated(contact, primary("contact", "company")) == {companies[0].pk}
    assert ledger_agrees()


def test_who_names_the_primary_company_gets_it_beside_one_who_comes_first() -> None:
    [contact], companies = make_records("contact", 1), make_records("company", 2)
    to = primary("contact", "company")
    with meanwhile(partial(associate, contact, companies[1], to)) as other:
        associate(contact, companies[0])
    assert other.result().labels == 1
    assert associated(contact, to) == {companies[1].pk}
    assert ledger_agrees()


# Labels and their association -------------------------------------------------------------------


@pytest.fixture
def pair() -> tuple[Record, Record]:
    [contact], [deal] = make_records("contact", 1), make_records("deal", 1)
    associate(contact, deal)
    return contact, deal


@pytest.fixture
def helper() -> DirectedType:
    return make_label("contact", "deal", "Helper")


def put_on(label: DirectedType, contact: Record, deal: Record) -> int:
    """As an action does it: a label for a pair that is associated, never an association."""
    with transaction.atomic():
        sql.clear_stage()
        sql.stage_rows([(contact.pk, deal.pk)])
        return linking.add_label_staged(label, unlabeled("contact", "deal"), open_change_set(ORIGIN))


def test_an_association_removed_while_a_label_is_put_on_it_takes_the_label_along(
    pair: tuple[Record, Record], helper: DirectedType
) -> None:
    with meanwhile(partial(disassociate, *pair)) as other:
        put_on(helper, *pair)
    assert other.result().associations == 1
    assert words(*pair) == set()
    assert ledger_agrees()


def test_a_label_put_on_an_association_that_is_being_removed_is_not_put_on(
    pair: tuple[Record, Record], helper: DirectedType
) -> None:
    with meanwhile(partial(put_on, helper, *pair)) as other:
        disassociate(*pair)
    assert other.result() == 0
    assert words(*pair) == set()
    assert ledger_agrees()


def test_labels_of_one_object_type_go_along_whichever_way_they_lie() -> None:
    one, two = make_records("contact", 2)
    manager = make_label("contact", "contact", "Manager", "Report")
    associate(one, two)
    with meanwhile(partial(disassociate, one, two)) as other:
        associate(two, one, manager)
    assert other.result().associations == 1
    assert words(one, two) == set()
    assert ledger_agrees()


def test_labels_and_associations_that_come_and_go_at_once_always_belong_together(
    pair: tuple[Record, Record], helper: DirectedType
) -> None:
    contact, deal = pair

    def come_and_go() -> None:
        for _ in range(15):
            disassociate(contact, deal)
            associate(contact, deal)

    def label() -> None:
        for _ in range(30):
            put_on(helper, contact, deal)

    assert at_once(come_and_go, label, label) == [None, None, None]
    assert labels_without_association() == 0
    assert ledger_agrees()


def test_of_two_that_remove_one_association_one_removes_and_tells_it(pair: tuple[Record, Record]) -> None:
    with meanwhile(partial(disassociate, *pair)) as other:
        assert disassociate(*pair).associations == 1
    assert other.result().associations == 0
    assert ledger_agrees()


# Records that go --------------------------------------------------------------------------------


def test_a_record_deleted_while_it_is_associated_goes_with_its_association() -> None:
    [contact], [deal] = make_records("contact", 1), make_records("deal", 1)
    with meanwhile(partial(archiving.delete_records, deal.object_type, [deal.pk], origin=ORIGIN)) as other:
        associate(contact, deal)
    assert other.result() == 1
    assert not Association.objects.exists()
    assert ledger_agrees()


def test_a_record_that_is_being_deleted_cannot_be_associated() -> None:
    [contact], [deal] = make_records("contact", 1), make_records("deal", 1)
    with meanwhile(partial(associate, contact, deal)) as other:
        archiving.delete_records(deal.object_type, [deal.pk], origin=ORIGIN)
    with pytest.raises(Refused, match=f"There is no deal {deal.pk}"):
        other.result()


def test_an_association_made_while_its_record_is_merged_away_moves_along() -> None:
    [contact], [survivor, merged] = make_records("contact", 1), make_records("deal", 2)
    merge = partial(merging.merge_records, object_type("deal"), survivor.pk, merged.pk, origin=ORIGIN)
    with meanwhile(merge) as other:
        associate(contact, merged)
    assert other.result().pk == survivor.pk
    assert associated(contact, unlabeled("contact", "deal")) == {survivor.pk}


def test_a_label_is_never_deleted_from_under_an_association(pair: tuple[Record, Record], helper: DirectedType) -> None:
    from associations.services.labels import delete_label

    def put() -> object:
        try:
            return associate(*pair, helper)
        except (IntegrityError, Refused):
            return None

    at_once(put, partial(delete_label, helper.type))
    on_it = Association.objects.exclude(type=unlabeled("contact", "deal").type)
    assert on_it.count() == on_it.filter(type__name="helper").count()


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


def test_a_save_before_the_announcement_of_an_index_is_read_by_the_build() -> None:
    city = object_type("contact").properties.get(name="city")
    with meanwhile(partial(match_keys.ensure_match_index, city, "normalized")) as index:
        make_record("contact", city="Rome")
    assert MatchKey.objects.filter(index=index.result()).count() == 1


def test_a_save_after_the_announcement_writes_its_key_itself() -> None:
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
