"""Rehearse a run: do all of it as it would be done, let the caller read what came of it, and take it back.

A rehearsal is the run itself: the same enrollment, the same batches in the same order, the same actions. It works on
a definition that need not be published, and ends in a rollback, whatever happens: no change set, bell, counter or
outcome of it is ever seen by anybody. Called by services.preview and services.trial.

A few records are rehearsed on the tables themselves, which takes a moment. Whoever rehearses many puts shadows before
the tables first (see associations.sql.shadows): others are not held up, and what one batch did is there for the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Max

from associations import querysets, sql
from associations.models import AssociationType, ChangeSet
from associations.services import match_keys
from workflows.models import (
    ActionOutcome,
    ActionRun,
    Batch,
    Enrollment,
    Run,
    Workflow,
    WorkflowRevision,
)
from workflows.sql import enroll_ids

from . import events, execution
from .enrollment import admitted
from .lifecycle import Definition, read_definition
from .sampling import Keys, matchings, missing_keys
from .synced import name_claimants

# What a run writes, besides associations; of it nothing that is there is asked for.
WRITTEN: tuple[type[models.Model], ...] = (
    ChangeSet,
    Run,
    Batch,
    ActionRun,
    ActionOutcome,
)
Progress = Callable[[int, int], None]


def read_complete(definition: Mapping[str, Any], workflow: Workflow) -> Definition:
    """The typed definition. Raises ValidationError for what could not be turned on."""
    read = read_definition(definition, workflow.object_type)
    if not read.actions:
        raise ValidationError("A workflow needs at least one action.")
    return read


def whom(definition: Mapping[str, Any]) -> list[Any]:
    """The groups of filters that a run over all records enrolls by; where there are none, it is everybody."""
    return list(definition["triggers"]) or [[]]


@contextmanager
def rehearsed_records(
    workflow: Workflow,
    definition: Mapping[str, Any],
    ids: Collection[int],
    *,
    whatever: bool = False,
    keys: Keys | None = None,
) -> Iterator[Run]:
    """A run over some records, as one batch: those of them that meet the triggers and may be enrolled, or all of them
    `whatever` they meet. To be read within the block. For so few that holding others up for that long does no harm.

    `keys` are those that it matches by, where they are not all built; read here unless the caller has done so.
    """
    read = read_complete(definition, workflow)
    if keys is None:
        keys = missing_keys(matchings(read, ids) or [], ids)
    with sql.holding_nobody_up(), _rolled_back():
        if keys:
            match_keys.pretend(keys)
        run = _start(workflow, definition)
        ids = sorted(ids) or [0]
        batch = Batch.objects.create(run=run, first_record_id=ids[0], last_record_id=ids[-1])
        if whatever:
            Enrollment.objects.filter(workflow=workflow, record__in=sql.these(ids)).delete()
            records = querysets.live_records(workflow.object_type, ids)
        else:
            records = admitted(workflow, run.revision, ids)
            if definition["triggers"]:
                records = records.filter(read.criteria.q())
        chosen = list(records.order_by("id").values_list("id", flat=True))
        enroll_ids(batch, chosen, again=whatever or definition["should_re_enroll"])
        _work_off(run, read, [batch.pk])
        yield run


@contextmanager
def rehearsed_all(workflow: Workflow, definition: Mapping[str, Any], progress: Progress) -> Iterator[Run]:
    """A run over all records, in batches like any other, behind shadows. To be read within the block.

    `progress` is told how many steps of how many are done.
    """
    read = read_complete(definition, workflow)
    for references in read.references:  # really, and before: built behind a shadow they would be built in vain
        for prop, comparison in references.match_indexes:
            match_keys.ensure_match_index(prop, comparison)
    with sql.holding_nobody_up(), sql.only_reading(), _rolled_back():
        sql.stand_before_associations(_types_touched(read))
        for model in WRITTEN:
            sql.stand_before(model)
        sql.stand_before(Workflow, "id = %s", [workflow.pk])
        sql.stand_before(WorkflowRevision, "workflow_id = %s", [workflow.pk])  # who claims is handed down from them
        sql.stand_before(Enrollment, "workflow_id = %s", [workflow.pk])
        run = _start(workflow, definition, criteria=whom(definition))
        ids = querysets.live_records(workflow.object_type).order_by("id").values_list("id", flat=True)
        made = Batch.objects.bulk_create(
            Batch(run=run, first_record_id=first, last_record_id=last) for first, last in match_keys.id_ranges(ids)
        )
        _work_off(run, read, [batch.pk for batch in made], progress)
        yield run


@contextmanager
def _rolled_back() -> Iterator[None]:
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def _start(workflow: Workflow, definition: Mapping[str, Any], criteria: list[Any] | None = None) -> Run:
    last = WorkflowRevision.objects.filter(workflow=workflow).aggregate(number=Max("number"))["number"] or 0
    revision = WorkflowRevision.objects.create(workflow=workflow, number=last + 1, definition=definition)
    name_claimants(revision)
    Workflow.objects.filter(pk=workflow.pk).update(is_enabled=True, revision=revision)
    return Run.objects.create(workflow=workflow, revision=revision, criteria=criteria, state=Run.State.RUNNING)


def _types_touched(read: Definition) -> list[int]:
    """All types of the pairs of object types that the actions are about: a label brings Primary with it, say."""
    pairs = {
        (directed.type.from_object_type_id, directed.type.to_object_type_id)
        for references in read.references
        for directed in references.association_types
    }
    types = AssociationType.objects.values_list("pk", "from_object_type", "to_object_type")
    return sorted(pk for pk, *pair in types if tuple(pair) in pairs)


def _work_off(run: Run, read: Definition, batch_ids: list[int], progress: Progress | None = None) -> None:
    """As the queue would: an action for all batches, then the next one. What the outbox would do between two actions,
    taking out records that ceased to match, is done, too."""
    steps = len(read.actions) * len(batch_ids)
    for position in range(len(read.actions)):
        for number, batch_id in enumerate(batch_ids, 1):
            execution.run_action(batch_id, position)
            if progress:
                progress(position * len(batch_ids) + number, steps)
        if read.triggers.by_what_happens:
            events.unenroll(run.workflow, read.triggers)
