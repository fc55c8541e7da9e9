"""Flows as HubSpot's API has them, put together in a few words."""

from __future__ import annotations

from typing import Any

from associations.types import DirectedType
from tests.factories import object_type
from workflows.flows import read_flow
from workflows.triggers import read_triggers

Json = dict[str, Any]


def flow(*actions: Json, type_id: str = "0-1", name: str = "A flow", **more: Any) -> Json:
    """A flow whose actions follow each other as they are given."""
    linked = [link(action, number, len(actions)) for number, action in enumerate(actions, 1)]
    start = {"startActionId": "1"} if actions else {}
    return {
        "type": "CONTACT_FLOW" if type_id == "0-1" else "PLATFORM_FLOW",
        "objectTypeId": type_id,
        "flowType": "WORKFLOW",
        "name": name,
        "isEnabled": False,
        "actions": linked,
        **start,
        **more,
    }


def link(action: Json, number: int, last: int) -> Json:
    action = {"actionId": str(number), **action}
    if number < last:
        action["connection"] = {"edgeType": "STANDARD", "nextActionId": str(number + 1)}
    return action


def action(type_id: str, version: int = 0, **fields: Any) -> Json:
    return {"type": "SINGLE_CONNECTION", "actionTypeId": type_id, "actionTypeVersion": version, "fields": fields}


EMAIL = action("0-4", content_id="12345")
DELAY = action("0-1", delta="5", time_unit="DAYS")


def create(own: str = "company", theirs: str = "name", **more: Any) -> Json:
    fields = {
        "fromObjectType": "0-1",
        "toObjectType": "0-2",
        "createAssociationOnly": "false" if "labelToApply" in more else "true",
        "matchBy": "fromAndToObjects",
        "enrolledObjectPropertyNameToMatch": f"0-1/{own}",
        "associatedObjectPropertyNameToMatch": f"0-2/{theirs}",
        **more,
    }
    return action("0-63189541", 6, **fields)


def apply(label: Any, **more: Any) -> Json:
    type_id = str(label.type_id) if isinstance(label, DirectedType) else label
    return action("0-73444249", fromObjectType="0-1", toObjectType="0-2", labelToApply=type_id, **more)


def update(old: DirectedType, new: DirectedType, mode: str = "APPEND") -> Json:
    labels: Json = {"labelToUpdate": str(old.type_id), "updateMode": mode, "labelToApply": str(new.type_id)}
    return action("0-61139484", fromObjectType="0-1", toObjectType="0-2", **labels)


def remove(*labels: DirectedType, associations: str = "false") -> Json:
    ids = [str(label.type_id) for label in labels]
    fields: Json = {"labelsToRemove": ids, "removeAssociations": associations}
    return action("0-61139476", fromObjectType="0-1", toObjectType="0-2", **fields)


# Triggers ---------------------------------------------------------------------------------------


def asks(name: str, operation: str, operator: str, **more: Any) -> Json:
    """A filter on a property."""
    said = {"operationType": operation, "operator": operator, "includeObjectsWithNoValueSet": False, **more}
    return {"filterType": "PROPERTY", "property": name, "operation": said}


def any_of(name: str, *values: str) -> Json:
    return asks(name, "MULTISTRING", "IS_EQUAL_TO", values=list(values))


def branch(kind: str, *parts: Json, **more: Any) -> Json:
    filters = [each for each in parts if "filterType" in each]
    branches = [each for each in parts if "filterBranchType" in each]
    both = {"filters": filters, "filterBranches": branches}
    return {"filterBranchType": kind, "filterBranchOperator": kind, **both, **more}


def all_of(*parts: Json) -> Json:
    return branch("AND", *parts)


def list_based(*groups: Json, **more: Any) -> Json:
    return {
        "type": "LIST_BASED",
        "shouldReEnroll": False,
        "unEnrollObjectsNotMeetingCriteria": False,
        "listFilterBranch": branch("OR", *groups),
        "reEnrollmentTriggersFilterBranches": [],
        **more,
    }


def event(type_id: str, *filters: Json, **more: Any) -> Json:
    said = {"eventTypeId": type_id, "operator": "HAS_COMPLETED", **more}
    return {**branch("UNIFIED_EVENTS", *filters), "filterBranchOperator": "AND", **said}


def event_based(*events: Json, **more: Any) -> Json:
    lists: list[Json] = []
    both = {"eventFilterBranches": list(events), "listMembershipFilterBranches": lists}
    return {"type": "EVENT_BASED", "shouldReEnroll": False, **both, **more}


def changed(name: str, *value: Json) -> Json:
    return event("4-655002", asks("hs_name", "STRING", "IS_EQUAL_TO", value=name), *value)


def definition(criteria: Json | None, **more: Any) -> Json:
    """What we make of a flow's enrollment criteria."""
    return dict(read_flow(flow(create(), enrollmentCriteria=criteria, **more), object_type("contact")).definition)


def groups(*parts: Json) -> list[list[Json]]:
    """The groups that filter branches come to; all of them can be read by the engine."""
    read = definition(list_based(*parts))
    read_triggers(read, object_type("contact"))
    return list(read["triggers"])


def own(name: str, operator: str, *values: object, **more: Any) -> Json:
    """Our filter on a property of the record."""
    given = {"values": list(values)} if values else {}
    return {"kind": "property", "property": name, "operator": operator, **given, **more}
