"""The actions of a flow, a graph, as the actions of a workflow, a list; and back.

What follows one action after the other from the start is the list. An action that this product has not is a row of the
kind `unsupported` with its JSON; from a branch on all that follows is one such row, for it must not run in a line.
Called by reading and writing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from associations.querysets import Surroundings

from .action_fields import TYPES, WrongFields, read_fields, write_fields
from .problems import UNSUPPORTED, CannotRun, InvalidFlow, Problem, a_list, a_number, a_text, an_object, invalid

Json = dict[str, Any]
_LINEAR = ("SINGLE_CONNECTION", "CUSTOM_CODE", "WEBHOOK")
_BRANCHES = {"LIST_BRANCH": "listBranches", "STATIC_BRANCH": "staticBranches", "AB_TEST_BRANCH": "testBranches"}
_BY_ID = {type_.id: type_ for type_ in TYPES}
_BY_KIND = {type_.kind: type_ for type_ in TYPES}
# What HubSpot calls its other actions.
_TITLES = {
    "0-1": "Delay",
    "0-35": "Delay until a date",
    "0-29": "Wait for an event",
    "0-3": "Create a task",
    "0-4": "Send a marketing email",
    "0-5": "Set a property value",
    "0-8": "Send an internal email",
    "0-9": "Send an in-app notification",
    "0-11": "Rotate to an owner",
    "0-13": "Add to or remove from a static list",
    "0-14": "Create a record",
    "0-15": "Enroll in another workflow",
    "0-25": "Copy a property value",
    "0-31": "Set the marketing status",
    "0-63809083": "Add to a static list",
    "0-63863438": "Remove from a static list",
    "0-46510720": "Enroll in a sequence",
    "0-4702372": "Unenroll from a sequence",
    "0-18224765": "Delete a contact",
    "0-169425243": "Create a note",
    "0-43347357": "Manage subscriptions",
    "0-261589386": "Increase or decrease a number",
    "CUSTOM_CODE": "Custom code",
    "WEBHOOK": "Send a webhook",
    "LIST_BRANCH": "Branch by filters",
    "STATIC_BRANCH": "Branch by a value",
    "AB_TEST_BRANCH": "Branch at random",
}


def title_of(action: Mapping[str, Any]) -> str:
    """The action's name for people, with HubSpot's id of it."""
    kind = str(action.get("actionTypeId") or action.get("type"))
    if known := _BY_ID.get(kind):
        return f"{known.kind.replace('_', ' ').capitalize()} ({kind})"
    return f"{_TITLES[kind]} ({kind})" if kind in _TITLES else f"Action {kind:.60}"


# Reading ----------------------------------------------------------------------------------------


def read_actions(raw: Any, start: Any, around: Surroundings, *, lenient: bool = False) -> list[Json]:
    """The rows, each with kind and fields, in the order they run. Raises InvalidFlow; where `lenient`, wrong fields of
    our own actions make them unsupported instead, as in a flow that comes from another account."""
    given = [an_object(each, f"actions[{number}]") for number, each in enumerate(a_list(raw, "actions"))]
    graph = _Graph(given)
    rows: list[Json] = []
    problems: list[Problem] = []
    for number in graph.chain(start):
        action = given[number]
        try:
            rows.append(_read_action(action, f"actions[{number}]", around))
        except CannotRun as error:
            rows.append(_unsupported([action], f"This product has no such action: {error}."))
        except WrongFields as error:
            problems += error.problems
            rows.append(_unsupported([action], str(error)))
    if problems and not lenient:
        raise InvalidFlow(problems)
    if rest := [action for number, action in enumerate(given) if number not in graph.visited]:
        reason = "This product cannot branch; what follows cannot run either."
        if graph.ended:
            reason = "No action leads to this one: say with startActionId and connection what comes after what."
        rows.append(_unsupported(sorted(rest, key=lambda action: action is not graph.branch), reason))
    return rows


def _unsupported(actions: Sequence[Mapping[str, Any]], reason: str) -> Json:
    more = f" and {len(actions) - 1} more" if len(actions) > 1 else ""
    fields = {"flow": [dict(action) for action in actions], "title": title_of(actions[0]) + more, "reason": reason}
    return {"kind": UNSUPPORTED, "fields": fields}


def _read_action(action: Mapping[str, Any], place: str, around: Surroundings) -> Json:
    if action.get("type", _LINEAR[0]) != _LINEAR[0]:
        raise CannotRun(title_of(action))
    type_id = a_text(action.get("actionTypeId"), f"{place}.actionTypeId")
    fields = an_object(action.get("fields") or {}, f"{place}.fields")
    if type_id not in _BY_ID:
        raise CannotRun(title_of(action))
    type_ = _BY_ID[type_id]
    return {"kind": type_.kind, "fields": read_fields(type_, fields, f"{place}.fields", around)}


class _Graph:
    """The actions by their ids, and what leads to what. Raises InvalidFlow for one that is no graph."""

    def __init__(self, actions: Sequence[Mapping[str, Any]]) -> None:
        self.actions = actions
        self.numbers: dict[str, int] = {}
        self.visited: set[int] = set()
        self.branch: Mapping[str, Any] | None = None
        for number, action in enumerate(actions):
            id_ = _id(action.get("actionId"), f"actions[{number}].actionId")
            if id_ in self.numbers:
                raise invalid(f"actions[{number}].actionId", f"another action has the id {id_} already.")
            self.numbers[id_] = number
        self.next = [self._targets(action, f"actions[{number}]") for number, action in enumerate(actions)]

    def chain(self, start: Any) -> Iterable[int]:
        """The places of the actions that follow each other from the start, up to the first branch."""
        number = self._start(start)
        while number is not None:
            action = self.actions[number]
            if action.get("type", _LINEAR[0]) not in _LINEAR:
                self.branch = action
                return
            self.visited.add(number)
            yield number
            following = self.next[number][0] if self.next[number] else None
            if following in self.visited:
                place = f"actions[{number}].connection.nextActionId"
                raise invalid(place, "leads back to an action that was done before.")
            number = following

    @property
    def ended(self) -> bool:
        return self.branch is None

    def _start(self, start: Any) -> int | None:
        if start not in (None, ""):
            id_ = _id(start, "startActionId")
            if id_ not in self.numbers and self.actions:
                raise invalid("startActionId", f"there is no action {id_}.")
            return self.numbers.get(id_)
        led_to = {number for targets in self.next for number in targets}
        return next((number for number in range(len(self.actions)) if number not in led_to), None)

    def _targets(self, action: Mapping[str, Any], place: str) -> list[int]:
        kind = a_text(action.get("type", _LINEAR[0]), f"{place}.type")
        if kind in _LINEAR:
            connections = [(action.get("connection"), f"{place}.connection")]
        elif kind in _BRANCHES:
            name = _BRANCHES[kind]
            connections = [
                (an_object(each, f"{place}.{name}[{number}]").get("connection"), f"{place}.{name}[{number}].connection")
                for number, each in enumerate(a_list(action.get(name), f"{place}.{name}"))
            ]
            connections.append((action.get("defaultBranch"), f"{place}.defaultBranch"))
        else:
            known = ", ".join((*_LINEAR, *_BRANCHES))
            raise invalid(f"{place}.type", f"should be one of {known}, not {kind:.40}.")
        return [self._target(*each) for each in connections if each[0]]

    def _target(self, raw: Any, place: str) -> int:
        id_ = _id(an_object(raw, place).get("nextActionId"), f"{place}.nextActionId")
        if id_ not in self.numbers:
            raise invalid(f"{place}.nextActionId", f"there is no action {id_}.")
        return self.numbers[id_]


def _id(raw: Any, place: str) -> str:
    return str(a_number(raw, place)) if not isinstance(raw, str) else a_text(raw, place)


# Writing ----------------------------------------------------------------------------------------


def write_actions(rows: Sequence[Mapping[str, Any]], kept: Any, start: Any, around: Surroundings) -> Json:
    """The flow's actions with their start. `kept` are those that were sent: one that means the same as a row stays as
    it is, one that was changed here keeps its id."""
    free = _kept_actions(kept, start, around)
    same = [_take(free, lambda each, row=row: each == row) for row in rows]  # type: ignore[misc]
    written: list[list[Json]] = []
    for row, action in zip(rows, same, strict=True):
        if row["kind"] == UNSUPPORTED:
            written.append([dict(each) for each in row["fields"]["flow"]])
        elif action:
            written.append([dict(action)])
        else:
            changed = _take(free, lambda each, kind=row["kind"]: each["kind"] == kind)  # type: ignore[misc]
            id_ = {"actionId": changed["actionId"]} if changed else {}
            written.append([id_ | _write_action(row, around)])
    _number(written)
    for (*_, last), following in zip(written, [*written[1:], None], strict=True):
        if last.get("type", _LINEAR[0]) not in _LINEAR:
            continue
        last.pop("connection", None)
        if following:
            last["connection"] = {"edgeType": "STANDARD", "nextActionId": following[0]["actionId"]}
    actions = [action for part in written for action in part]
    return {"actions": actions, **({"startActionId": actions[0]["actionId"]} if actions else {})}


def next_action_id(actions: Iterable[Mapping[str, Any]]) -> str:
    used = [int(id_) for action in actions if (id_ := str(action.get("actionId", ""))).isdecimal() and len(id_) < 19]
    return str(max(used, default=0) + 1)


def _kept_actions(kept: Any, start: Any, around: Surroundings) -> list[tuple[Json, Json]]:
    """Each single action that was sent, with the row it is."""
    try:
        rows = read_actions(kept, start, around, lenient=True)
        graph = _Graph(kept or [])
        return list(zip(rows, [kept[number] for number in graph.chain(start)], strict=False))
    except InvalidFlow:
        return []


def _take(free: list[tuple[Json, Json]], wanted: Callable[[Json], bool]) -> Json | None:
    """The first kept action whose row is wanted; from then on it is no longer free."""
    for number, (row, action) in enumerate(free):
        if wanted(row):
            del free[number]
            return action
    return None


def _number(written: Sequence[list[Json]]) -> None:
    """Give new actions ids that no other one has."""
    used = [action for part in written for action in part if "actionId" in action]
    following = int(next_action_id(used))
    for part in written:
        for action in part:
            if "actionId" not in action:
                action["actionId"], following = str(following), following + 1


def _write_action(row: Mapping[str, Any], around: Surroundings) -> Json:
    type_ = _BY_KIND[row["kind"]]
    return {
        "type": _LINEAR[0],
        "actionTypeId": type_.id,
        "actionTypeVersion": type_.version,
        "fields": write_fields(type_, row["fields"], around),
    }
