"""What `migrate` says about a database that would do its work more slowly than it could."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.db import connection

from tests.plans import on_postgresql

pytestmark = pytest.mark.django_db


def complaints() -> list[str | None]:
    return [each.id for each in run_checks(databases=["default"]) if (each.id or "").startswith("crmproject")]


def test_a_database_as_we_connect_to_it_gives_no_complaint() -> None:
    assert complaints() == []


@on_postgresql
def test_one_that_compiles_statements_behind_a_pooler_is_complained_about() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit TO on")
    assert complaints() == ["crmproject.W001"]
