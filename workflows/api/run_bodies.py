"""What answers about runs look like."""

from __future__ import annotations

from crmproject.api.reading import Model

from .bodies import ForwardPaging

# Runs -------------------------------------------------------------------------------------------


class RunProgress(Model):
    batches: int
    done: int
    failed: int
    percent: int


class OutcomeSum(Model):
    """For how many records, and how many pairs (0 where the outcome is about the record itself)."""

    outcome: str
    records: int
    pairs: int


class ActionOutcomes(Model):
    action: int
    kind: str
    outcomes: list[OutcomeSum]


class Run(Model):
    id: str
    flow_id: str
    revision_id: str
    revision_number: int
    cause: str
    state: str
    note: str
    depth: int
    started_by_user_id: str | None
    created_at: str
    finished_at: str | None
    progress: RunProgress
    outcomes: list[OutcomeSum]


class RunDetail(Run):
    actions: list[ActionOutcomes]
    errors: list[str]


class CollectionResponseRuns(Model):
    results: list[Run]
    paging: ForwardPaging | None = None


class RuledOut(Model):
    """Who said last, of a record under review, that none of those that match is meant."""

    by: str
    at: str


class RecordOutcome(Model):
    """What an action did for a record, or why nothing; `value` is what it looked for."""

    action: int
    kind: str
    outcome: str
    pairs: int
    value: str | None
    ruled_out: RuledOut | None


class RecordLog(Model):
    enrollment_id: str
    record_id: str
    state: str
    enrolled_at: str
    ended_at: str | None
    outcomes: list[RecordOutcome]


class CollectionResponseRecordLog(Model):
    results: list[RecordLog]
    paging: ForwardPaging | None = None


class Retried(Model):
    batches: int
