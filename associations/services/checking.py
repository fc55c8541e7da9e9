"""Check that what must hold does hold: the invariants that SQL can see (sql.checks), and those of values.

Nothing is changed. Each check is exact while others write: a statement sees one moment, and where values seem
wrong their records are looked at once more while they are held.
Called by the command `check_associations`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from associations import sql
from associations.comparison import match_key, name_key
from associations.models import MatchIndex, MatchKey, ObjectType, Property, Record, UniqueValue
from associations.property_values import read_value

from .derived import unique_key
from .match_keys import id_ranges

VALUES = "Properties hold known names and values of their type."
UNIQUE = "Unique values are those of the live records."
NAMES = "Records are searched and sorted by what they are shown by (rebuild_derived mends it)."
KEYS = "Match keys are those of the live records (rebuild_match_keys mends them)."


@dataclass
class Finding:
    """How often a rule is broken. A warning is none of the data's fault."""

    rule: str
    count: int = 0
    examples: list[str] = field(default_factory=list)
    is_warning: bool = False

    def add(self, broken: Sequence[str]) -> None:
        self.count += len(broken)
        self.examples = [*self.examples, *broken][: sql.checks.EXAMPLES]


def check_all() -> Iterator[Finding]:
    """One finding per rule, also where nothing is broken."""
    for rule, select in sql.checks.INVARIANTS.items():
        yield Finding(rule, *sql.checks.find(select))
    yield from _check_values()
    for rule, select in sql.checks.WARNINGS.items():
        yield Finding(rule, *sql.checks.find(select), is_warning=True)


def _check_values() -> Iterator[Finding]:
    findings = {rule: Finding(rule) for rule in (VALUES, UNIQUE, NAMES, KEYS)}
    for object_type in ObjectType.objects.all():
        ids = Record.objects.filter(object_type=object_type).order_by("id").values_list("id", flat=True)
        schema = _Schema.of(object_type)
        for first, last in id_ranges(ids):
            broken = _look(schema, first, last, hold=False)
            if any(broken.values()):
                with transaction.atomic():
                    broken = _look(_Schema.of(object_type), first, last, hold=True)
            for rule, each in broken.items():
                findings[rule].add(each)
    yield from findings.values()


@dataclass(frozen=True)
class _Schema:
    object_type: ObjectType
    properties: dict[str, Property]
    # An index that is being built does not cover every record yet.
    built: list[MatchIndex]
    building: set[int]

    @classmethod
    def of(cls, object_type: ObjectType) -> _Schema:
        indexes = list(MatchIndex.objects.filter(property__object_type=object_type).select_related("property"))
        return cls(
            object_type,
            {prop.name: prop for prop in object_type.properties.all()},
            [index for index in indexes if index.built_at],
            {index.pk for index in indexes if not index.built_at},
        )


def _look(schema: _Schema, first: int, last: int, *, hold: bool) -> dict[str, list[str]]:
    """What is broken about the records from one id to another."""
    records = Record.objects.filter(object_type=schema.object_type, id__range=(first, last)).order_by("id")
    rows = list(
        (records.select_for_update() if hold else records).values_list("id", "properties", "archived_at", "name_key")
    )
    live = {id_: values for id_, values, archived_at, _ in rows if archived_at is None}

    wanted = {
        (id_, prop.pk): unique_key(values.get(prop.name))
        for prop in schema.properties.values()
        if prop.has_unique_value
        for id_, values in live.items()
    }
    held_values = UniqueValue.objects.filter(record__gte=first, record__lte=last)
    wanted_keys = {
        (id_, index.pk): match_key(values.get(index.property.name), index.comparison)
        for index in schema.built
        for id_, values in live.items()
    }
    held_keys = MatchKey.objects.filter(record__gte=first, record__lte=last).exclude(index__in=schema.building)
    return {
        VALUES: [
            f"{name} of record {id_}"
            for id_, values, _, _ in rows
            for name, value in values.items()
            if not _is_kept_form(schema.properties.get(name), value)
        ],
        UNIQUE: _differing(wanted, held_values.values_list("record_id", "property_id", "key"), live),
        NAMES: [
            f"record {id_}"
            for id_, values, _, name in rows
            if name_key(values.get(schema.object_type.primary_property)) != bytes(name)
        ],
        KEYS: _differing(wanted_keys, held_keys.values_list("record_id", "index_id", "key"), live),
    }


def _differing(
    wanted: Mapping[tuple[int, int], bytes | None], held: Iterable[tuple[int, int, Any]], live: Collection[int]
) -> list[str]:
    """The live records for which a key is missing, wrong, or held without a value that gives it."""
    expected = {place: key for place, key in wanted.items() if key is not None}
    found = {(record, holder): bytes(key) for record, holder, key in held if record in live}
    wrong = (place for place in expected.keys() | found.keys() if expected.get(place) != found.get(place))
    return [f"record {record}" for record, _ in sorted(wrong)]


def _is_kept_form(prop: Property | None, value: Any) -> bool:
    """Whether reading the value again would keep it as it is."""
    if prop is None or value is None:
        return False
    try:
        read = read_value(prop, value)
    except ValueError:
        return False
    # Databases write 1e16 as an integer, so the types of numbers may differ; 1 is not true.
    return read == value and isinstance(read, bool) == isinstance(value, bool)
