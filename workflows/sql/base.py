"""What several statements on enrolled records need."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from associations import sql
from associations.models import MatchIndex
from workflows.models import Enrollment

Enrolled = QuerySet[Enrollment]
# Between which ids the enrolled records lie, so that an index need only be read from the one to the other.
Bounds = tuple[int, int]


def select_ids(enrolled: Enrolled) -> tuple[str, list[Any]]:
    select, params = sql.compiled(enrolled.order_by().values("record_id"))
    return select, list(params)


def value_of(record: str, index: MatchIndex) -> tuple[str, list[str]]:
    """A subselect for the value that a record matches by, and its parameters (record pkey)."""
    value, name = sql.json_text("r.properties", index.property.name)
    return f"(SELECT {value} FROM associations_record r WHERE r.id = {record})", name
