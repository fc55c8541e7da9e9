"""Edit workflows, their triggers and actions. Called by admin and API.

Each edit is whole: it is checked, and where the workflow is on it is what runs from then on; if either fails,
ValidationError is raised and nothing has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from associations.errors import Refused
from associations.models import ObjectType
from workflows.actions import ACTIONS
from workflows.flows.problems import what_can_run
from workflows.models import Action, EnrollmentTrigger, Workflow
from workflows.triggers import read_triggers

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


def change_workflow(
    workflow: Workflow,
    *,
    name: str,
    description: str,
    should_re_enroll: bool,
    triggers: Iterable[EnrollmentTrigger],
    user_id: int | None = None,
) -> None:
    """Change the settings and the filters that enroll; `triggers` replace those there are. Raises ValidationError by
    field."""
    with _edited(workflow, user_id) as (locked, _):
        locked.name, locked.description, locked.should_re_enroll = name, description, should_re_enroll
        locked.full_clean()
        locked.save(update_fields=["name", "description", "should_re_enroll", "updated_at"])
        _replace(enrolling_filters(locked.triggers.all()), list(triggers), locked)
        read_triggers(what_can_run(lifecycle.definition_json(locked)), locked.object_type)


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
    flow: Mapping[str, Any],
    user_id: int | None = None,
) -> None:
    """Put all of a workflow anew: its triggers, settings and actions are those of a definition (as revisions keep it,
    `unsupported` parts included), and `flow` is what they came from. Raises ValidationError by field."""
    with _edited(workflow, user_id) as (locked, actions):
        locked.name, locked.description, locked.flow = name, description, dict(flow)
        locked.should_re_enroll = definition["should_re_enroll"]
        locked.re_enrollment_properties = definition["re_enrollment_properties"]
        locked.unenroll_when_not_met = definition["unenroll"]
        locked.schedule = definition["schedule"]
        locked.full_clean()
        locked.save()
        locked.triggers.all().delete()
        EnrollmentTrigger.objects.bulk_create(_triggers(locked, definition))
        locked.actions.all().delete()
        actions[:] = [
            Action(workflow=locked, kind=each["kind"], fields=each["fields"]) for each in definition["actions"]
        ]


def _triggers(workflow: Workflow, definition: Mapping[str, Any]) -> Iterator[EnrollmentTrigger]:
    purposes = EnrollmentTrigger.Purpose
    for purpose, groups in ((purposes.ENROLL, "triggers"), (purposes.SUPPRESS, "suppression")):
        for number, group in enumerate(definition[groups], 1):
            for raw in group:
                fields = {name: value for name, value in raw.items() if name != "kind"}
                yield EnrollmentTrigger(
                    workflow=workflow, purpose=purpose, group=number, kind=raw["kind"], fields=fields
                )
    for event in definition["events"]:
        yield EnrollmentTrigger(workflow=workflow, kind=EnrollmentTrigger.Kind.EVENT, fields=event)


def _replace(there: QuerySet[EnrollmentTrigger], wanted: list[EnrollmentTrigger], workflow: Workflow) -> None:
    """Rows that stay keep their ids: whoever has the page open elsewhere can still save it."""
    staying = set(there.values_list("pk", flat=True)).intersection(each.pk for each in wanted)
    there.exclude(pk__in=staying).delete()
    for each in wanted:
        each.workflow = workflow
        each.pk = each.pk if each.pk in staying else None
    EnrollmentTrigger.objects.bulk_update([each for each in wanted if each.pk], ["group", "kind", "fields"])
    EnrollmentTrigger.objects.bulk_create([each for each in wanted if not each.pk])


def enrolling_filters(triggers: QuerySet[EnrollmentTrigger]) -> QuerySet[EnrollmentTrigger]:
    """Of some triggers the filters that enroll: no events, and none that keep records out."""
    return triggers.filter(purpose=EnrollmentTrigger.Purpose.ENROLL).exclude(kind=EnrollmentTrigger.Kind.EVENT)


def add_action(workflow: Workflow, kind: str, fields: Mapping[str, Any], *, user_id: int | None = None) -> Action:
    """Add an action as the last one. Raises ValidationError by field."""
    ACTIONS[kind].read(fields, workflow.object_type)
    with _edited(workflow, user_id) as (_, actions):
        actions.append(Action(workflow=workflow, kind=kind, fields=dict(fields)))
    return actions[-1]


def change_action(
    workflow: Workflow, action_id: int, fields: Mapping[str, Any], *, user_id: int | None = None
) -> Action:
    """Give an action new fields. Raises ValidationError by field."""
    with _edited(workflow, user_id) as (_, actions):
        action = actions[_place(actions, action_id)]
        ACTIONS[action.kind].read(fields, workflow.object_type)
        action.fields = dict(fields)
    return action


def move_action(workflow: Workflow, action_id: int, by: int, *, user_id: int | None = None) -> None:
    """Move an action so many places later, or earlier if negative; it stays within the list."""
    with _edited(workflow, user_id) as (_, actions):
        place = _place(actions, action_id)
        actions.insert(max(place + by, 0), actions.pop(place))


def remove_action(workflow: Workflow, action_id: int, *, user_id: int | None = None) -> None:
    with _edited(workflow, user_id) as (_, actions):
        actions.pop(_place(actions, action_id)).delete()


@contextmanager
def _edited(workflow: Workflow, user_id: int | None) -> Iterator[tuple[Workflow, list[Action]]]:
    """The workflow, locked, and its actions in their order; as the caller leaves the list it is kept and published."""
    with transaction.atomic():
        workflows = Workflow.objects.select_for_update(of=("self",), no_key=True).select_related("object_type")
        locked = workflows.get(pk=workflow.pk)
        actions = list(locked.actions.order_by("position", "id"))
        yield locked, actions
        for position, action in enumerate(actions):
            action.position = position
        Action.objects.bulk_update([each for each in actions if each.pk], ["position", "fields"])
        Action.objects.bulk_create([each for each in actions if not each.pk])
        lifecycle.edited(locked, user_id=user_id)


def _place(actions: list[Action], action_id: int) -> int:
    for place, action in enumerate(actions):
        if action.pk == action_id:
            return place
    raise Refused("This action is no longer there; somebody removed it.")
