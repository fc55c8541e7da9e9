"""What a change of many associations reads: the rows that it is about, and not all that a company has."""

from __future__ import annotations

import pytest
from django.db import connection

from associations.api.records import associations_of
from associations.models import Association, Record
from associations.services import linking
from associations.services.searching import Filter, Search
from tests.factories import ORIGIN, associate_pairs, make_label, make_records, object_type, unlabeled
from tests.plans import rows_fetched, times_read_whole

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite does not count what it reads"),
]


def read_by(index: str) -> int:
    """How many entries of an index this connection has read, as far as it has not told the server yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_get_xact_tuples_returned(%s::regclass)", [index])
        return int(cursor.fetchone()[0])


def test_a_label_of_a_pair_is_looked_for_by_the_pair_and_by_nothing_else() -> None:
    """For a label that is new to the planner the index by target may seem cheaper than the key: from some 50,000 rows
    on, and here, where there is no key. By it the whole company is read for each pair."""
    contacts, companies = make_records("contact", 400), make_records("company", 8)
    old, new = make_label("contact", "company", "Old"), make_label("contact", "company", "New")
    pairs = [(contact, companies[number % 8]) for number, contact in enumerate(contacts)]
    associate_pairs(pairs, old)
    ids = [(contact.pk, company.pk) for contact, company in pairs]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE associations_association")
        cursor.execute("ALTER TABLE associations_association DROP CONSTRAINT associations_association_pkey")
    before = read_by("association_by_target")
    linking.associate(unlabeled("contact", "company"), ids, origin=ORIGIN, labels=[new])
    linking.remove_labels([old], ids, origin=ORIGIN)
    assert read_by("association_by_target") == before
    assert Association.objects.filter(type=new.type).count() == 400
    assert not Association.objects.filter(type=old.type).exists()


def test_whether_a_record_is_associated_already_is_looked_up_by_it_and_not_by_reading_what_comes() -> None:
    """In a table that the planner knows: there the first row of many seems near, wherever one begins to read."""
    [contact], [company] = make_records("contact", 1), make_records("company", 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO associations_association (source_id, type_id, target_id, change_set_id)"
            " SELECT 1000000000 + number, 279, 2000000000, (SELECT max(id) FROM associations_changeset)"
            " FROM generate_series(1, 20000) AS number"
        )
        cursor.execute("ANALYZE associations_association")
    before = times_read_whole("associations_association")
    linking.associate(unlabeled("contact", "company"), [(contact.pk, company.pk)], origin=ORIGIN)
    assert times_read_whole("associations_association") == before


@pytest.fixture
def companies() -> list[Record]:
    """Each with ten contacts, which the planner knows."""
    made = make_records("company", 200)
    for company in made:
        associate_pairs([(contact, company) for contact in make_records("contact", 10)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return made


def test_who_is_associated_with_a_record_is_searched_from_it(companies: list[Record]) -> None:
    wanted = [Filter("associations.company", "EQ", str(companies[7].pk))]
    others = {"associations.company": object_type("company")}
    before = rows_fetched()
    count, found = Search(object_type("contact"), [wanted], others=others).page(0, 5)
    read = rows_fetched() - before
    assert (count, len(found)) == (10, 5)
    assert read["associations_association"] < 100
    assert read["associations_record"] < 100


def test_a_record_is_read_with_its_associations_and_with_no_others(companies: list[Record]) -> None:
    before = rows_fetched()
    found = associations_of(companies[7:9], object_type("company"), [object_type("contact")])
    read = rows_fetched() - before
    assert [len({id_ for id_, _ in each["contacts"]}) for each in found.values()] == [10, 10]
    assert read["associations_association"] < 100
