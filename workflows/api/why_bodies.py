"""What answers look like that say why records are associated, or are not."""

from __future__ import annotations

from crmproject.api.reading import Model

from .run_bodies import RuledOut


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


class ValuesToday(Model):
    """How the values that an action matches on compare today."""

    value: str
    other_value: str
    matches: bool


class LastOutcome(Model):
    """What an action said of the enrolled record when it last ran; `value` is what it looked for."""

    record_id: str
    workflow: WorkflowMaker
    sentence: str
    outcome: str
    pairs: int
    value: str | None
    ruled_out: RuledOut | None
    today: ValuesToday | None


class LastOutcomes(Model):
    results: list[LastOutcome]


class NeverEnrolled(Model):
    flow_id: str
    name: str


class PairHistory(Model):
    """`results` is all that came and went, the newest first; `current` is what is there now. `outcomes` is what actions
    about the other's object type said last, of either record; `neverEnrolled` are live flows that would associate such
    records, and in which the one to enroll never was."""

    results: list[PairChange]
    current: list[PairChange]
    outcomes: list[LastOutcome]
    never_enrolled: list[NeverEnrolled]
