"""When records enroll: HubSpot's enrollment criteria as our triggers, and ours as HubSpot's.

`meant` are the members of a definition, as revisions keep them. Called by reading and writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from associations.models import Property
from associations.querysets import Surroundings
from workflows.triggers import ASSOCIATED, CREATED, LABEL_ADDED, LABEL_REMOVED, PROPERTY_CHANGED, read_event

from .branches import branch, property_filter, property_named, read_groups, write_groups
from .operations import read_operation, write_operation
from .problems import UNSUPPORTED, CannotRun, Problem, a_flag, a_list, a_number, a_text, an_object, invalid, unsupported

Json = dict[str, Any]
# HubSpot's own events that this product has.
OBJECT_CREATED, PROPERTY_VALUE_CHANGED = "4-1463224", "4-655002"
# And those that only this product has; a filter on associationTypeId says which association or label.
_OWN_EVENTS = {
    ASSOCIATED: "ASSOCIATION_CREATED",
    LABEL_ADDED: "ASSOCIATION_LABEL_ADDED",
    LABEL_REMOVED: "ASSOCIATION_LABEL_REMOVED",
}
_NAME, _VALUE, _TYPE_ID = "hs_name", "hs_value", "associationTypeId"
_ANY = ("is_any_of", "is_equal_to")
UNENROLL = "unEnrollObjectsNotMeetingCriteria"


# Enrollment criteria ----------------------------------------------------------------------------


def read_criteria(raw: Any, place: str, around: Surroundings) -> tuple[Json, list[Problem]]:
    """What enrollment criteria mean, and which of their settings cannot run here."""
    given = an_object(raw if raw is not None else {"type": "MANUAL"}, place)
    kind = a_text(given.get("type"), f"{place}.type")
    again = a_flag(given.get("shouldReEnroll"), f"{place}.shouldReEnroll")
    meant: Json = {
        "triggers": [],
        "events": [],
        "should_re_enroll": again,
        "re_enrollment_properties": [],
        "unenroll": a_flag(given.get(UNENROLL), f"{place}.{UNENROLL}"),
    }
    problems: list[Problem] = []
    if kind == "LIST_BASED":
        meant["triggers"] = read_groups(given.get("listFilterBranch"), f"{place}.listFilterBranch", around)
    elif kind == "EVENT_BASED":
        meant["events"] = _read_events(given, place, around)
        meant["triggers"] = read_groups(given.get("refinementCriteria"), f"{place}.refinementCriteria", around)
    elif kind != "MANUAL":
        problems.append(Problem(f"{place}.type", f"This product has no enrollment of the kind {kind:.40}."))
    if again:
        meant["re_enrollment_properties"], more = _read_marks(given, place)
        problems += more
    return meant, problems


def write_criteria(meant: Mapping[str, Any], around: Surroundings) -> Json:
    again = meant["should_re_enroll"]
    marks = [_changed(name) for name in meant["re_enrollment_properties"]]
    if meant["events"]:
        events = [_write_event(event, around) for event in meant["events"]]
        membership = [each for each in events if each.get("filterBranchType") != "UNIFIED_EVENTS"]
        written = {
            "type": "EVENT_BASED",
            "shouldReEnroll": again,
            "eventFilterBranches": [each for each in events if each not in membership],
            "listMembershipFilterBranches": membership,
        }
        if meant["triggers"]:
            written["refinementCriteria"] = write_groups(meant["triggers"], around)
        if marks:
            written["reEnrollmentTriggersFilterBranches"] = marks
        return {**written, UNENROLL: True} if meant["unenroll"] else written
    if meant["triggers"] or meant["unenroll"] or marks:
        return {
            "type": "LIST_BASED",
            "shouldReEnroll": again,
            "listFilterBranch": write_groups(meant["triggers"], around),
            UNENROLL: meant["unenroll"],
            "reEnrollmentTriggersFilterBranches": marks,
        }
    return {"type": "MANUAL", "shouldReEnroll": again}


# Re-enrollment ----------------------------------------------------------------------------------


def _read_marks(given: Mapping[str, Any], place: str) -> tuple[list[str], list[Problem]]:
    """The properties that are re-enrollment triggers: each a branch about a change of this property."""
    names, problems = [], []
    place = f"{place}.reEnrollmentTriggersFilterBranches"
    for number, raw in enumerate(a_list(given.get("reEnrollmentTriggersFilterBranches"), place)):
        here = f"{place}[{number}]"
        try:
            names.append(_read_mark(an_object(raw, here), here))
        except CannotRun as error:
            problems.append(Problem(here, f"This product cannot re-enroll by {error}."))
    return list(dict.fromkeys(names)), problems


def _read_mark(raw: Mapping[str, Any], place: str) -> str:
    filters = [an_object(each, f"{place}.filters") for each in a_list(raw.get("filters"), f"{place}.filters")]
    if raw.get("filterBranches") or not filters:
        raise CannotRun("something other than the change of a property")
    if raw.get("filterBranchType") == "UNIFIED_EVENTS":
        event = _property_changed(filters, f"{place}.filters", None, raw)
        if event.get("values"):
            raise CannotRun("the change of a property to a certain value")
        return str(event["property"])
    if len(filters) != 1 or filters[0].get("filterType") != "PROPERTY":
        raise CannotRun("something other than the change of a property")
    return a_text(filters[0].get("property"), f"{place}.filters[0].property")


# Events -----------------------------------------------------------------------------------------


def _read_events(given: Mapping[str, Any], place: str, around: Surroundings) -> list[Json]:
    events = []
    for name in ("eventFilterBranches", "listMembershipFilterBranches"):
        for number, raw in enumerate(a_list(given.get(name), f"{place}.{name}")):
            here = f"{place}.{name}[{number}]"
            event = an_object(raw, here)
            try:
                if name == "listMembershipFilterBranches":
                    raise CannotRun("becoming a member of a list")
                events.append(_read_event(event, here, around))
            except CannotRun as error:
                reason = f"This product does not notice {error}."
                events.append({"event": UNSUPPORTED, **unsupported(dict(event), reason)})
    return events


def _read_event(raw: Mapping[str, Any], place: str, around: Surroundings) -> Json:
    event_type = a_text(raw.get("eventTypeId"), f"{place}.eventTypeId")
    if (raw.get("operator") or "HAS_COMPLETED") != "HAS_COMPLETED":
        raise CannotRun(f"events that {raw.get('operator')!s:.40}")
    if raw.get("filterBranches") or raw.get("pruningRefineBy") or raw.get("coalescingRefineBy"):
        raise CannotRun("events with nested filters, or only so many or so recent ones")
    filters = [an_object(each, f"{place}.filters") for each in a_list(raw.get("filters"), f"{place}.filters")]
    if event_type == OBJECT_CREATED and not filters:
        return {"event": CREATED}
    if event_type == PROPERTY_VALUE_CHANGED:
        return _property_changed(filters, f"{place}.filters", around, raw)
    for ours, theirs in _OWN_EVENTS.items():
        if event_type == theirs:
            return {"event": ours, "type_id": _read_type_id(filters, f"{place}.filters")}
    raise CannotRun(f"the event {event_type:.60}" + (" with filters" if event_type == OBJECT_CREATED else ""))


def _read_type_id(filters: list[Mapping[str, Any]], place: str) -> int:
    if len(filters) != 1 or filters[0].get("property") != _TYPE_ID:
        raise invalid(place, f"should be one filter on {_TYPE_ID}: which association or label.")
    operation = an_object(filters[0].get("operation"), f"{place}[0].operation")
    return a_number(operation.get("value"), f"{place}[0].operation.value")


def _property_changed(
    filters: list[Mapping[str, Any]], place: str, around: Surroundings | None, raw: Mapping[str, Any]
) -> Json:
    """hs_name says which property, hs_value (if it is there) to what; or one filter on the property itself does."""
    if raw.get("eventTypeId") != PROPERTY_VALUE_CHANGED:
        raise CannotRun(f"the event {raw.get('eventTypeId')!s:.60}")
    by_name = {a_text(each.get("property"), f"{place}.property"): each.get("operation") for each in filters}
    if len(by_name) != len(filters) or not filters:
        raise CannotRun("changes of a property by other than its name and value")
    if _NAME not in by_name:
        if len(filters) != 1:
            raise CannotRun("changes of several properties at once")
        [(name, operation)] = by_name.items()
    else:
        tests = read_operation(by_name.pop(_NAME), f"{place}.operation", None)[0]
        if len(tests) != 1 or tests[0]["operator"] not in _ANY or len(tests[0]["values"]) != 1:
            raise CannotRun("changes of several properties at once")
        name, operation = str(tests[0]["values"][0]), by_name.pop(_VALUE, None)
        if by_name:
            raise CannotRun("changes of a property by other than its name and value")
    event: Json = {"event": PROPERTY_CHANGED, "property": name}
    if operation is None:
        return event
    prop = property_named(name, around) if around else None
    alternatives = read_operation(operation, f"{place}.operation", prop)
    if len(alternatives) == 1 and len(alternatives[0]) == 1:
        test = alternatives[0][0]
        if test["operator"] == "is_known":
            return {**event, "known": True}
        if test["operator"] in _ANY:
            return {**event, "values": test["values"]}
    raise CannotRun("changes of a property by other than what it becomes")


def _write_event(raw: Mapping[str, Any], around: Surroundings) -> Json:
    if raw["event"] == UNSUPPORTED:
        return dict(raw["flow"])
    event = read_event(raw, around)
    if event.event == CREATED:
        return _unified(OBJECT_CREATED)
    if event.prop is not None:
        written = _changed(event.prop.name, known=event.known)
        if event.values:
            written["filters"].append(property_filter(_VALUE, _write_values(event.prop, list(event.values))))
        return written
    assert event.directed is not None
    operation = {"operationType": "NUMBER", "operator": "IS_EQUAL_TO", "value": event.directed.type_id}
    operation["includeObjectsWithNoValueSet"] = False
    return _unified(_OWN_EVENTS[event.event], property_filter(_TYPE_ID, operation))


def _write_values(prop: Property, values: list[Any]) -> Json:
    """The operation that tests for any of some values. HubSpot has one only for text and choices."""
    if prop.type in (Property.Type.STRING, Property.Type.ENUMERATION):
        return write_operation(prop, "is_any_of", values)
    if len(values) == 1:
        return write_operation(prop, "is_equal_to", values)
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    plain = {"includeObjectsWithNoValueSet": False}
    return {"operationType": "MULTISTRING", "operator": "IS_EQUAL_TO", "values": texts, **plain}


def _changed(name: str, *, known: bool = True) -> Json:
    """A change of a property: to any value, or (not known) also to none."""
    plain = {"includeObjectsWithNoValueSet": False}
    filters = [property_filter(_NAME, {"operationType": "STRING", "operator": "IS_EQUAL_TO", "value": name, **plain})]
    if known:
        filters.append(property_filter(_VALUE, {"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN", **plain}))
    return _unified(PROPERTY_VALUE_CHANGED, *filters)


def _unified(event_type: str, *filters: Json) -> Json:
    written = branch("UNIFIED_EVENTS", filters=filters)
    return {**written, "filterBranchOperator": "AND", "eventTypeId": event_type, "operator": "HAS_COMPLETED"}
