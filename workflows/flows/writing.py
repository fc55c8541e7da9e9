"""A workflow as HubSpot's flow.

A part of a flow that was sent once is given back as it was sent, as long as the workflow still says the same; whoever
changes that part here changes it there.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from associations.querysets import Surroundings
from workflows.models import Workflow

from .actions import next_action_id, write_actions
from .branches import branch, write_groups
from .enrollment import write_criteria
from .reading import CONTACT, CONTACT_FLOW, PARTS, PLATFORM_FLOW
from .schedules import write_enrollment_schedule

Json = dict[str, Any]


def listing(workflow: Workflow) -> Json:
    """What the list of flows says of one."""
    given = workflow.flow.get("given", {})
    written = {
        "id": str(workflow.pk),
        "isEnabled": workflow.is_enabled,
        "flowType": given.get("flowType") or "WORKFLOW",
        "name": workflow.name,
        "objectTypeId": workflow.object_type.type_id,
        "revisionId": str(workflow.edits),
        "createdAt": _iso(workflow.created_at),
        "updatedAt": _iso(workflow.updated_at),
    }
    return {**written, "uuid": given["uuid"]} if given.get("uuid") else written


def write_flow(workflow: Workflow, definition: Mapping[str, Any], around: Surroundings) -> Json:
    """The whole flow of a workflow whose definition is given. Queries only where a part must be written anew."""
    given: Json = workflow.flow.get("given", {})
    changed = changed_parts(workflow.flow, definition)
    is_contact = workflow.object_type.type_id == CONTACT
    always: Json = {
        "type": CONTACT_FLOW if is_contact else PLATFORM_FLOW,
        "actions": [],
        "blockedDates": [],
        "customProperties": {},
        "dataSources": [],
        "timeWindows": [],
        **({"canEnrollFromSalesforce": False, "suppressionListIds": []} if is_contact else {}),
    }
    flow: Json = {
        **always,
        **{name: value for name, value in given.items() if value is not None or name not in always},
        **listing(workflow),
        "crmObjectCreationStatus": "COMPLETE",
    }
    if workflow.description or "description" in given:
        flow["description"] = workflow.description
    for part in changed:
        flow.pop(part, None)
    flow |= _written(changed, definition, given, around)
    flow.setdefault("actions", [])
    flow["nextAvailableActionId"] = next_action_id(flow["actions"])
    return flow


def changed_parts(kept: Mapping[str, Any], definition: Mapping[str, Any]) -> list[str]:
    """The parts of a flow that no longer say what they said when they were sent; all of them, if nothing was sent."""
    meant = kept.get("meant", {})
    return [part for part, names in PARTS.items() if any(meant.get(n) != definition[n] for n in names)]


def remaining_problems(kept: Mapping[str, Any], definition: Mapping[str, Any]) -> list[Json]:
    """What settings of the flow that was sent cannot run here: {"in", "message"}; gone with the part they are in."""
    problems: list[Json] = kept.get("problems", [])
    changed = changed_parts(kept, definition) if problems else []
    return [each for each in problems if re.split(r"[.[]", each["in"])[0] not in changed]


def _written(changed: list[str], definition: Mapping[str, Any], given: Json, around: Surroundings) -> Json:
    flow: Json = {}
    if "enrollmentCriteria" in changed:
        flow["enrollmentCriteria"] = _whole(lambda: write_criteria(definition, around))
    if "suppressionFilterBranch" in changed and definition["suppression"]:
        flow["suppressionFilterBranch"] = _whole(lambda: write_groups(definition["suppression"], around))
    if "enrollmentSchedule" in changed and definition["schedule"]:
        flow["enrollmentSchedule"] = _whole(lambda: write_enrollment_schedule(definition["schedule"]))
    if "actions" in changed:
        flow |= write_actions(definition["actions"], given.get("actions"), given.get("startActionId"), around)
    return flow


def _whole(write: Any) -> Json:
    """A part that refers to something that is gone has no JSON of its own; it says so in its place."""
    try:
        written: Json = write()
    except ValidationError as error:
        return branch("UNREADABLE") | {"message": " ".join(error.messages)}
    return written


def _iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
