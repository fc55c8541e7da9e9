"""Import a table: keep the good rows of each batch as one set, tell what is wrong with the others.

A batch is one transaction: its records, and how far the import has come (ImportRun). An import that was stopped,
by whatever, therefore goes on after the last batch that was kept, and no row is imported twice. What is wrong with
the file as a whole is found before the first batch.
Called by the command `import_records`; it never saves a record past services.records.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import reset_queries
from django.utils import timezone

from associations.errors import InvalidRecords, Refused, ValueProblem
from associations.models import ChangeSet, ImportRun, ObjectType, Property
from associations.property_values import Value

from .derived import again_if_overtaken, lock_schema, unique_key
from .formulas import unshielded
from .origin import Origin
from .records import read_properties, save_values
from .rejects import Reject, RejectsFile
from .tables import BadFile, Row, Table


@dataclass(frozen=True)
class Plan:
    """What the columns of a table mean: the property that each fills, and the unique one that finds records."""

    object_type: ObjectType
    columns: Mapping[str, str]
    ignored: Sequence[str]
    upsert_by: str | None


@dataclass
class Kept:
    """What became of a batch."""

    rows: int
    created: int = 0
    changed: int = 0
    rejects: list[Reject] = field(default_factory=list)


@dataclass(frozen=True)
class _Candidate:
    """Values to save, and the rows they come from: several where rows of one batch mean the same record."""

    rows: list[Row]
    values: dict[str, Value]


# What the columns mean --------------------------------------------------------------------------


def plan_columns(
    object_type: ObjectType, table: Table, mapping: Mapping[str, str], upsert_by: str | None = None
) -> Plan:
    """Which column fills which property: as `mapping` says (nothing: the column is ignored), else by their names.

    Raises Refused for a column or property that does not exist, and where two columns would fill one property.
    """
    properties = list(object_type.properties.all())
    names = {prop.name for prop in properties}
    for column, name in mapping.items():
        if column not in table.header:
            raise Refused(f"{table.path} has no column {column!r}; it has: {', '.join(filter(None, table.header))}.")
        if name and name not in names:
            raise Refused(f"{object_type.label} has no property {name!r}; it has: {', '.join(sorted(names))}.")
    columns = {column: name for column, name in mapping.items() if name}
    for column in filter(None, table.header):
        alike = _named_alike(properties, column)
        if column not in mapping and alike and alike not in mapping.values():
            columns[column] = alike
    _check_columns(object_type, table, columns, upsert_by)
    return Plan(object_type, columns, [column for column in table.header if column not in columns], upsert_by)


def _named_alike(properties: Iterable[Property], column: str) -> str | None:
    """The property whose name or, failing that, label a column has."""
    for names in ({prop.name: prop.name for prop in properties}, {prop.label: prop.name for prop in properties}):
        if found := {name.casefold(): prop for name, prop in names.items()}.get(column.casefold()):
            return found
    return None


def _check_columns(object_type: ObjectType, table: Table, columns: Mapping[str, str], upsert_by: str | None) -> None:
    filled: dict[str, str] = {}
    for column, name in columns.items():
        if name in filled:
            raise Refused(f"The columns {filled[name]!r} and {column!r} would both fill {name}; map one of them.")
        filled[name] = column
    if not columns:
        hint = "" if len(table.header) > 1 else " It has one column only: is the delimiter another one?"
        raise BadFile(f"No column of {table.path} is called like a property of {object_type.label.lower()}.{hint}")
    if upsert_by and not object_type.properties.filter(name=upsert_by, has_unique_value=True).exists():
        raise Refused(f"{upsert_by} is no unique property of {object_type.label.lower()}; no record is found by it.")
    if upsert_by and upsert_by not in filled:
        raise Refused(f"No column fills {upsert_by}, by which the records are to be found.")


# How far it has come ----------------------------------------------------------------------------


def open_run(plan: Plan, table: Table, *, again: bool = False) -> ImportRun:
    """The run of this file that was stopped, to go on with, or a new one. Reads the file through.

    Raises Refused for a file that was imported already, or partly and in another way, unless it is to be imported
    from its first row `again`.
    """
    if not table.row_count:
        raise BadFile(f"{table.path} has no rows after its header.")
    runs = ImportRun.objects.filter(object_type=plan.object_type, file_digest=table.digest)
    how = {
        "columns": dict(plan.columns),
        "upsert_by": plan.upsert_by,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
    }
    last = runs.last()
    if last and again:
        runs.filter(finished_at=None).update(finished_at=timezone.now())
    elif last and last.finished_at:
        when = f"{last.finished_at:%Y-%m-%d at %H:%M}"
        raise Refused(f"{table.path} was imported on {when}; to import it once more, say --again.")
    elif last and last.plan != how:
        raise Refused(
            f"{table.path} is imported up to row {last.rows_done:,} with other columns or options:"
            " give the same ones to go on, or say --again to import it from its first row."
        )
    run, _ = runs.get_or_create(
        object_type=plan.object_type,
        file_digest=table.digest,
        finished_at=None,
        defaults={"file_name": table.path.name[:200], "plan": how},
    )
    return run


# Row by row in, batch by batch kept -------------------------------------------------------------


def import_rows(
    plan: Plan, table: Table, run: ImportRun, rejects: RejectsFile, *, batch_size: int = 2000
) -> Iterator[Kept]:
    """Import what the run has not done yet, yielding after each batch. `run` tells how far it is."""
    rejects.cut(run.rejects_size)
    rows = itertools.islice(table.rows(), run.rows_done, None)
    while batch := list(itertools.islice(rows, batch_size)):
        yield _import_batch(plan, table, run, batch, rejects)
        if settings.DEBUG:
            reset_queries()  # Django remembers every statement
    run.finished_at = timezone.now()
    run.save(update_fields=["finished_at"])


def _import_batch(plan: Plan, table: Table, run: ImportRun, rows: list[Row], rejects: RejectsFile) -> Kept:
    def change() -> tuple[Kept, dict[str, int]]:
        # Whoever imports the same file at the same moment waits here, and then sees that it is too late.
        mine = ImportRun.objects.select_for_update().filter(pk=run.pk, finished_at=None, rows_done=run.rows_done)
        if not mine:
            raise Refused(f"{table.path} is being imported by somebody else.")
        kept = _keep(plan, table.header, run, rows)
        state = {
            "rows_done": run.rows_done + len(rows),
            "created": run.created + kept.created,
            "changed": run.changed + kept.changed,
            "rejected": run.rejected + len(kept.rejects),
            "rejects_size": rejects.write(kept.rejects, run.rejects_size),
        }
        ImportRun.objects.filter(pk=run.pk).update(**state)
        return kept, state

    kept, state = again_if_overtaken(change)
    for name, value in state.items():
        setattr(run, name, value)
    return kept


def _keep(plan: Plan, header: Sequence[str], run: ImportRun, rows: list[Row]) -> Kept:
    """Save the good rows as one set. A refusal names the bad ones; without them the set is offered once more."""
    schema = lock_schema(plan.object_type)
    good, kept = [], Kept(len(rows))
    for row, values, reason in _read(plan, schema.properties, header, rows):
        if reason:
            kept.rejects.append(Reject(row, reason))
        else:
            good.append(_Candidate([row], values))
    if plan.upsert_by:
        good = _one_each(good, plan.upsert_by)
    origin = Origin(ChangeSet.Source.IMPORT, source_id=run.pk, note=run.file_name)
    while good:
        try:
            saved = save_values(
                schema,
                [each.values for each in good],
                [None] * len(good),
                origin=origin,
                upsert_by=plan.upsert_by,
            )
        except InvalidRecords as refusal:
            good = _without_refused(good, refusal, kept)
            continue
        kept.created, kept.changed = len(saved.created), len(saved.changed)
        break
    kept.rejects.sort(key=lambda reject: reject.row.line)
    return kept


def _read(
    plan: Plan, properties: Mapping[str, Property], header: Sequence[str], rows: Iterable[Row]
) -> Iterator[tuple[Row, dict[str, Value], str]]:
    """Each row with its typed values, or with the reason why it has none."""
    places = [(number, plan.columns[name]) for number, name in enumerate(header) if name in plan.columns]
    for row in rows:
        if len(row.cells) != len(header):
            yield row, {}, f"has {len(row.cells)} cells, and the header has {len(header)}"
            continue
        raw = {name: unshielded(row.cells[number]) for number, name in places}
        values, problems = read_properties(properties, raw)
        # An empty cell leaves a value that is there as it is.
        given = {name: value for name, value in values.items() if value is not None}
        if not problems and plan.upsert_by and plan.upsert_by not in given:
            problems = [ValueProblem(0, plan.upsert_by, "has no value, and records are found by it")]
        yield row, given, "; ".join(map(str, problems))


def _one_each(good: Iterable[_Candidate], upsert_by: str) -> list[_Candidate]:
    """Rows that mean the same record as one: the later row's values, as if it had been in a later batch."""
    candidates: dict[Any, _Candidate] = {}
    for each in good:
        key = unique_key(each.values[upsert_by])
        first = candidates.get(key, _Candidate([], {}))
        candidates[key] = _Candidate(first.rows + each.rows, first.values | each.values)
    return list(candidates.values())


def _without_refused(good: Sequence[_Candidate], refusal: InvalidRecords, kept: Kept) -> list[_Candidate]:
    reasons: dict[int, list[str]] = {}
    for problem in refusal.problems:
        text = str(problem)
        if problem.rival is not None:
            line = good[problem.rival].rows[0].line
            text = f"{problem.property} must be unique, but line {line} has the same value"
        reasons.setdefault(problem.index, []).append(text)
    for index, texts in reasons.items():
        kept.rejects += [Reject(row, "; ".join(texts)) for row in good[index].rows]
    return [each for index, each in enumerate(good) if index not in reasons]
