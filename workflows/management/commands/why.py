"""Say why two records are associated, or are not; or all that one record is associated with."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from associations.models import AssociationEnd, Record
from workflows.services import why
from workflows.services.attempts import Attempt, attempts

# Of the associated records of one record.
MOST = 1_000


class Command(BaseCommand):
    help = (
        "Say why two records are associated, or are not: who or what did it, when, and which values matched; for one"
        " record all its associations, and what each action said of it last."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("record", type=int, nargs="+", metavar="RECORD", help="the id of a record; one or two")

    def handle(self, *args: Any, **options: Any) -> None:
        ids = options["record"]
        records = why.find_records(ids)
        if missing := [id_ for id_ in ids if id_ not in {each.pk for each in records}]:
            raise CommandError(f"There is no record {missing[0]}.")
        if len(records) == 1:
            told = _of_record(records[0])
        elif len(records) == 2 and ids[0] != ids[1]:
            told = _of_pair(why.of_pair(*records))
        else:
            raise CommandError("Name one record, or two different ones.")
        self.stdout.write("\n".join(told))


def _of_pair(found: why.Why) -> Iterator[str]:
    yield f"{_named(found.record)} and {_named(found.other)} are {'' if found.there else 'not '}associated."
    yield from (f"  {_change(each)}" for each in reversed(found.there))
    if gone := [each for each in found.earlier if each not in found.there]:
        yield "What was before, the newest first:"
        yield from (f"  {_change(each)}" for each in gone)
    if found.attempts:
        yield "What actions said last:"
        yield from (f"  {_attempt(each)}" for each in found.attempts)
    yield from (f"Never enrolled in {workflow}." for workflow in found.never_enrolled)


def _of_record(record: Record) -> Iterator[str]:
    ends = AssociationEnd.objects.filter(record=record).order_by("other_id").values_list("other_id", flat=True)
    others = why.find_records(list(ends.distinct()[:MOST]))
    made = why.of_associations(record, [each.pk for each in others])
    yield f"{_named(record)} is associated with {len(others)} records."
    for other in others:
        yield f"  {_named(other)}"
        yield from (f"    {_change(change)}" for (other_id, _), change in made.items() if other_id == other.pk)
    if said := attempts(record):
        yield "What actions said last:"
        yield from (f"  {_attempt(each)}" for each in said)


def _named(record: Record) -> str:
    return f"{record} ({record.object_type.label.lower()} {record.pk})"


def _change(change: why.Change) -> str:
    at = f"{change.maker.at:%Y-%m-%d %H:%M} " if change.maker.at else ""
    line = f"{at}{change.what}: {change.maker.who}"
    if run := change.maker.action_run:
        line += f", revision {run.batch.run.revision.number}, action {run.position + 1}, run {run.batch.run_id}"
    if change.value is not None:
        line += f"; “{change.value}” matched “{change.other_value}”"
    return line


def _attempt(attempt: Attempt) -> str:
    action_run = attempt.action_run
    run = action_run.batch.run
    line = f"{run.workflow}, revision {run.revision.number}, action {action_run.position + 1}, run {run.pk}"
    line += f": {attempt.outcome.said}"
    if attempt.outcome.value:
        line += f"; looked for “{attempt.outcome.value}”"
    return f"{line}; today {attempt.today}" if attempt.today else line
