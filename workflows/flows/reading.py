"""A flow of HubSpot's as a draft of a workflow: what of it is ours, and what is only kept.

Nothing is lost: the flow itself goes with the draft, so that what nobody changes here is given back as it was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from associations.models import ObjectType
from associations.querysets import Surroundings

from .actions import read_actions
from .branches import read_groups
from .enrollment import read_criteria
from .problems import InvalidFlow, Problem, a_flag, a_list, a_text, an_object, invalid
from .schedules import read_enrollment_schedule

Json = dict[str, Any]
CONTACT, CONTACT_FLOW, PLATFORM_FLOW = "0-1", "CONTACT_FLOW", "PLATFORM_FLOW"
FLOW_TYPES = ("WORKFLOW", "ACTION_SET", "UNKNOWN")
# Members that this server writes; what a client sends of them is not kept.
READ_ONLY = (
    "id",
    "revisionId",
    "createdAt",
    "updatedAt",
    "crmObjectCreationStatus",
    "nextAvailableActionId",
    "enrollExistingRecords",
    "cannotRun",
)
# Settings that say when or with whom a flow runs, and that this product has not. Empty they say nothing.
_UNKNOWN_SETTINGS = {
    "timeWindows": "This product cannot restrict its actions to times of the day.",
    "blockedDates": "This product cannot pause its actions on certain dates.",
    "goalFilterBranch": "This product has no goals of workflows.",
    "eventAnchor": "This product cannot start actions around a date.",
    "suppressionListIds": "This product has no lists; use suppressionFilterBranch.",
}
# What a definition says of each part of a flow.
PARTS = {
    "enrollmentCriteria": ("triggers", "events", "should_re_enroll", "re_enrollment_properties", "unenroll"),
    "suppressionFilterBranch": ("suppression",),
    "enrollmentSchedule": ("schedule",),
    "actions": ("actions",),
}


@dataclass(frozen=True)
class Draft:
    """A flow, read. `definition` has the form that revisions keep; `flow` is what Workflow.flow keeps."""

    name: str
    description: str
    is_enabled: bool
    enroll_existing: bool
    definition: Json
    flow: Json


def read_flow(raw: Any, object_type: ObjectType, around: Surroundings | None = None, *, lenient: bool = False) -> Draft:
    """The draft of a flow whose records are of this type. Raises InvalidFlow, with the place of what is wrong."""
    around = around or Surroundings(object_type)
    flow = an_object(raw, "")
    _check_type(flow, object_type)
    _check_members(flow)
    criteria, problems = read_criteria(flow.get("enrollmentCriteria"), "enrollmentCriteria", around)
    definition = {
        **criteria,
        "suppression": read_groups(flow.get("suppressionFilterBranch"), "suppressionFilterBranch", around),
        "schedule": read_enrollment_schedule(flow.get("enrollmentSchedule"), "enrollmentSchedule"),
        "actions": read_actions(flow.get("actions"), flow.get("startActionId"), around, lenient=lenient),
    }
    problems += _unknown_settings(flow)
    return Draft(
        name=_text(flow, "name"),
        description=_text(flow, "description"),
        is_enabled=a_flag(flow.get("isEnabled"), "isEnabled"),
        enroll_existing=a_flag(flow.get("enrollExistingRecords"), "enrollExistingRecords"),
        definition=definition,
        flow={
            "given": {name: value for name, value in flow.items() if name not in READ_ONLY},
            "meant": definition,
            "problems": [{"in": each.place, "message": each.reason} for each in problems],
        },
    )


def object_type_id(raw: Any) -> str:
    """Which records a new flow is about. Raises InvalidFlow."""
    flow = an_object(raw, "")
    if flow.get("objectTypeId") is None and flow.get("type") == CONTACT_FLOW:
        return CONTACT
    return a_text(flow.get("objectTypeId"), "objectTypeId")


def _check_type(flow: Mapping[str, Any], object_type: ObjectType) -> None:
    kind = flow.get("type")
    if kind not in (CONTACT_FLOW, PLATFORM_FLOW):
        raise invalid("type", f"should be {CONTACT_FLOW} (only for {CONTACT}) or {PLATFORM_FLOW}.")
    if kind == CONTACT_FLOW and object_type.type_id != CONTACT:
        raise invalid("type", f"is {PLATFORM_FLOW} for {object_type.type_id}; {CONTACT_FLOW} is for {CONTACT} only.")
    given = flow.get("objectTypeId")
    if given is not None and given != object_type.type_id:
        raise invalid("objectTypeId", f"is {object_type.type_id} and cannot be changed.")


def _text(flow: Mapping[str, Any], name: str) -> str:
    text = flow.get(name)
    if text is not None and not isinstance(text, str):
        raise invalid(name, "should be text.")
    return text or ""


def _unknown_settings(flow: Mapping[str, Any]) -> list[Problem]:
    found = [Problem(name, reason) for name, reason in _UNKNOWN_SETTINGS.items() if flow.get(name)]
    if (kind := _text(flow, "flowType") or FLOW_TYPES[0]) != FLOW_TYPES[0]:
        found.append(Problem("flowType", f"This product runs workflows, not {kind:.40}."))
    return found


def _check_members(flow: Mapping[str, Any]) -> None:
    """What is only kept has the form that HubSpot gives it, so that who reads it can rely on it."""
    if (kind := _text(flow, "flowType")) and kind not in FLOW_TYPES:
        raise invalid("flowType", f"should be one of {', '.join(FLOW_TYPES)}, not {kind:.40}.")
    _text(flow, "uuid")
    if not isinstance(flow.get("startActionId"), str | int | None):
        raise invalid("startActionId", "should be the id of an action.")
    a_flag(flow.get("canEnrollFromSalesforce"), "canEnrollFromSalesforce")
    for name in ("timeWindows", "blockedDates", "suppressionListIds", "dataSources"):
        a_list(flow.get(name), name)
    for name in ("customProperties", "goalFilterBranch", "eventAnchor", "unEnrollmentSetting"):
        if flow.get(name) is not None:
            an_object(flow[name], name)


__all__ = ["Draft", "InvalidFlow", "object_type_id", "read_flow"]
