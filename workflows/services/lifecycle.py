"""Publish workflows, turn them on and off. Called by admin, API and commands.

What people edit (triggers, actions) becomes a revision, an unchangeable snapshot, when the workflow is turned on
and at every change while it is on; runs execute revisions only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from associations import sql as associations_sql
from associations.models import ChangeSet, ObjectType, Property
from associations.querysets import Surroundings
from associations.services import claims
from workflows import sql
from workflows.actions import ACTIONS, ActionKind
from workflows.actions.base import References
from workflows.criteria import Criteria
from workflows.flows.problems import UNSUPPORTED
from workflows.flows.writing import remaining_problems
from workflows.models import EnrollmentTrigger, Workflow, WorkflowReference, WorkflowRevision
from workflows.triggers import Triggers, read_triggers

from . import synced


@dataclass(frozen=True)
class Definition:
    """A workflow's definition, read: what the engine works with."""

    triggers: Triggers
    actions: tuple[tuple[ActionKind[Any], Any], ...]

    @property
    def criteria(self) -> Criteria:
        return self.triggers.criteria

    @property
    def references(self) -> list[References]:
        return [action.references(config) for action, config in self.actions]

    @property
    def properties(self) -> set[int]:
        """The ids of all properties that it refers to."""
        return self.triggers.properties | {prop.pk for each in self.references for prop in each.properties}


def definition_json(workflow: Workflow) -> dict[str, Any]:
    """The workflow as people have edited it, in the form that revisions keep."""
    groups: dict[str, dict[int, list[dict[str, Any]]]] = {purpose: {} for purpose in EnrollmentTrigger.Purpose}
    events = []
    for trigger in sorted(workflow.triggers.all(), key=lambda each: (each.group, each.pk)):
        if trigger.kind == EnrollmentTrigger.Kind.EVENT:
            events.append(trigger.fields)
        else:
            filters = groups[trigger.purpose].setdefault(trigger.group, [])
            filters.append({"kind": trigger.kind, **trigger.fields})
    definition: dict[str, Any] = {
        "should_re_enroll": workflow.should_re_enroll,
        "re_enrollment_properties": workflow.re_enrollment_properties,
        "unenroll": workflow.unenroll_when_not_met,
        "triggers": list(groups[EnrollmentTrigger.Purpose.ENROLL].values()),
        "suppression": list(groups[EnrollmentTrigger.Purpose.SUPPRESS].values()),
        "events": events,
        "schedule": workflow.schedule,
        "actions": [
            {"kind": action.kind, "fields": action.fields}
            for action in sorted(workflow.actions.all(), key=lambda each: (each.position, each.pk))
        ],
    }
    if problems := remaining_problems(workflow.flow, definition):
        definition["unsupported"] = problems
    return definition


def read_definition(definition: Mapping[str, Any], object_type: ObjectType) -> Definition:
    """The typed definition of a snapshot. Raises ValidationError that says which part is wrong."""
    around = Surroundings(object_type)
    if problems := definition.get("unsupported"):
        raise ValidationError([f"{each['in']}: {each['message']}" for each in problems])
    triggers = read_triggers(definition, object_type, around)
    actions = []
    for number, raw in enumerate(definition["actions"], 1):
        if raw["kind"] == UNSUPPORTED:
            fields = raw["fields"]
            raise ValidationError(f"Action {number}, {fields['title']}: {fields['reason']}")
        action = ACTIONS.get(raw["kind"])
        if action is None:
            raise ValidationError(f"Action {number}: there is no kind of action called {raw['kind']!r}.")
        try:
            actions.append((action, action.read(raw["fields"], object_type, around)))
        except ValidationError as error:
            raise ValidationError(f"Action {number} ({action.label}): {' '.join(error.messages)}") from error
    return Definition(triggers, tuple(actions))


