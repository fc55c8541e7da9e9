"""What tests of workflows start with: a workflow in a few words, its work done here and now, and what came of it.

A step is written as a person would choose it; records and labels come from tests.factories.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from associations.models import Association, AssociationChange, ObjectType, Record, RecordEvent
from associations.types import DirectedType
from tests.factories import change, make_property, make_record, object_type
from workflows import jobs
from workflows.criteria import read_criteria
from workflows.models import Action, ActionOutcome, ActionRun, Batch, EnrollmentTrigger, Run, Workflow
from workflows.services import enrollment, events, lifecycle

Step = tuple[str, dict[str, Any]]
Filter = Mapping[str, Any]
_numbers = itertools.count(1)

# Steps ------------------------------------------------------------------------------------------


def create(other: str, own: str, theirs: str, *, label: DirectedType | None = None, **more: Any) -> Step:
    fields = {"to_object_type": object_type(other).type_id, "enrolled_property": own, "associated_property": theirs}
    if label:
        fields["label"] = str(label.type_id)
    return "create_associations", {**fields, **more}


def apply(label: DirectedType, apply_to: str = "all", **more: Any) -> Step:
    fields = {"to_object_type": label.other_type.type_id, "label": str(label.type_id), "apply_to": apply_to}
    return "apply_label", {**fields, **more}


def update(existing: DirectedType, new: DirectedType, mode: str = "append") -> Step:
    fields = {
        "to_object_type": existing.other_type.type_id,
        "existing_label": str(existing.type_id),
        "new_label": str(new.type_id),
        "mode": mode,
    }
    return "update_labels", fields


def remove(*labels: DirectedType, associations: bool = False) -> Step:
    fields = {
        "to_object_type": labels[0].other_type.type_id,
        "labels": [str(label.type_id) for label in labels],
        "remove_associations": associations,
    }
    return "remove_labels", fields


# Workflows --------------------------------------------------------------------------------------


def is_(prop: str, *values: Any, operator: str = "is_any_of", **more: Any) -> Filter:
    """A filter on a property of the record."""
    return {"kind": "property", "property": prop, "operator": operator, "values": list(values), **more}


def make_workflow(
    type_name: str | ObjectType,
    *steps: Step,
    triggers: Sequence[Sequence[Filter]] = (),
    should_re_enroll: bool = False,
    on: bool = True,
) -> Workflow:
    of_type = object_type(type_name) if isinstance(type_name, str) else type_name
    workflow = Workflow.objects.create(
        name=f"Workflow {next(_numbers)}", object_type=of_type, should_re_enroll=should_re_enroll
    )
    set_triggers(workflow, triggers)
    set_steps(workflow, *steps)
    if on:
        lifecycle.turn_on(workflow)
    return workflow


def set_triggers(workflow: Workflow, triggers: Sequence[Sequence[Filter]]) -> None:
    workflow.triggers.all().delete()
    for group, filters in enumerate(triggers, 1):
        for each in filters:
            fields = {name: value for name, value in each.items() if name != "kind"}
            EnrollmentTrigger.objects.create(workflow=workflow, group=group, kind=each["kind"], fields=fields)


def set_steps(workflow: Workflow, *steps: Step) -> None:
    workflow.actions.all().delete()
    for position, (kind, fields) in enumerate(steps):
        Action.objects.create(workflow=workflow, position=position, kind=kind, fields=fields)


def meets(type_: str, field_type: str, value: Any, operator: str, values: list[Any], **more: Any) -> bool:
    """Whether a record with this value meets the filter: as it is now, and as it was before a change."""
    options = [{"value": each, "label": each} for each in ("a", "b", "c")] if type_ == "enumeration" else []
    make_property("contact", "it", type=type_, field_type=field_type, options=options)
    record = make_record("contact", it=value)
    change(record, firstname="changed")
    raw = {"kind": "property", "property": "it", "operator": operator, "values": values, **more}
    criteria = read_criteria([[raw]], object_type("contact"))
    now = Record.objects.filter(criteria.q(), pk=record.pk).exists()
    events = RecordEvent.objects.filter(record=record, kind=RecordEvent.Kind.CHANGED)
    before = events.filter(criteria.q(record="record_id", column="before")).exists()
    assert now is before
    return now


# Working off ------------------------------------------------------------------------------------


def process_all(*, at_once: bool = False) -> None:
    """Look at all that happened; `at_once` as a worker does it."""
    while events.process_events(at_once=at_once):
        pass


def work_off() -> None:
    """Do what waits, as workers would, one job after the other, without a queue."""
    while True:
        for run in Run.objects.filter(state=Run.State.WAITING).order_by("id"):
            jobs.prepare_run(run.pk)
        waiting = list(Batch.objects.filter(state=Batch.State.WAITING).order_by("id"))
        if not waiting:
            return
        for batch in waiting:
            jobs.run_action(batch.pk, batch.position)


def enroll(workflow: Workflow, records: Iterable[Record]) -> Run:
    """Enroll these records by hand and work the run off."""
    run = enrollment.enroll_records(workflow, [record.pk for record in records])
    work_off()
    run.refresh_from_db()
    return run


def enroll_all(workflow: Workflow, criteria: Sequence[Sequence[Filter]] | None = ((),)) -> Run:
    """Enroll who meets the criteria (everybody; with None: the triggers) and work the run off."""
    run = enrollment.enroll_matching(workflow, None if criteria is None else [list(group) for group in criteria])
    work_off()
    run.refresh_from_db()
    return run


def do(step: Step, records: Sequence[Record]) -> Run:
    """Do one step for these records, by a workflow of its own."""
    run = enroll(make_workflow(records[0].object_type, step), records)
    assert run.state == Run.State.FINISHED, [batch.error for batch in run.batches.all()]
    return run


# What came of it --------------------------------------------------------------------------------


def outcomes(run: Run, record: Record, position: int = 0) -> dict[str, int]:
    """What the action at a position did for a record: how many pairs by outcome."""
    rows = ActionOutcome.objects.filter(action_run__batch__run=run, action_run__position=position, record=record)
    return dict(rows.values_list("outcome", "count"))


def looked_for(run: Run, record: Record, position: int = 0) -> set[str | None]:
    """The values that the log says were looked for."""
    rows = ActionOutcome.objects.filter(action_run__batch__run=run, action_run__position=position, record=record)
    return set(rows.values_list("value", flat=True))


def sums(run: Run, position: int = 0) -> dict[str, dict[str, int]]:
    """The sums that the action runs of a run keep, over all its batches."""
    total: dict[str, dict[str, int]] = {}
    for kept in ActionRun.objects.filter(batch__run=run, position=position).values_list("outcomes", flat=True):
        for outcome, counts in kept.items():
            of_outcome = total.setdefault(outcome, {"records": 0, "pairs": 0})
            for name, count in counts.items():
                of_outcome[name] += count
    return total


def everything() -> tuple[set[tuple[int, int, int]], int]:
    """Every association row there is, and how many rows the ledger has."""
    rows = set(Association.objects.values_list("source_id", "type_id", "target_id"))
    return rows, AssociationChange.objects.count()
