"""Two writers of associations at once, on PostgreSQL: limits and primary hold, and what they refer to is there."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from associations.errors import LimitReached, Refused
from associations.models import Association, Record
from associations.services import archiving, linking, merging
from associations.services.linking import LinkCounts
from tests.concurrency import at_once, meanwhile, needs_two_writers
from tests.factories import (
    ORIGIN,
    associate,
    associate_pairs,
    associated,
    limit,
    make_label,
    make_records,
    object_type,
    primary,
    unlabeled,
)
from tests.reference.product import ledger_disagreements

pytestmark = [
    needs_two_writers,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("many_or_few"),
]


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
    assert not ledger_disagreements()


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
    assert not ledger_disagreements()


def test_of_two_first_companies_at_once_one_is_primary() -> None:
    [contact], companies = make_records("contact", 1), make_records("company", 2)
    with meanwhile(partial(associate, contact, companies[1])) as other:
        associate(contact, companies[0])
    assert other.result().associations == 1
    assert associated(contact, primary("contact", "company")) == {companies[0].pk}
    assert not ledger_disagreements()


def test_who_names_the_primary_company_gets_it_beside_one_who_comes_first() -> None:
    [contact], companies = make_records("contact", 1), make_records("company", 2)
    to = primary("contact", "company")
    with meanwhile(partial(associate, contact, companies[1], to)) as other:
        associate(contact, companies[0])
    assert other.result().labels == 1
    assert associated(contact, to) == {companies[1].pk}
    assert not ledger_disagreements()


# Many -------------------------------------------------------------------------------------------


def test_of_two_that_associate_the_same_pairs_at_once_each_makes_what_the_other_did_not() -> None:
    contacts, [company] = make_records("contact", 6), make_records("company", 1)
    label = make_label("contact", "company", "Employer")
    pairs = [(contact, company) for contact in contacts]
    with meanwhile(partial(associate_pairs, pairs[2:], label)) as other:
        assert associate_pairs(pairs[:4], label) == LinkCounts(associations=4, labels=4)
    assert other.result() == LinkCounts(associations=2, labels=2)
    assert associated(company, unlabeled("company", "contact")) == {contact.pk for contact in contacts}
    assert not ledger_disagreements()


def test_of_two_that_put_a_label_on_the_same_pairs_at_once_each_puts_what_the_other_did_not() -> None:
    contacts, [deal] = make_records("contact", 6), make_records("deal", 1)
    label = make_label("contact", "deal", "Helper")
    pairs = [(contact, deal) for contact in contacts]
    associate_pairs(pairs)
    with meanwhile(partial(associate_pairs, pairs[2:], label)) as other:
        assert associate_pairs(pairs[:4], label) == LinkCounts(associations=0, labels=4)
    assert other.result() == LinkCounts(associations=0, labels=2)
    assert not ledger_disagreements()


def test_of_two_that_take_a_label_off_the_same_pairs_at_once_each_tells_what_it_took() -> None:
    contacts, [deal] = make_records("contact", 6), make_records("deal", 1)
    label = make_label("contact", "deal", "Helper")
    pairs = [(contact, deal) for contact in contacts]
    associate_pairs(pairs, label)
    ids = [(contact.pk, deal.pk) for contact in contacts]
    with meanwhile(lambda: linking.remove_labels([label], ids[2:], origin=ORIGIN)) as other:
        assert linking.remove_labels([label], ids[:4], origin=ORIGIN).labels == 4
    assert other.result().labels == 2
    assert not ledger_disagreements()


# Records that go --------------------------------------------------------------------------------


def test_a_record_deleted_while_it_is_associated_goes_with_its_association() -> None:
    [contact], [deal] = make_records("contact", 1), make_records("deal", 1)
    with meanwhile(partial(archiving.delete_records, deal.object_type, [deal.pk], origin=ORIGIN)) as other:
        associate(contact, deal)
    assert other.result() == 1
    assert not Association.objects.exists()
    assert not ledger_disagreements()


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
