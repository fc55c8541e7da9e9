"""What commands on a workflow share: which one; and of those that run it, whom to enroll and what came of it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from associations.errors import Refused
from workflows.actions import ACTIONS
from workflows.models import ActionRun, Batch, Outcome, Run, Workflow
from workflows.services import enrollment

FILTER_HELP = (
    "only records that meet this: PROPERTY OPERATOR [VALUE[;VALUE…]], such as 'city is_any_of Boston;Rome' or"
    " 'email is_known'; several must all be met"
)


class WorkflowCommand(BaseCommand):
    def workflow(self, name: str) -> Workflow:
        workflows = Workflow.objects.select_related("object_type", "revision")
        is_id = name.isascii() and name.isdecimal() and len(name) < 19
        found = workflows.filter(name=name).first() or (workflows.filter(pk=name).first() if is_id else None)
        if found is None:
            known = ", ".join(Workflow.objects.values_list("name", flat=True)[:20]) or "none"
            raise CommandError(f"There is no workflow {name!r}. There are: {known}.")
        return found


class RunCommand(WorkflowCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workflow", help="name or id")
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--filter", action="append", default=[], help=FILTER_HELP)
        chosen.add_argument("--record", action="append", type=int, default=[], help="a record's id; may be repeated")
        chosen.add_argument("--all", action="store_true", help="every record of the workflow's object type")

    def start(self, options: dict[str, Any]) -> Run:
        """Enroll whom the options name; by default those who meet the workflow's triggers."""
        workflow = self.workflow(options["workflow"])
        try:
            if options["record"]:
                return enrollment.enroll_records(workflow, options["record"])
            if options["all"] or options["filter"]:
                return enrollment.enroll_matching(workflow, [[_read_filter(each) for each in options["filter"]]])
            return enrollment.enroll_matching(workflow)
        except Refused as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error

    def follow(self, run: Run, steps: Iterable[Any]) -> None:
        """Show a bar while `steps` go on, then say what came of it."""
        with tqdm(unit="batch", disable=None, desc=run.workflow.name) as bar:
            for _ in steps:
                bar.total = Batch.objects.filter(run=run).count() or None
                bar.n = Batch.objects.filter(run=run).exclude(state=Batch.State.WAITING).count()
                bar.refresh()
        run.refresh_from_db()
        self.stdout.write("\n".join(outcome_lines(run)))
        if run.state == Run.State.FAILED:
            errors = Batch.objects.filter(run=run).exclude(error="").values_list("error", flat=True)
            raise CommandError(f"{run} failed: {'; '.join(sorted(set(errors)))}")


def outcome_lines(run: Run) -> list[str]:
    """What each action of a run did, a line each."""
    sums: dict[tuple[int, str], Counter[str]] = {}
    for action_run in ActionRun.objects.filter(batch__run=run).order_by("position"):
        sums.setdefault((action_run.position, action_run.kind), Counter()).update(
            {outcome: each["pairs"] or each["records"] for outcome, each in action_run.outcomes.items()}
        )
    lines = [f"{run}: {run.get_state_display().lower()}"]
    for (position, kind), counts in sums.items():
        words = ", ".join(f"{Outcome(outcome).label}: {count:,}" for outcome, count in sorted(counts.items()))
        lines.append(f"  {position + 1}. {ACTIONS[kind].label}: {words or 'nobody was enrolled'}")
    return lines


def _read_filter(text: str) -> dict[str, Any]:
    words: Sequence[str] = text.split(maxsplit=2)
    if len(words) < 2:
        raise CommandError(f"{text!r} is not PROPERTY OPERATOR [VALUE[;VALUE…]].")
    values = [value.strip() for value in words[2].split(";")] if len(words) == 3 else []
    return {"kind": "property", "property": words[0], "operator": words[1], "values": values}
