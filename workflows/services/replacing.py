"""Replace a label by another one everywhere, and delete it: in workflows, on associations. A bulk job.

Workflows come first, in one transaction, so that none puts the old label on again behind the job. What cannot be
(a workflow that would then replace a label by itself) refuses the whole job before anything has changed.
Called by the admin's page of a label that is in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from associations.errors import Refused
from associations.models import Association, AssociationType
from associations.querysets import association_types
from associations.services import labels, relabeling
from associations.services.bulk import BulkKind
from workflows.actions import ACTIONS
from workflows.models import Action, EnrollmentTrigger, Run, Workflow, WorkflowReference

from . import lifecycle

Ids = Mapping[str, str]


class ReplaceLabel(BulkKind):
    """Its fields: `old` and `new`, ids of association types."""

    permission = "associations.manage_labels"

    def count(self) -> int:
        return Association.objects.filter(type=self.job.fields["old"]).count()

    def do(self) -> int | None:
        old, new = self._types()
        if "workflows" not in self.job.fields:
            relabeling.check_replacement(old, new)
            workflows = list(mentioning(old))
            if workflows and not self.job.started_by.has_perm("workflows.change_workflow"):  # type: ignore[union-attr]
                raise PermissionDenied("Workflows use the label, and to change them takes workflows.change_workflow.")
            replace_in_workflows(old, new, user_id=self.job.started_by_id)
            self.job.fields["workflows"] = [workflow.name for workflow in workflows]
            return 0
        last, replaced = relabeling.relabel_after(old, new, self.job.position, origin=self.origin())
        if last == self.job.position:
            return None
        self.job.position = last
        return replaced

    def finish(self) -> str:
        old, new = self._types()
        told = f"{new} is now on {self.job.done:,} more associations"
        if names := self.job.fields["workflows"]:
            told += f" and in {', '.join(names)}"
        if Association.objects.filter(type=old).exists():
            return f"{told}. Where a limit allows no more of it, {old} stays, and so the label was not deleted."
        if any(mentions(run.revision.definition, ids_of(old)) for run in _unfinished_runs()):
            return f"{told}. {old} was not deleted: runs that have begun with it are not finished."
        labels.delete_label(old)
        return f"{told}. {old} is deleted."

    def _types(self) -> tuple[AssociationType, AssociationType]:
        found = association_types().in_bulk([self.job.fields["old"], self.job.fields["new"]])
        if len(found) < 2:
            raise Refused("One of the two labels is no longer there.")
        return found[self.job.fields["old"]], found[self.job.fields["new"]]


def _unfinished_runs() -> Iterator[Run]:
    return Run.objects.filter(finished_at=None).select_related("revision").iterator()


# Where a label is mentioned -----------------------------------------------------------------------


def ids_of(type_: AssociationType) -> frozenset[str]:
    return frozenset({str(type_.id), str(type_.inverse_id)})


def mentioning(type_: AssociationType) -> Iterator[Workflow]:
    """The workflows, on, off or never on, whose triggers or actions name a label."""
    ids = ids_of(type_)
    for workflow in Workflow.objects.select_related("object_type").order_by("name"):
        if mentions(lifecycle.definition_json(workflow), ids):
            yield workflow


def mentions(definition: Mapping[str, Any], ids: frozenset[str]) -> bool:
    return bool(places(definition, ids))


def places(definition: Mapping[str, Any], ids: frozenset[str]) -> list[str]:
    """Where a definition names a label, in words: its triggers, its suppression, its actions by number."""
    found = []
    groups = {"triggers": "its enrollment triggers", "suppression": "what it keeps out"}
    for key, words in groups.items():
        filters = [each for group in definition.get(key, []) for each in group]
        if any(str(each.get("type_id")) in ids for each in filters):
            found.append(words)
    if any(str(each.get("type_id")) in ids for each in definition.get("events", [])):
        found.append("the events that start it")
    for number, raw in enumerate(definition["actions"], 1):
        if not ids.isdisjoint(_named_by(raw["kind"], raw["fields"])):
            found.append(f"action {number}")
    return found


def _named_by(kind: str, fields: Mapping[str, Any]) -> set[str]:
    """The ids of the labels that an action's fields name."""
    named: set[str] = set()
    for name in ACTIONS[kind].form.label_fields if kind in ACTIONS else ():
        given = fields.get(name) or []
        named |= {str(each) for each in (given if isinstance(given, list) else [given])}
    return named


# Replacing it there -------------------------------------------------------------------------------


def replace_in_workflows(old: AssociationType, new: AssociationType, *, user_id: int | None) -> None:
    """Name the new label where the old one was named; live workflows run so from now on.

    Raises ValidationError, with nothing changed, where a workflow would no longer make sense.
    """
    ids = {str(old.id): str(new.id), str(old.inverse_id): str(new.inverse_id)}
    with transaction.atomic():
        for workflow in mentioning(old):
            try:
                for action in _replace_in_rows(workflow, ids):
                    ACTIONS[action.kind].read(action.fields, workflow.object_type)
                lifecycle.edited(workflow, user_id=user_id)
            except ValidationError as error:
                raise ValidationError(f"In the workflow “{workflow}”: {' '.join(error.messages)}") from error
        _replace_references(old, new)


def _replace_in_rows(workflow: Workflow, ids: Ids) -> list[Action]:
    """The actions that were changed."""
    triggers = [each for each in workflow.triggers.all() if str(each.fields.get("type_id")) in ids]
    for trigger in triggers:
        trigger.fields["type_id"] = int(ids[str(trigger.fields["type_id"])])
    EnrollmentTrigger.objects.bulk_update(triggers, ["fields"])
    actions = [each for each in workflow.actions.all() if not ids.keys().isdisjoint(_named_by(each.kind, each.fields))]
    for action in actions:
        for name in ACTIONS[action.kind].form.label_fields:
            if given := action.fields.get(name):
                action.fields[name] = _replaced(given, ids)
    Action.objects.bulk_update(actions, ["fields"])
    return actions


def _replaced(given: Any, ids: Ids) -> Any:
    if isinstance(given, list):
        return list(dict.fromkeys(_replaced(each, ids) for each in given))
    return ids.get(str(given), given)


def _replace_references(old: AssociationType, new: AssociationType) -> None:
    """Of workflows that are off: what ran last named the old label, and is not run again."""
    workflow_ids = set(WorkflowReference.objects.filter(association_type=old).values_list("workflow", flat=True))
    WorkflowReference.objects.filter(association_type=old).delete()
    WorkflowReference.objects.bulk_create(
        WorkflowReference(workflow_id=workflow_id, association_type=new) for workflow_id in sorted(workflow_ids)
    )
