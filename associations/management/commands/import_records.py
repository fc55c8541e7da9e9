"""Import a CSV or spreadsheet into the records of one type."""

from __future__ import annotations

import gc
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from associations import querysets
from associations.models import ImportRun
from associations.services import importing
from associations.services.rejects import Reject, RejectsFile
from associations.services.tables import Table, open_table

from ._plain import plain_errors

SHOWN_REJECTS = 20


class Command(BaseCommand):
    help = (
        "Import a CSV or XLSX file. The good rows are kept, the others told with line and reason and written to a"
        " rejects file. An import that was stopped goes on where it was when it is started again. An empty cell leaves"
        " a value as it is; the apostrophe that export_records puts before a formula is taken off. Exit status: 0 all"
        " rows kept, 1 some rejected, 2 nothing to import."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("type", help="object type: its name, plural label or objectTypeId")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--map", action="append", default=[], metavar="COLUMN=PROPERTY",
            help="which property a column fills; COLUMN= ignores it. Others go by the name or label of a property",
        )  # fmt: skip
        parser.add_argument("--upsert-by", metavar="PROPERTY", help="update the record that has this unique value")
        parser.add_argument("--rejects", type=Path, help="where rejected rows go (default: FILE with .rejects.csv)")
        parser.add_argument("--encoding", default="utf-8-sig")
        parser.add_argument("--delimiter", default=",", help="one character, or tab")
        parser.add_argument("--batch-size", type=int, default=2000, help="rows of one transaction")
        parser.add_argument("--again", action="store_true", help="import a file once more, from its first row")
        parser.add_argument("--dry-run", action="store_true", help="try it in one transaction and take all back")
        parser.add_argument("--quiet", action="store_true", help="tell only what is wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        with plain_errors():
            table, plan = self._plan(options)
        taken_back = transaction.atomic() if options["dry_run"] else nullcontext()
        with plain_errors(" What was kept stays; the same command goes on after it."), taken_back, _settled():
            run = self._import(table, plan, options)
            if options["dry_run"]:
                transaction.set_rollback(True)

        unchanged = run.rows_done - run.created - run.changed - run.rejected
        self._tell(
            options,
            f"{table.path}: {run.created:,} created, {run.changed:,} changed, {unchanged:,} without a change,"
            f" {run.rejected:,} rejected." + (" Nothing was kept: this was a dry run." if options["dry_run"] else ""),
        )
        if run.rejected:
            raise CommandError(
                f"{run.rejected:,} of {run.rows_done:,} rows were rejected; they are in {_rejects(options)}.",
                returncode=1,
            )

    def _plan(self, options: dict[str, Any]) -> tuple[Table, importing.Plan]:
        if options["batch_size"] < 1:
            raise CommandError("A batch has at least one row.", returncode=2)
        object_type = querysets.object_type_named(options["type"])
        delimiter = {"tab": "\t", r"\t": "\t"}.get(options["delimiter"], options["delimiter"])
        table = open_table(options["file"], encoding=options["encoding"], delimiter=delimiter)
        plan = importing.plan_columns(object_type, table, _mapping(options["map"]), options["upsert_by"])
        if plan.ignored:
            self._tell(options, f"Ignored columns: {', '.join(name or 'one without a name' for name in plan.ignored)}.")
        return table, plan

    def _import(self, table: Table, plan: importing.Plan, options: dict[str, Any]) -> ImportRun:
        rejects = RejectsFile(_rejects(options), table)
        run = importing.open_run(plan, table, again=options["again"])
        if run.rows_done:
            self._tell(options, f"Going on after row {run.rows_done:,} of {table.row_count:,}.")
        silent = True if options["quiet"] else None  # None: silent unless on a terminal
        with tqdm(total=table.row_count, initial=run.rows_done, unit=" rows", disable=silent) as bar:
            for kept in importing.import_rows(plan, table, run, rejects, batch_size=options["batch_size"]):
                told = run.rejected - len(kept.rejects)
                bar.clear()
                self._tell_rejects(kept.rejects[: max(SHOWN_REJECTS - told, 0)])
                bar.update(kept.rows)
        if run.rejected > SHOWN_REJECTS:
            self.stderr.write(f"… and {run.rejected - SHOWN_REJECTS:,} more rows.")
        return run

    def _tell_rejects(self, rejects: Iterable[Reject]) -> None:
        for reject in rejects:
            self.stderr.write(f"line {reject.row.line:,}: {reject.reason}")

    def _tell(self, options: dict[str, Any], text: str) -> None:
        if not options["quiet"]:
            self.stdout.write(text)


@contextmanager
def _settled() -> Iterator[None]:
    """What is loaded by now is no garbage: a fifth of the time went into looking for some in it."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _rejects(options: dict[str, Any]) -> Path:
    file: Path = options["file"]
    return options["rejects"] or file.with_suffix(".rejects.csv")


def _mapping(given: Iterable[str]) -> dict[str, str]:
    mapping = {}
    for each in given:
        column, equals, name = each.rpartition("=")
        if not equals:
            raise CommandError(f"{each!r} is not COLUMN=PROPERTY.", returncode=2)
        mapping[column] = name
    return mapping
