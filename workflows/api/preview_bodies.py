"""What previews, tests and coverage look like in the automation API, beyond HubSpot but in its style."""

from __future__ import annotations

from typing import Literal

from crmproject.api.reading import Id, Model


class Named(Model):
    id: str
    name: str


class PairChange(Model):
    """`label` is empty for the association itself."""

    added: bool
    label: str
    other: Named
    other_value: str | None


class Row(Model):
    record: Named
    outcome: str
    pairs: int
    value: str | None
    changes: list[PairChange]


class OutcomeFigure(Model):
    outcome: str
    records: int
    pairs: int


class ChangeFigure(Model):
    label: str
    added: int
    removed: int


class PreviewedAction(Model):
    kind: str
    outcomes: list[OutcomeFigure]
    changes: list[ChangeFigure]
    rows: list[Row]


class Finding(Model):
    where: str
    text: str


class Preview(Model):
    """The figures are of `lookedAt` records out of `of`: of a sample where these differ."""

    state: Literal["ESTIMATE", "WAITING", "EXACT", "FAILED"]
    percent: int
    note: str
    looked_at: int
    of: int
    enrolled: int
    actions: list[PreviewedAction]
    warnings: list[Finding]


class Warnings(Model):
    results: list[Finding]


class TestRequest(Model):
    id: Id


class Verdict(Model):
    filter: str
    met: bool
    value: str


class TestedAction(Model):
    sentence: str
    rows: list[Row]


class TestResult(Model):
    record: Named
    meets: bool
    is_kept_out: bool
    note: str
    groups: list[list[Verdict]]
    suppression: list[list[Verdict]]
    actions: list[TestedAction]


class CoveredAction(Model):
    """How many records of each kind; null where the values were never read and there are too many to do it at once."""

    position: int
    enrolled: dict[str, int] | None
    associated: dict[str, int] | None


class CoverageResult(Model):
    results: list[CoveredAction]
