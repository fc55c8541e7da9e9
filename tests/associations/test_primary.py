"""Primary: a record has at most one primary company, and from its first company on it has one."""

from __future__ import annotations

import pytest

from associations.errors import LimitReached
from associations.models import ChangeSet, Record
from associations.services import archiving
from associations.services.linking import LinkCounts
from tests.factories import (
    ORIGIN,
    associate,
    associate_pairs,
    associated,
    disassociate,
    make_label,
    make_records,
    object_type,
    primary,
    remove_label,
    words,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["contact", "deal", "ticket"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def record(name: str) -> Record:
    return make_records(name, 1)[0]


@pytest.fixture
def companies() -> list[Record]:
    return make_records("company", 3)


def primary_of(record: Record) -> set[int]:
    return associated(record, primary(record.object_type.name, "company"))


def test_the_first_company_becomes_the_primary_one(record: Record, companies: list[Record]) -> None:
    associate(record, companies[1])
    associate(record, companies[0])
    assert primary_of(record) == {companies[1].pk}
    assert words(companies[1], record) == {"unlabeled", "Primary"}
    assert words(companies[0], record) == {"unlabeled"}


def test_also_when_it_is_associated_from_the_company(record: Record, companies: list[Record]) -> None:
    associate(companies[0], record)
    assert primary_of(record) == {companies[0].pk}


def test_of_several_first_companies_the_one_with_the_lowest_id(record: Record, companies: list[Record]) -> None:
    associate_pairs([(record, company) for company in reversed(companies)])
    assert primary_of(record) == {companies[0].pk}


def test_each_record_of_a_set_gets_its_own(name: str, companies: list[Record]) -> None:
    one, two, three = make_records(name, 3)
    associate(two, companies[2])
    associate_pairs([(each, company) for each in (one, two, three) for company in companies[:2]])
    assert [primary_of(each) for each in (one, two, three)] == [
        {companies[0].pk},
        {companies[2].pk},
        {companies[0].pk},
    ]


def test_a_company_is_primary_for_many(name: str, companies: list[Record]) -> None:
    records = make_records(name, 3)
    associate_pairs([(companies[0], each) for each in records])
    assert associated(companies[0], primary("company", name)) == {each.pk for each in records}


def test_the_first_company_is_primary_beside_the_label_it_was_given(record: Record, companies: list[Record]) -> None:
    label = make_label(record.object_type.name, "company", "Supplier")
    assert associate(record, companies[0], label) == LinkCounts(1, 1)
    assert words(record, companies[0]) == {"unlabeled", "Supplier", "Primary"}


def test_setting_another_as_primary_takes_it_from_the_old_one_in_one_change(
    record: Record, companies: list[Record]
) -> None:
    associate(record, companies[0])
    associate(record, companies[1])
    assert associate(record, companies[1], primary(record.object_type.name, "company")) == LinkCounts(0, 1)
    assert primary_of(record) == {companies[1].pk}
    assert words(record, companies[0]) == {"unlabeled"}
    last = ChangeSet.objects.latest("id")
    assert set(last.association_changes.values_list("target_id", "added")) == {
        (companies[0].pk, False),
        (companies[1].pk, True),
    }


def test_setting_it_from_the_company_does_the_same(record: Record, companies: list[Record]) -> None:
    associate(record, companies[0])
    associate(companies[2], record, primary("company", record.object_type.name))
    assert primary_of(record) == {companies[2].pk}
    assert words(record, companies[0]) == words(companies[0], record) == {"unlabeled"}


def test_a_new_company_may_come_as_the_primary_one(record: Record, companies: list[Record]) -> None:
    label = make_label(record.object_type.name, "company", "Supplier")
    associate(record, companies[0])
    made = associate(record, companies[1], label, primary(record.object_type.name, "company"))
    assert made == LinkCounts(1, 2)
    assert primary_of(record) == {companies[1].pk}


def test_the_first_company_may_be_named_primary_beside_another_label(record: Record, companies: list[Record]) -> None:
    label = make_label(record.object_type.name, "company", "Supplier")
    assert associate(record, companies[0], label, primary(record.object_type.name, "company")) == LinkCounts(1, 2)
    assert primary_of(record) == {companies[0].pk}


def test_setting_what_is_primary_already_changes_nothing(record: Record, companies: list[Record]) -> None:
    associate(record, companies[0])
    assert associate(record, companies[0], primary(record.object_type.name, "company")) == LinkCounts()
    assert primary_of(record) == {companies[0].pk}


def test_two_primaries_for_one_record_in_one_request_are_refused(record: Record, companies: list[Record]) -> None:
    pairs = [(record, company) for company in companies[:2]]
    with pytest.raises(LimitReached, match="a record has one primary company") as refusal:
        associate_pairs(pairs, primary(record.object_type.name, "company"))
    assert refusal.value.pairs == [(record.pk, companies[1].pk)]
    assert not primary_of(record)
    assert not words(record, companies[0])


def test_primary_can_be_taken_off_and_the_next_company_does_not_get_it(record: Record, companies: list[Record]) -> None:
    """Only the first company becomes primary on its own."""
    associate(record, companies[0])
    remove_label(record, companies[0], primary(record.object_type.name, "company"))
    associate(record, companies[1])
    assert primary_of(record) == set()
    assert words(record, companies[0]) == {"unlabeled"}


def test_after_the_last_company_is_gone_the_next_one_is_the_first_again(
    record: Record, companies: list[Record]
) -> None:
    associate(record, companies[0])
    disassociate(companies[0], record)
    associate(record, companies[1])
    assert primary_of(record) == {companies[1].pk}


def test_an_archived_company_is_still_the_first_one(record: Record, companies: list[Record]) -> None:
    associate(record, companies[0])
    archiving.archive_records(object_type("company"), [companies[0].pk], origin=ORIGIN)
    associate(record, companies[1])
    assert primary_of(record) == {companies[0].pk}


def test_companies_have_no_primary_company_among_themselves(companies: list[Record]) -> None:
    associate(companies[0], companies[1])
    assert words(companies[0], companies[1]) == {"unlabeled"}
