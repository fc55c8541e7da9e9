"""What answers about runs, and about the history of a pair, look like."""

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


class RecordOutcome(Model):
    """What an action did for a record, or why nothing; `value` is what it looked for."""

    action: int
    kind: str
    outcome: str
    pairs: int
    value: str | None


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


# The history of a pair --------------------------------------------------------------------------


class WorkflowMaker(Model):
    flow_id: str
    run_id: str
    revision_id: str
    action: int


class PairChange(Model):
    """An association, or a label on it, came or went. The values are the two that matched."""

    at: str | None
    added: bool
    what: str
    association_type_id: int | None
    category: str | None
    label: str | None
    by: str
    workflow: WorkflowMaker | None
    value: str | None
    other_value: str | None


class PairHistory(Model):
    """`results` is all that came and went, the newest first; `current` is what is there now."""

    results: list[PairChange]
    current: list[PairChange]
