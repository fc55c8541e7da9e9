"""Workflows by HubSpot's flow JSON: made, replaced, told. Called by API and commands.

A flow is kept whole, whatever it contains, while it is off; turned on is only what this product can do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, prefetch_related_objects

from associations.errors import Refused
from associations.models import ObjectType
from associations.querysets import Surroundings
from workflows.flows import Draft, InvalidFlow, Problem, read_flow, write_flow
from workflows.flows.problems import a_number, an_object, invalid
from workflows.flows.reading import object_type_id
from workflows.models import Run, Workflow
from workflows.sentences import describe

from . import editing, enrollment, lifecycle


class NameTaken(Refused):
    """Another workflow has the name already."""


def create_flow(raw: Any, *, user_id: int | None = None, lenient: bool = False) -> Workflow:
    """A new workflow, on if the flow says so. Existing records enroll only with `enrollExistingRecords`.

    Raises InvalidFlow with the place of what is wrong; nothing is saved then. With `lenient`, what refers to something
    that is not here is kept and not refused, as in a flow that comes from another account.
    """
    type_id = object_type_id(raw)
    object_type = ObjectType.objects.filter(type_id=type_id).first()
    if object_type is None:
        known = ", ".join(ObjectType.objects.values_list("type_id", flat=True))
        raise invalid("objectTypeId", f"there is no object type {type_id:.40}; there are {known}.")
    around = Surroundings(object_type)
    draft = read_flow(raw, object_type, around, lenient=lenient)
    if draft.is_enabled:
        _check_runnable({**draft.definition, "unsupported": draft.flow["problems"]}, around)
    name = draft.name or _free_name()
    with transaction.atomic(), _places():
        _refuse_taken(name)
        workflow = Workflow(name=name, object_type=object_type, edits=0)
        workflow.full_clean()
        workflow.save()
        _put(workflow, draft, name, user_id)
    return workflow


def replace_flow(workflow: Workflow, raw: Any, *, user_id: int | None = None, lenient: bool = False) -> Workflow:
    """Put a flow in the place of what the workflow was. The flow names the revisionId that it was made from.

    Raises Stale where the workflow was changed since, InvalidFlow with the place of what is wrong."""
    flow = dict(an_object(raw, ""))
    if "actions" not in flow:
        raise invalid("actions", "is missing: the whole flow is replaced, so say all of it; [] for no action.")
    if flow.get("revisionId") in (None, ""):
        raise invalid("revisionId", f"is missing: say which one you changed; now it is {workflow.edits}.")
    for name in ("flowType", "dataSources", "uuid"):  # HubSpot's PUT leaves them out
        if name in (kept := workflow.flow.get("given", {})):
            flow.setdefault(name, kept[name])
    flow.setdefault("isEnabled", workflow.is_enabled)
    around = Surroundings(workflow.object_type)
    draft = read_flow(flow, workflow.object_type, around, lenient=lenient)
    name = draft.name or workflow.name
    with transaction.atomic(), _places():
        locked = editing.lock(workflow, a_number(flow["revisionId"], "revisionId"))
        if draft.is_enabled:
            _check_runnable({**draft.definition, "unsupported": draft.flow["problems"]}, around)
        elif locked.is_enabled:
            lifecycle.turn_off(locked)
        _refuse_taken(name, but=locked)
        _put(locked, draft, name, user_id)
    return locked


def switch_flow(workflow: Workflow, *, on: bool, enroll_existing: bool = False, user_id: int | None = None) -> Workflow:
    """Turn a workflow on, with or without the records that meet its triggers now, or off. Raises InvalidFlow."""
    with transaction.atomic(), _places():
        if on:
            _check_runnable(lifecycle.definition_json(workflow), Surroundings(workflow.object_type))
            _turn_on(workflow, enroll_existing, user_id)
        elif workflow.is_enabled:
            lifecycle.turn_off(workflow)
        workflow.refresh_from_db()
    return workflow


def _put(workflow: Workflow, draft: Draft, name: str, user_id: int | None) -> None:
    editing.replace_workflow(
        workflow, draft.definition, name=name, description=draft.description, flow=draft.flow, user_id=user_id
    )
    if draft.is_enabled:
        _turn_on(workflow, draft.enroll_existing, user_id)
    workflow.refresh_from_db()


def _turn_on(workflow: Workflow, enroll_existing: bool, user_id: int | None) -> None:
    revision = lifecycle.turn_on(workflow, user_id=user_id)
    if enroll_existing and revision.definition["triggers"]:
        enrollment.enroll_matching(workflow, cause=Run.Cause.TURNED_ON, user_id=user_id)


@contextmanager
def _places() -> Iterator[None]:
    """What the editing of workflows refuses by its fields is told by the flow's members."""
    try:
        yield
    except ValidationError as error:
        by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        raise InvalidFlow(
            [Problem(field, message) for field, messages in by_field.items() for message in messages]
        ) from error


def _refuse_taken(name: str, but: Workflow | None = None) -> None:
    taken = Workflow.objects.filter(name=name).first()
    if taken and taken != but:
        raise NameTaken(f"A workflow called {name:.200} exists already: {taken.pk}. Choose another name.")


def _free_name() -> str:
    """For a flow without a name."""
    number = (Workflow.with_deleted.aggregate(last=Max("pk"))["last"] or 0) + 1
    return f"Unnamed workflow {number}"


# Telling ----------------------------------------------------------------------------------------


def flows_of(workflows: Iterable[Workflow]) -> list[dict[str, Any]]:
    """The whole flow of each workflow, with what keeps it from being turned on; a number of queries that does not grow
    with the workflows."""
    found = list(workflows)
    prefetch_related_objects(found, "triggers", "actions", "object_type")
    around: dict[int, Surroundings] = {}
    flows = []
    for workflow in found:
        of_type = around.setdefault(workflow.object_type_id, Surroundings(workflow.object_type))
        definition = lifecycle.definition_json(workflow)
        flow = write_flow(workflow, definition, of_type)
        if not workflow.is_enabled and (problems := why_not(definition, of_type)):
            flow["cannotRun"] = [{"in": each.place, "message": each.reason} for each in problems]
        flows.append(flow)
    return flows


def why_not(definition: Mapping[str, Any], around: Surroundings) -> list[Problem]:
    """What of a definition cannot run, in the order of the flow."""
    described = describe({**definition, "unsupported": []}, around)
    problems = [Problem(each["in"], each["message"]) for each in definition.get("unsupported", [])]
    for name, groups in (("enrollmentCriteria", described.groups), ("suppressionFilterBranch", described.suppression)):
        for number, group in enumerate(groups, 1):
            problems += [Problem(f"{name}, group {number}", each.text) for each in group if each.is_broken]
    problems += [Problem("enrollmentCriteria", each.text) for each in described.starts if each.is_broken]
    for number, action in enumerate(described.actions, 1):
        if action.is_broken:
            problems.append(Problem(f"actions[{number - 1}]", f"Action {number}, {action.title}: {action.text}"))
    return problems


def _check_runnable(definition: Mapping[str, Any], around: Surroundings) -> None:
    problems = why_not(definition, around)
    if not definition["actions"]:
        problems.append(Problem("actions", "A workflow needs at least one action."))
    if problems:
        raise InvalidFlow(problems)
