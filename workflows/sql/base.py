"""What several statements on enrolled records need."""

from __future__ import annotations

from django.db.models import QuerySet

from associations import sql
from associations.models import MatchIndex, Record
from workflows.models import Batch, Enrollment

# A SELECT of record_id, and its parameters.
Enrolled = sql.Statement
# Between which ids the enrolled records lie, so that an index need only be read from the one to the other.
Bounds = tuple[int, int]


def taking_part(batch: Batch) -> Enrolled:
    """The records that the actions of a batch are for: until its last action is done, finished ones are so ahead of it
    (enrollment by batch)."""
    states = Enrollment.State.ACTIVE, Enrollment.State.FINISHED
    return "SELECT record_id FROM workflows_enrollment WHERE batch_id = %s AND state IN (%s, %s)", [batch.pk, *states]


def those_among(enrolled: Enrolled, records: QuerySet[Record]) -> Enrolled:
    """Those of the enrolled records that are among some."""
    some, params = sql.compiled(records.order_by().values("id"))
    return f"SELECT record_id FROM ({enrolled[0]}) AS enrolled WHERE record_id IN ({some})", [*enrolled[1], *params]


def value_of(record: str, index: MatchIndex) -> tuple[str, list[str]]:
    """A subselect for the value that a record matches by, and its parameters (record pkey)."""
    value, name = sql.json_text("r.properties", index.property.name)
    return f"(SELECT {value} FROM associations_record r WHERE r.id = {record})", name
