"""Which records are meant: some that are named, or all that a list shows under its search and filters.

Kept with a bulk job as JSON and read again by the worker, so that what was shown and what is done cannot differ.
Called by the admin's lists and by the kinds of bulk jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from associations import querysets, sql
from associations.errors import Refused
from associations.models import ObjectType, Property, Record

NO_VALUE = "_none"


@dataclass(frozen=True)
class Selection:
    """Records of one type. With `ids` just these of them.

    `choices` are options of enumerations by the property's name ("true" and "false" for a yes or no, NO_VALUE for
    none); `values` are what other properties equal.
    """

    object_type: ObjectType
    ids: tuple[int, ...] | None = None
    search: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    archived: bool = False

    def records(self) -> QuerySet[Record]:
        """In no order. Raises Refused where a property that was filtered by is gone."""
        records = Record.objects.filter(object_type=self.object_type, archived_at__isnull=not self.archived)
        if self.ids is not None:
            return records.filter(id__in=sql.these(self.ids))
        if self.choices or self.values:
            properties = {prop.name: prop for prop in self.object_type.properties.all()}
            if gone := {*self.choices, *self.values} - properties.keys():
                raise Refused(f"{self.object_type.label} has no property {min(gone)!r} any more.")
            for name, choice in self.choices.items():
                records = chosen(records, properties[name], choice)
            for name, value in self.values.items():
                records = querysets.with_equal(records, properties[name], value)
        return querysets.search(records, self.object_type, self.search) if self.search else records

    def to_json(self) -> dict[str, Any]:
        kept = {"search": self.search, "choices": self.choices, "values": self.values, "archived": self.archived}
        return {**kept, "ids": self.ids}

    @classmethod
    def from_json(cls, object_type: ObjectType, raw: Mapping[str, Any]) -> Selection:
        ids = raw["ids"]
        return cls(object_type, **{**raw, "ids": None if ids is None else tuple(ids)})


def chosen(records: QuerySet[Record], prop: Property, choice: str) -> QuerySet[Record]:
    """Those of some records that have an option of an enumeration, or a yes or no, or no value."""
    if choice == NO_VALUE:
        return querysets.with_value(records, prop, known=False)
    return querysets.with_choice(records, prop, choice == "true" if prop.type == Property.Type.BOOL else choice)
