"""Two writers at once, on PostgreSQL, of which one has to do with a label: it never stands without its association."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import transaction
from django.db.models import Exists, OuterRef

from associations import sql
from associations.errors import InUse, Refused
from associations.models import Association, Record
from associations.services import linking
from associations.services.labels import delete_label
from associations.services.origin import open_change_set
from associations.types import DirectedType
from tests.concurrency import at_once, meanwhile, needs_two_writers
from tests.factories import (
    ORIGIN,
    associate,
    disassociate,
    make_label,
    make_records,
    unlabeled,
    words,
)
from tests.reference.product import ledger_disagreements

pytestmark = [
    needs_two_writers,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("many_or_few"),
]


def labels_without_association() -> int:
    own = unlabeled("contact", "deal").type
    pair = Association.objects.filter(type=own, source=OuterRef("source"), target=OuterRef("target"))
    return Association.objects.filter(~Exists(pair)).count()


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
    assert not ledger_disagreements()


def test_a_label_put_on_an_association_that_is_being_removed_is_not_put_on(
    pair: tuple[Record, Record], helper: DirectedType
) -> None:
    with meanwhile(partial(put_on, helper, *pair)) as other:
        disassociate(*pair)
    assert other.result() == 0
    assert words(*pair) == set()
    assert not ledger_disagreements()


def test_labels_of_one_object_type_go_along_whichever_way_they_lie() -> None:
    one, two = make_records("contact", 2)
    manager = make_label("contact", "contact", "Manager", "Report")
    associate(one, two)
    with meanwhile(partial(disassociate, one, two)) as other:
        associate(two, one, manager)
    assert other.result().associations == 1
    assert words(one, two) == set()
    assert not ledger_disagreements()


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
    assert not ledger_disagreements()


def test_of_two_that_remove_one_association_one_removes_and_tells_it(pair: tuple[Record, Record]) -> None:
    with meanwhile(partial(disassociate, *pair)) as other:
        assert disassociate(*pair).associations == 1
    assert other.result().associations == 0
    assert not ledger_disagreements()


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
