"""Two writers of associations at once, on PostgreSQL: limits, primary and labels hold."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import partial

import pytest
from django.db import transaction
from django.db.models import Exists, OuterRef

from associations import sql
from associations.errors import InUse, LimitReached, Refused
from associations.models import Association, AssociationChange, Record
from associations.services import archiving, linking, merging
from associations.services.labels import delete_label
from associations.services.linking import LinkCounts
from associations.services.origin import open_change_set
from associations.sql import base
from associations.types import DirectedType
from tests.concurrency import at_once, meanwhile, needs_two_writers
from tests.factories import (
    ORIGIN,
    associate,
    associate_pairs,
    associated,
    disassociate,
    limit,
    make_label,
    make_records,
    object_type,
    primary,
    unlabeled,
    words,
)

pytestmark = [needs_two_writers, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture(autouse=True, params=[pytest.param(1, id="as many"), pytest.param(1_000, id="as few")])
def many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are written in the hope that nobody else is at it, or row by row: what holds is the same."""
    monkeypatch.setattr(base, "MANY", request.param)


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


# Many -------------------------------------------------------------------------------------------


def test_of_two_that_associate_the_same_pairs_at_once_each_makes_what_the_other_did_not() -> None:
    contacts, [company] = make_records("contact", 6), make_records("company", 1)
    label = make_label("contact", "company", "Employer")
    pairs = [(contact, company) for contact in contacts]
    with meanwhile(partial(associate_pairs, pairs[2:], label)) as other:
        assert associate_pairs(pairs[:4], label) == LinkCounts(associations=4, labels=4)
    assert other.result() == LinkCounts(associations=2, labels=2)
    assert associated(company, unlabeled("company", "contact")) == {contact.pk for contact in contacts}
    assert ledger_agrees()


def test_of_two_that_put_a_label_on_the_same_pairs_at_once_each_puts_what_the_other_did_not() -> None:
    contacts, [deal] = make_records("contact", 6), make_records("deal", 1)
    label = make_label("contact", "deal", "Helper")
    pairs = [(contact, deal) for contact in contacts]
    associate_pairs(pairs)
    with meanwhile(partial(associate_pairs, pairs[2:], label)) as other:
        assert associate_pairs(pairs[:4], label) == LinkCounts(associations=0, labels=4)
    assert other.result() == LinkCounts(associations=0, labels=2)
    assert ledger_agrees()


def test_of_two_that_take_a_label_off_the_same_pairs_at_once_each_tells_what_it_took() -> None:
    contacts, [deal] = make_records("contact", 6), make_records("deal", 1)
    label = make_label("contact", "deal", "Helper")
    pairs = [(contact, deal) for contact in contacts]
    associate_pairs(pairs, label)
    ids = [(contact.pk, deal.pk) for contact in contacts]
    with meanwhile(lambda: linking.remove_labels([label], ids[2:], origin=ORIGIN)) as other:
        assert linking.remove_labels([label], ids[:4], origin=ORIGIN).labels == 4
    assert other.result().labels == 2
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
        return linking.add_label_staged(label, unlabeled("contact", "deal"), open_change_set(ORIGIN)).labels


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


def test_a_label_that_is_being_put_on_is_in_use_for_who_deletes_it(
    pair: tuple[Record, Record], helper: DirectedType
) -> None:
    with meanwhile(partial(delete_label, helper.type)) as other:
        associate(*pair, helper)
    with pytest.raises(InUse, match="1 associations"):
        other.result()


def test_a_label_that_is_being_deleted_cannot_be_put_on(pair: tuple[Record, Record], helper: DirectedType) -> None:
    with meanwhile(partial(associate, *pair, helper)) as other:
        delete_label(helper.type)
    with pytest.raises(Refused, match="is deleted"):
        other.result()
    assert not Association.objects.filter(type=helper.type.pk).exists()
