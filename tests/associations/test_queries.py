"""Sets, not rows: a service asks the database as often for 60 records or pairs as for 3."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import MatchIndex
from associations.services import archiving, linking, match_keys, merging
from associations.services.records import RecordInput
from associations.types import DirectedType
from tests.factories import (
    ORIGIN,
    CompanyValues,
    ContactValues,
    associate_pairs,
    limit,
    make_label,
    make_records,
    object_type,
    primary,
    save,
    unlabeled,
)

pytestmark = pytest.mark.django_db

Prepared = Callable[[], object]


def create(count: int) -> Prepared:
    values = ContactValues.build_batch(count, city="Rome")
    return lambda: save("contact", values)


def update(count: int) -> Prepared:
    ids = [record.pk for record in make_records("contact", count)]
    values = ContactValues.build_batch(count)
    inputs = [RecordInput(each, id=id_) for id_, each in zip(ids, values, strict=True)]
    return lambda: save("contact", inputs)


def upsert(count: int) -> Prepared:
    values = ContactValues.build_batch(count)
    save("contact", values)
    inputs = [{**each, "city": "Rome"} for each in values] + ContactValues.build_batch(count)
    return lambda: save("contact", inputs, upsert_by="email")


def archive(count: int) -> Prepared:
    ids = [record.pk for record in make_records("contact", count)]
    return lambda: archiving.archive_records(object_type("contact"), ids, origin=ORIGIN)


def restore(count: int) -> Prepared:
    ids = [record.pk for record in make_records("contact", count)]
    archiving.archive_records(object_type("contact"), ids, origin=ORIGIN)
    return lambda: archiving.restore_records(object_type("contact"), ids, origin=ORIGIN)


def delete(count: int) -> Prepared:
    contacts, [company] = make_records("contact", count), make_records("company", 1)
    associate_pairs([(contact, company) for contact in contacts])
    ids = [contact.pk for contact in contacts]
    return lambda: archiving.delete_records(object_type("contact"), ids, origin=ORIGIN)


def merge(count: int) -> Prepared:
    survivor, merged, *friends = make_records("contact", count + 2)
    associate_pairs([(merged, friend) for friend in friends])
    return lambda: merging.merge_records(object_type("contact"), survivor.pk, merged.pk, origin=ORIGIN)


def pairs_with_company(count: int) -> list[tuple[int, int]]:
    contacts, [company] = make_records("contact", count), make_records("company", 1)
    return [(contact.pk, company.pk) for contact in contacts]


def associate(*given_labels: Callable[[], DirectedType]) -> Callable[[int], Prepared]:
    def prepare(count: int) -> Prepared:
        pairs, put = pairs_with_company(count), [make() for make in given_labels]
        return lambda: linking.associate(unlabeled("contact", "company"), pairs, origin=ORIGIN, labels=put)

    return prepare


def limited() -> DirectedType:
    limit(unlabeled("contact", "company"), to=2, inverse=500)
    return limit(make_label("contact", "company", f"Limited {next(_numbers)}"), to=1, inverse=400)


def plain() -> DirectedType:
    return make_label("contact", "company", f"Plain {next(_numbers)}")


def company_primary() -> DirectedType:
    return primary("contact", "company")


_numbers = itertools.count()


def associate_contacts(count: int) -> Prepared:
    contacts = make_records("contact", count + 1)
    pairs = [(one.pk, other.pk) for one, other in itertools.pairwise(contacts)]
    manager = make_label("contact", "contact", f"Manager {next(_numbers)}", f"Report {next(_numbers)}")
    return lambda: linking.associate(unlabeled("contact", "contact"), pairs, origin=ORIGIN, labels=[manager])


def remove_labels(count: int) -> Prepared:
    pairs, label = pairs_with_company(count), plain()
    linking.associate(unlabeled("contact", "company"), pairs, origin=ORIGIN, labels=[label])
    return lambda: linking.remove_labels([label], pairs, origin=ORIGIN)


def disassociate(count: int) -> Prepared:
    pairs = pairs_with_company(count)
    linking.associate(unlabeled("contact", "company"), pairs, origin=ORIGIN, labels=[plain()])
    return lambda: linking.disassociate(unlabeled("contact", "company"), pairs, origin=ORIGIN)


def rebuild(count: int) -> Prepared:
    save("company", CompanyValues.build_batch(count, city="Rome"))
    city = object_type("company").properties.get(name="city")
    match_keys.ensure_match_index(city, "normalized")
    index = MatchIndex.objects.select_related("property").get(property=city)
    return lambda: match_keys.rebuild(index)


SERVICES: dict[str, Callable[[int], Prepared]] = {
    "create": create,
    "update": update,
    "upsert": upsert,
    "archive": archive,
    "restore": restore,
    "delete": delete,
    "merge": merge,
    "associate": associate(),
    "associate with a label": associate(plain),
    "associate with several labels and primary": associate(plain, company_primary, plain),
    "associate within limits": associate(limited),
    "associate within one object type": associate_contacts,
    "remove labels": remove_labels,
    "disassociate": disassociate,
    "rebuild match keys": rebuild,
}


def count_queries(service: str, size: int) -> tuple[int, list[str]]:
    work = SERVICES[service](size)
    with CaptureQueriesContext(connection) as queries:
        work()
    statements = [query["sql"] for query in queries.captured_queries]
    return len(statements), statements


@pytest.mark.parametrize("service", SERVICES)
def test_the_number_of_queries_does_not_grow_with_the_set(service: str) -> None:
    city = object_type("contact").properties.get(name="city")
    match_keys.ensure_match_index(city, "normalized")
    few, small = count_queries(service, 3)
    many, large = count_queries(service, 60)
    assert few == many, "\n".join(each[:150] for each in large if each[:40] not in {one[:40] for one in small})
