"""`/crm/v3/objects/{objectType}/search`: reads the request; services.searching searches."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from associations.models import ObjectType
from associations.services.searching import ASSOCIATIONS, Filter, Search, Sort
from crmproject.api.documenting import documented
from crmproject.api.errors import bad_request
from crmproject.api.paging import collection, read_after
from crmproject.api.reading import read_body

from . import bodies
from .base import CrmView, object_type_of
from .records import represent, shown_names

MOST_GROUPS, MOST_IN_GROUP, MOST_FILTERS = 5, 10, 25
MOST_RESULTS = 10_000
LONGEST_QUERY = 3_000


class SearchView(CrmView):
    """Search records by their properties, by words, and by whom they are associated with."""

    name = "Search"
    reads = True

    def example(self) -> Any:
        primary = self.object_type.primary_property
        return {
            "filterGroups": [{"filters": [{"propertyName": primary, "operator": "HAS_PROPERTY"}]}],
            "sorts": [{"propertyName": primary, "direction": "ASCENDING"}],
            "query": "",
            "properties": [primary],
            "limit": 10,
        }

    @documented(
        "Search records",
        {200: bodies.CollectionResponseWithTotalSimplePublicObject},
        body=bodies.PublicObjectSearchRequest,
        tag="CRM objects",
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        body = read_body(request, bodies.PublicObjectSearchRequest)
        groups = _groups(body)
        first = read_after(body.after)
        if first + body.limit > MOST_RESULTS:
            raise bad_request(f"A search gives its first {MOST_RESULTS:,} results; narrow it down by a filter.")
        query = body.query or ""
        if len(query) > LONGEST_QUERY:
            raise bad_request(
                f"The query is {len(query):,} characters long; at most {LONGEST_QUERY:,} are searched for."
            )
        search = Search(
            self.object_type,
            groups,
            query=query,
            sorts=[Sort(each.property_name, each.direction == "DESCENDING") for each in body.sorts or ()],
            others=_others(groups),
        )
        total, records = search.page(first, body.limit)
        names = shown_names(self.object_type, body.properties or [])
        end = first + len(records)
        paging = {"next": {"after": str(end)}} if records and end < min(total, MOST_RESULTS) else None
        return Response(collection([represent(each, names) for each in records], paging, total=total))


def _groups(body: bodies.PublicObjectSearchRequest) -> list[list[Filter]]:
    given = [group.filters for group in body.filter_groups or ()]
    if body.filters:
        given.append(body.filters)
    given = [filters for filters in given if filters]
    many = sum(map(len, given)) > MOST_FILTERS or any(len(filters) > MOST_IN_GROUP for filters in given)
    if len(given) > MOST_GROUPS or many:
        raise bad_request(
            f"A search has at most {MOST_GROUPS} filter groups, {MOST_IN_GROUP} filters in a group,"
            f" and {MOST_FILTERS} filters in all."
        )
    return [
        [
            Filter(each.property_name, each.operator, each.value, each.high_value, tuple(each.values or ()))
            for each in filters
        ]
        for filters in given
    ]


def _others(groups: list[list[Filter]]) -> dict[str, ObjectType]:
    """The object types that filters such as associations.company name."""
    named = {each.property for filters in groups for each in filters if each.property.startswith(ASSOCIATIONS)}
    return {name: object_type_of(name.removeprefix(ASSOCIATIONS)) for name in named}
