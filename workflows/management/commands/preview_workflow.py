"""Say what a workflow would do with all records, or with one; nothing of it is kept."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from tqdm import tqdm

from associations.errors import Refused
from associations.querysets import Surroundings
from workflows.models import Outcome, Workflow
from workflows.sentences import action_sentence
from workflows.services import lifecycle, preview, trial
from workflows.services.preview_figures import ActionFigures, Change, Figures, Row
from workflows.services.rehearsal import Progress
from workflows.services.static_check import warnings_of

from ._run import WorkflowCommand


class Command(WorkflowCommand):
    help = "Say what a workflow, as it is edited now, would do with all records. It need not be on; nothing is changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workflow", help="name or id")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--estimate", action="store_true", help="by a sample, at once")
        how.add_argument("--record", help="test it with one record: an id, a unique value or a name")
        how.add_argument("--csv", type=Path, help="write what would be done for every record into this file")

    def handle(self, *args: Any, **options: Any) -> None:
        workflow = self.workflow(options["workflow"])
        try:
            if options["record"]:
                self._try(workflow, options["record"])
            elif options["csv"]:
                self._write(workflow, options["csv"])
            else:
                self._count(workflow, estimate=options["estimate"])
        except Refused as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(f"{workflow} could not be turned on. {' '.join(error.messages)}") from error

    def _count(self, workflow: Workflow, *, estimate: bool) -> None:
        if estimate:
            figures = preview.first_figures(workflow)
        else:
            with tqdm(unit="step", disable=None, desc=workflow.name) as bar:
                figures = preview.exact_figures(workflow, _moving(bar))
        warnings = [f"  Worth a look: {each.where} {each.text}" for each in warnings_of(workflow)]
        follows = [f"  {words}" for words in [preview.what_follows(workflow)] if words]
        self.stdout.write("\n".join([*_lines(workflow, figures), *follows, *warnings]))

    def _write(self, workflow: Workflow, path: Path) -> None:
        with tqdm(unit="step", disable=None, desc=workflow.name) as bar, path.open("w", newline="") as file:
            rows = 0
            for row in preview.exact_rows(workflow, _moving(bar)):
                csv.writer(file).writerow(row)
                rows += 1
        self.stdout.write(f"{rows - 1:,} rows are in {path}.")

    def _try(self, workflow: Workflow, text: str) -> None:
        tried = trial.try_record(workflow, trial.record_meant(workflow, text).pk)
        lines = [f"{tried.record} ({tried.record.pk})"]
        for title, groups in (("Enrolls", tried.groups), ("Keeps out", tried.suppression)):
            for number, group in enumerate(groups, 1):
                lines.append(f"  {title}, group {number}:")
                lines += [
                    f"    {'yes' if each.met else 'no ':<3} {each.filter} [{each.value or 'no value'}]"
                    for each in group
                ]
        lines += [f"  {tried.note}"] if tried.note else []
        for number, action in enumerate(tried.actions, 1):
            lines.append(f"  {number}. {action.sentence.text}")
            lines += [f"    → {_row_words(row)}" for row in action.rows]
        self.stdout.write("\n".join(lines))


def _moving(bar: Any) -> Progress:
    def move(done: int, steps: int) -> None:
        bar.total, bar.n = steps, done
        bar.refresh()

    return move


def _lines(workflow: Workflow, figures: Figures) -> list[str]:
    records = workflow.object_type.plural_label.lower()
    is_sample = figures["looked_at"] < figures["of"]
    lines = [f"{workflow}: {figures['enrolled']:,} of {figures['looked_at']:,} {records} enroll"]
    if is_sample:
        lines[0] += f" (a sample of {figures['of']:,})"
    actions = lifecycle.definition_json(workflow)["actions"]
    around = Surroundings(workflow.object_type)
    for number, (raw, action) in enumerate(zip(actions, figures["actions"], strict=False), 1):
        lines.append(f"  {number}. {action_sentence(raw['kind'], raw['fields'], around).text}")
        lines += [f"     {line}" for line in _figure_lines(action)]
    return lines


def _figure_lines(action: ActionFigures) -> list[str]:
    lines = [
        f"{Outcome(each['outcome']).label}: {each['records']:,} records"
        + (f", {each['pairs']:,} associations" if each["pairs"] else "")
        for each in action["outcomes"]
    ]
    lines += [
        f"{change['label'] or 'Associations'}: +{change['added']:,} −{change['removed']:,}"
        for change in action["changes"]
    ]
    return lines or ["nobody enrolls"]


def _row_words(row: Row) -> str:
    words = Outcome(row["outcome"]).label
    if row["value"] is not None:
        words += f" (looked for {row['value']!r})"
    return ": ".join([words, ", ".join(_change_words(each) for each in row["changes"])]) if row["changes"] else words


def _change_words(change: Change) -> str:
    sign = "+" if change["added"] else "−"
    return f"{sign}{change['label'] or 'association'} {change['other']['name']} ({change['other']['id']})"
