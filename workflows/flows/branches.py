"""Filter branches as groups of filters, and groups as filter branches.

HubSpot's branches nest; our criteria are groups joined by OR of filters joined by AND. What is nested is multiplied
out. A filter that cannot be tested here stands in its group as one of the kind `unsupported`.
Called by enrollment (triggers, suppression) and by events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from associations.models import ObjectType, Property
from associations.querysets import Surroundings
from associations.types import DirectedType
from workflows.criteria import MAX_FILTERS, AssociatedPropertyFilter, AssociationFilter, PropertyFilter, read_filter

from .operations import read_operation, write_operation
from .problems import UNSUPPORTED, CannotRun, a_list, a_number, a_text, an_object, invalid, unsupported

Filter = dict[str, Any]
Group = list[Filter]


# Reading ----------------------------------------------------------------------------------------


def read_groups(raw: Any, place: str, around: Surroundings) -> list[Group]:
    """The groups that a filter branch comes to; none where it has no filter. Raises InvalidFlow."""
    if raw is None:
        return []
    groups = [group for group in _branch(raw, place, around) if group]
    if sum(map(len, groups)) > MAX_FILTERS:
        raise invalid(place, f"comes to more than {MAX_FILTERS} filters, which is the most.")
    return groups


def _branch(raw: Any, place: str, around: Surroundings) -> list[Group]:
    branch = an_object(raw, place)
    kind = a_text(branch.get("filterBranchType"), f"{place}.filterBranchType")
    if kind == "ASSOCIATION":
        return _kept_if_it_cannot_run(branch, lambda: _association(branch, place, around))
    if kind not in ("AND", "OR"):
        return [[_unsupported(branch, f"filters joined by {kind:.40}")]]
    parts = _parts(branch, place, around)
    if kind == "OR":
        return [group for part in parts for group in part]
    groups: list[Group] = [[]]
    for part in parts:
        if len(groups) * len(part) > MAX_FILTERS:
            raise invalid(place, f"comes to more than {MAX_FILTERS} filters, which is the most.")
        groups = [[*group, *more] for group, more in product(groups, part)]
    return groups


def _parts(branch: Mapping[str, Any], place: str, around: Surroundings) -> list[list[Group]]:
    filters = [
        _filter(each, f"{place}.filters[{number}]", around)
        for number, each in enumerate(a_list(branch.get("filters"), f"{place}.filters"))
    ]
    branches = [
        _branch(each, f"{place}.filterBranches[{number}]", around)
        for number, each in enumerate(a_list(branch.get("filterBranches"), f"{place}.filterBranches"))
    ]
    # A branch without filters says nothing; it must not make an AND that nobody meets.
    return [*filters, *(groups for groups in branches if any(groups))]


def _filter(raw: Any, place: str, around: Surroundings, object_type: ObjectType | None = None) -> list[Group]:
    given = an_object(raw, place)
    kind = a_text(given.get("filterType"), f"{place}.filterType")
    if kind != "PROPERTY":
        return [[_unsupported(given, f"a filter of the kind {kind:.40}")]]
    name = a_text(given.get("property"), f"{place}.property")
    prop = next((p for p in around.properties(object_type or around.object_type) if p.name == name), None)

    def read() -> list[Group]:
        alternatives = read_operation(given.get("operation"), f"{place}.operation", prop)
        return [[{"kind": "property", "property": name, **test} for test in tests] for tests in alternatives]

    return _kept_if_it_cannot_run(given, read)


def _association(branch: Mapping[str, Any], place: str, around: Surroundings) -> list[Group]:
    """Some associated record meets the filters. Ours test one property of it; several would have to be of the same."""
    operator = branch.get("operator") or "IN_LIST"
    if operator not in ("IN_LIST", "NOT_IN_LIST"):
        raise CannotRun(f"associated records by {operator!s:.40}")
    type_id = a_number(branch.get("associationTypeId"), f"{place}.associationTypeId")
    other = around.other_types.get(str(branch.get("objectTypeId")))
    directed = _directed(type_id, other, around)
    type_id = directed.type_id if directed else type_id
    filters = a_list(branch.get("filters"), f"{place}.filters")
    if a_list(branch.get("filterBranches"), f"{place}.filterBranches"):
        raise CannotRun("several filters that the same associated record must meet")
    if not filters:
        return [[{"kind": "association", "type_id": type_id, "has": operator == "IN_LIST"}]]
    if operator != "IN_LIST":
        raise CannotRun("that no associated record meets a filter")
    if len(filters) > 1:
        raise CannotRun("several filters that the same associated record must meet")
    alternatives = _filter(filters[0], f"{place}.filters[0]", around, other)
    if any(len(tests) > 1 or tests[0]["kind"] == UNSUPPORTED for tests in alternatives):
        raise CannotRun("a filter on associated records that this product has not")
    return [[{**tests[0], "kind": "associated_property", "type_id": type_id}] for tests in alternatives]


def _directed(type_id: int, other: ObjectType | None, around: Surroundings) -> DirectedType | None:
    """The type that an id names, of those the records have; the id of the way back does as well."""
    for each in around.types:
        if each.type_id == type_id:
            return each
    return next((e for e in around.types if e.reverse.type_id == type_id and other in (None, e.other_type)), None)


def _kept_if_it_cannot_run(raw: Mapping[str, Any], read: Any) -> list[Group]:
    try:
        groups: list[Group] = read()
    except CannotRun as error:
        return [[_unsupported(raw, str(error))]]
    return groups


def _unsupported(raw: Mapping[str, Any], what: str) -> Filter:
    prop = raw.get("property")
    of = f" (of {prop:.100})" if isinstance(prop, str) else ""
    return {"kind": UNSUPPORTED, **unsupported(dict(raw), f"This product cannot test {what}{of}.")}


# Writing ----------------------------------------------------------------------------------------


def write_groups(groups: Iterable[Iterable[Mapping[str, Any]]], around: Surroundings) -> dict[str, Any]:
    """The filter branch of groups, as revisions keep them. Raises ValidationError for a filter that cannot be read."""
    return branch("OR", branches=[_write_group(group, around) for group in groups])


def branch(kind: str, *, filters: Iterable[Any] = (), branches: Iterable[Any] = ()) -> dict[str, Any]:
    return {
        "filterBranchType": kind,
        "filterBranchOperator": kind,
        "filters": list(filters),
        "filterBranches": list(branches),
    }


def _write_group(group: Iterable[Mapping[str, Any]], around: Surroundings) -> dict[str, Any]:
    written = [_write_filter(raw, around) for raw in group]
    return branch(
        "AND",
        filters=[each for each in written if "filterBranchType" not in each],
        branches=[each for each in written if "filterBranchType" in each],
    )


def _write_filter(raw: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    if raw["kind"] == UNSUPPORTED:
        return dict(raw["flow"])
    match read_filter(raw, around.object_type, around):
        case PropertyFilter() as given:
            return _write_test(given)
        case AssociatedPropertyFilter(directed, test):
            return _write_association(directed, "IN_LIST", [_write_test(test)])
        case AssociationFilter(directed, has):
            return _write_association(directed, "IN_LIST" if has else "NOT_IN_LIST", [])
        case other:
            raise AssertionError(other)


def _write_test(given: PropertyFilter) -> dict[str, Any]:
    operation = write_operation(given.prop, given.operator, list(given.values), or_no_value=given.or_no_value)
    return property_filter(given.prop.name, operation)


def property_filter(name: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    return {"filterType": "PROPERTY", "property": name, "operation": dict(operation)}


def _write_association(directed: DirectedType, operator: str, filters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        **branch("ASSOCIATION", filters=filters),
        "filterBranchOperator": "AND",
        "objectTypeId": directed.other_type.type_id,
        "operator": operator,
        "associationTypeId": directed.type_id,
        "associationCategory": directed.type.category,
    }


def property_named(name: str, around: Surroundings) -> Property | None:
    return next((each for each in around.properties(around.object_type) if each.name == name), None)
