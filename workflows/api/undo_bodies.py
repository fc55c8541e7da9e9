"""What requests and answers about undo and review look like."""

from __future__ import annotations

from typing import Literal

from crmproject.api.reading import Model

from .bodies import ForwardPaging


class UndoCounts(Model):
    """How many rows go and come back, and how many pairs are left alone, by reason."""

    associations_removed: int
    labels_removed: int
    associations_restored: int
    labels_restored: int
    left: dict[str, int]


class UndoPreview(Model):
    """An ESTIMATE is of the first `seen` of `parts`; WAITING is counted by workers, `seen` so far. `exact` is that the
    state is EXACT."""

    counts: UndoCounts
    state: Literal["ESTIMATE", "WAITING", "EXACT", "FAILED"]
    exact: bool
    seen: int
    parts: int
    counted_at: str | None


class LeftPair(Model):
    """Two records that were left alone; `by` is who is in the way, where somebody is."""

    record_ids: list[str]
    reason: str
    by: str | None


class Undo(Model):
    id: str
    run_id: str
    kind: str
    state: str
    created_at: str
    finished_at: str | None
    parts: int
    done: int
    counts: UndoCounts
    left: list[LeftPair]


class UndoList(Model):
    results: list[Undo]


class Question(Model):
    """Which of the candidates belongs to the record? `count` is how many match."""

    action_run_id: str
    record_id: str
    flow_id: str
    run_id: str
    value: str | None
    candidate_ids: list[str]
    count: int


class CollectionResponseQuestions(Model):
    results: list[Question]
    paging: ForwardPaging | None = None


class Pick(Model):
    id: str


class NoneOf(Model):
    """The candidates of which none is meant."""

    candidate_ids: list[str]
