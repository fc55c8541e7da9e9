"""Edit workflows: settings, triggers and actions as one whole. Called by admin and API.

An edit is checked, and where the workflow is on it is what runs from then on; if either fails, ValidationError is
raised and nothing has changed. Parts that were imported and cannot run here (`unsupported`) are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction

from associations.errors import Refused
from associations.models import ObjectType
from workflows.flows.problems import UNSUPPORTED, what_can_run
from workflows.models import Action, EnrollmentTrigger, Workflow, WorkflowRevision

from . import lifecycle


class Stale(Refused):
    """A workflow that was changed since its editor read it."""

    def __init__(self, workflow: Workflow, edits: int) -> None:
        super().__init__(
            f"{workflow} was changed meanwhile: it is at revisionId {workflow.edits}, and this change was made from"
            f" {edits}. Read it anew, and make the change once more."
        )


def create_workflow(
    *, name: str, object_type: ObjectType, description: str = "", should_re_enroll: bool = False
) -> Workflow:
    """A workflow without triggers and actions, off. Raises ValidationError by field."""
    workflow = Workflow(name=name, object_type=object_type, description=description, should_re_enroll=should_re_enroll)
    workflow.full_clean()
    workflow.save()
    return workflow


def save_workflow(
    workflow: Workflow,
    definition: Mapping[str, Any],
    *,
    name: str,
    description: str,
    edits: int | None = None,
    user_id: int | None = None,
) -> None:
    """Make the workflow what `definition` says, in the form that revisions keep (see lifecycle.definition_json).

    `edits` is the workflow's when the edit began: Stale is raised if somebody else was faster. Raises ValidationError
    for what cannot be, by field or saying which part."""
    with transaction.atomic():
        if edits is not None:
            lock(workflow, edits)
        actions = [each for each in definition["actions"] if each["kind"] != UNSUPPORTED]
        lifecycle.read_definition(
            {**what_can_run(definition), "actions": actions, "unsupported": []}, workflow.object_type
        )
        replace_workflow(workflow, definition, name=name, description=description, user_id=user_id)


def lock(workflow: Workflow, edits: int) -> Workflow:
    """The workflow, held until the transaction ends, if nobody has changed it since `edits`. Raises Stale."""
    locked = Workflow.objects.select_for_update(of=("self",)).select_related("object_type").get(pk=workflow.pk)
    if locked.edits != edits:
        raise Stale(locked, edits)
    return locked


def replace_workflow(
    workflow: Workflow,
    definition: Mapping[str, Any],
    *,
    name: str,
    description: str,
    flow: Mapping[str, Any] | None = None,
    user_id: int | None = None,
) -> None:
    """Put all of a workflow anew: its triggers, settings and actions are those of a definition (as revisions keep it,
    `unsupported` parts included), and `flow` is what they came from. Raises ValidationError by field."""
    with transaction.atomic():
        workflows = Workflow.objects.select_for_update(of=("self",), no_key=True).select_related("object_type")
        locked = workflows.get(pk=workflow.pk)
        locked.name, locked.description = name, description
        if flow is not None:
            locked.flow = dict(flow)
        locked.should_re_enroll = definition["should_re_enroll"]
        locked.re_enrollment_properties = definition["re_enrollment_properties"]
        locked.unenroll_when_not_met = definition["unenroll"]
        locked.schedule = definition["schedule"]
        locked.full_clean()
        locked.save()
        locked.triggers.all().delete()
        EnrollmentTrigger.objects.bulk_create(_triggers(locked, definition))
        locked.actions.all().delete()
        Action.objects.bulk_create(
            [
                Action(workflow=locked, position=position, kind=each["kind"], fields=each["fields"])
                for position, each in enumerate(definition["actions"])
            ]
        )
        lifecycle.edited(locked, user_id=user_id)


def _triggers(workflow: Workflow, definition: Mapping[str, Any]) -> Iterator[EnrollmentTrigger]:
    purposes = EnrollmentTrigger.Purpose
    for purpose, groups in ((purposes.ENROLL, "triggers"), (purposes.SUPPRESS, "suppression")):
        for number, group in enumerate(definition[groups], 1):
            for raw in group:
                fields = {name: value for name, value in raw.items() if name != "kind"}
                yield EnrollmentTrigger(
                    workflow=workflow, purpose=purpose, group=number, kind=raw.get("kind", "property"), fields=fields
                )
    for event in definition["events"]:
        yield EnrollmentTrigger(workflow=workflow, kind=EnrollmentTrigger.Kind.EVENT, fields=event)


def duplicate_workflow(workflow: Workflow, *, user_id: int | None = None) -> Workflow:
    """A workflow that is the same but for its name; it is off, whatever the first one is."""
    with transaction.atomic():
        name = _free_name(workflow.name)
        copy = create_workflow(name=name, object_type=workflow.object_type)
        definition = lifecycle.definition_json(workflow)
        description = workflow.description
        replace_workflow(copy, definition, name=name, description=description, flow=workflow.flow, user_id=user_id)
    return copy


def _free_name(name: str) -> str:
    longest = Workflow._meta.get_field("name").max_length or 0
    start = f"Copy of {name}"
    taken = set(Workflow.objects.filter(name__startswith=start[: longest - 10]).values_list("name", flat=True))
    number, free = 1, start[:longest]
    while free in taken:
        number += 1
        free = f"{start[: longest - 10]} ({number})"
    return free


def restore_revision(revision: WorkflowRevision, *, user_id: int | None = None) -> None:
    """Make the workflow what it was in this revision; where it is on, that runs from then on, as a new revision.

    Raises ValidationError where a part cannot be read any more, because its label or property is gone.
    """
    workflow = revision.workflow
    save_workflow(workflow, revision.definition, name=workflow.name, description=workflow.description, user_id=user_id)