def publish(workflow: Workflow, *, user_id: int | None = None) -> WorkflowRevision:
    """Make what was edited the revision that runs, if it differs from the one that does.

    Raises ValidationError where a trigger or action is incomplete. Keeps the references up to date.
    """
    with transaction.atomic():
        workflows = Workflow.objects.select_for_update(of=("self",), no_key=True).select_related("object_type")
        locked = workflows.get(pk=workflow.pk)
        json = definition_json(locked)
        definition = read_definition(json, locked.object_type)
        if not definition.actions:
            raise ValidationError("A workflow needs at least one action.")
        named = Property.objects.filter(pk__in=definition.properties).order_by("object_type_id")
        for object_type_id in named.values_list("object_type_id", flat=True).distinct():
            # Nobody forgets meanwhile what it is to match on, or removes an option that it names.
            associations_sql.lock_object_type(object_type_id, exclusive=False)
        definition = read_definition(json, locked.object_type)
        last = locked.revisions.order_by("-number").first()
        if is_new := last is None or last.definition != json:
            number = last.number + 1 if last else 1
            last = locked.revisions.create(number=number, definition=json, edits=locked.edits, created_by_id=user_id)
            claims.give_up(synced.name_claimants(last))
        schedule = definition.triggers.schedule
        next_run_at = schedule.next_after(timezone.now()) if schedule else None
        Workflow.objects.filter(pk=locked.pk).update(revision=last, next_run_at=next_run_at)
        _keep_references(locked, definition)
        if is_new and locked.is_enabled:
            if definition.triggers.association_type_ids:  # looks that were told that nobody asks for them end first
                sql.wait_for_open_change_sets()
            synced.bring_in_sync(locked, last, user_id=user_id)
    workflow.revision = last
    return last


def _keep_references(workflow: Workflow, definition: Definition) -> None:
    types = {directed.type.pk for each in definition.references for directed in each.association_types}
    types |= definition.triggers.association_type_ids
    workflow.references.all().delete()
    WorkflowReference.objects.bulk_create(
        [WorkflowReference(workflow=workflow, association_type_id=pk) for pk in sorted(types)]
        + [WorkflowReference(workflow=workflow, property_id=pk) for pk in sorted(definition.properties)]
    )


def edited(workflow: Workflow, *, user_id: int | None = None) -> None:
    """After an edit: a live workflow gets a new revision at once, so that what is shown is what runs.

    Raises ValidationError where a live workflow would become incomplete; the edit must be undone then.
    """
    count_edit(workflow)
    if workflow.is_enabled:
        publish(workflow, user_id=user_id)


def turn_on(workflow: Workflow, *, user_id: int | None = None) -> WorkflowRevision:
    """From now on records enroll. Whether those that meet the triggers already should be enrolled, too, is the
    caller's question: see enrollment.enroll_matching."""
    with transaction.atomic():
        sql.wait_for_open_change_sets()
        count_edit(workflow, is_enabled=False)
        revision = publish(workflow, user_id=user_id)
        last = ChangeSet.objects.aggregate(last=Max("id"))["last"]
        Workflow.objects.filter(pk=workflow.pk, is_enabled=False).update(is_enabled=True, since_change_set=last or 0)
        synced.bring_in_sync(workflow, revision, user_id=user_id)
    workflow.is_enabled = True
    return revision


def turn_off(workflow: Workflow) -> None:
    """Nobody enrolls any more; the actions still due for enrolled records are skipped as `workflow_off` [H]."""
    with transaction.atomic():
        count_edit(workflow, is_enabled=True)
        Workflow.objects.filter(pk=workflow.pk).update(is_enabled=False)
    workflow.is_enabled = False


def delete(workflow: Workflow) -> None:
    """Delete a workflow. One that ran leaves its runs and revisions, under another name and seen only from there: what
    it did to associations stays told. What it refers to may be deleted then."""
    with transaction.atomic():
        locked = Workflow.objects.select_for_update(of=("self",)).get(pk=workflow.pk)
        if locked.revision_id is None:
            locked.delete()
            return
        locked.references.all().delete()
        synced.give_up(locked)
        locked.name = f"{locked.name[:170]} (deleted, {locked.pk})"
        locked.is_enabled, locked.next_run_at, locked.deleted_at = False, None, timezone.now()
        locked.save(update_fields=["name", "is_enabled", "next_run_at", "deleted_at", "updated_at"])


def count_edit(workflow: Workflow, **only_if: Any) -> None:
    """One change more: whoever changes what they read before then is told."""
    Workflow.objects.filter(pk=workflow.pk, **only_if).update(edits=F("edits") + 1, updated_at=timezone.now())
