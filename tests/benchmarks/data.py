"""Contacts and companies as real ones are: a few companies with very many contacts and many with none, and the
company's name written now this way and now that. Written past the services: an import is not what is measured here."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from django.db import connection, transaction
from django.utils import timezone

from associations.comparison import name_key
from associations.models import ObjectType

# The share of the records that fall into the first n of m companies is (n / m) to this: the largest of 100,000 has 5 %.
SKEW = 1 / 3.84
NO_COMPANY = 0.09  # of the contacts: unknown, or one that is not there


def company_name(number: int) -> str:
    return f"Company {number} Holding"


def written(name: str, how: int) -> str:
    """A name as somebody typed it."""
    return (name, name.upper(), f" {name} ", name.replace(" ", "  "), name.lower())[how % 5]


def companies(count: int) -> Iterator[dict[str, str]]:
    for number in range(count):
        yield {"name": company_name(number), "domain": f"company{number}.example", "city": f"City {number % 500}"}


def contacts(count: int, company_count: int) -> Iterator[dict[str, str]]:
    dice = random.Random(1)
    for number in range(count):
        if dice.random() < NO_COMPANY:
            company = "Not There Ltd"
        else:
            company = written(company_name(int(dice.random() ** (1 / SKEW) * company_count)), dice.randrange(5))
        yield {
            "email": f"contact{number}@example.com",
            "firstname": f"First {number % 1000}",
            "lastname": f"Last {number}",
            "company": company,
            "city": f"City {number % 500}",
        }


def write(type_name: str, rows: Iterator[dict[str, str]]) -> None:
    """Write records in bulk: by COPY where there is one."""
    of_type = ObjectType.objects.get(name=type_name)
    now = timezone.now()
    names = ("object_type_id", "properties", "name_key", "created_at", "updated_at")
    values = ((of_type.pk, json.dumps(row), name_key(row[of_type.primary_property]), now, now) for row in rows)
    marks = ", ".join(["%s"] * len(names))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY associations_record ({', '.join(names)}) FROM STDIN") as copy:
                for each in values:
                    copy.write_row(each)
        else:
            with transaction.atomic():
                cursor.executemany(
                    f"INSERT INTO associations_record ({', '.join(names)}) VALUES ({marks})", list(values)
                )
