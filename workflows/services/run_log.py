"""The log of a run, a row per record and outcome: what was looked for, and with whom it was associated for it.

Read in id order, chunk by chunk: memory stays as it is, however many records a run had. Called by the admin.
"""

from __future__ import annotations

from collections.abc import Iterator

from associations.models import Record
from associations.services.formulas import shielded
from workflows import querysets
from workflows.models import ActionOutcome, Enrollment, Run

CHUNK = 1000
MOST_FOUND = 50_000
COLUMNS = ["record_id", "record", "enrollment", "action", "kind", "outcome", "value", "pairs", "found"]


def log_rows(run: Run, outcome: str | None = None) -> Iterator[list[str]]:
    """The header, and then the rows of every record, or of those with one outcome."""
    yield COLUMNS
    enrollments = Enrollment.objects.filter(batch__run=run)
    if outcome:
        enrollments = querysets.with_outcome(enrollments, outcome)
    enrollments = enrollments.select_related("record").order_by("id")
    last = 0
    while chunk := list(enrollments.filter(id__gt=last)[:CHUNK]):
        last = chunk[-1].pk
        outcomes, found = querysets.outcomes_of(chunk), querysets.found_for(chunk, most=MOST_FOUND)
        for each in chunk:
            each.record.object_type = run.workflow.object_type
            record = [str(each.record_id), shielded(str(each.record)), each.state]
            for told in outcomes[each.pk]:
                others = found.get((each.pk, told.action_run.position), []) if told.count else []
                yield [*record, *_told(told, others)]
            if not outcomes[each.pk]:
                yield record + [""] * (len(COLUMNS) - len(record))


def _told(outcome: ActionOutcome, others: list[Record]) -> list[str]:
    return [
        str(outcome.action_run.position + 1),
        outcome.action_run.kind,
        outcome.said,
        shielded(outcome.value or ""),
        str(outcome.count or ""),
        "; ".join(shielded(f"{other} ({other.pk})") for other in others),
    ]
