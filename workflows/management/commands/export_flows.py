"""Write workflows as HubSpot's flow JSON, as they may be kept in git and imported elsewhere."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.text import slugify

from workflows.flows.reading import READ_ONLY
from workflows.models import Workflow
from workflows.services import flows

from ._flow_files import as_text
from ._run import WorkflowCommand


class Command(WorkflowCommand):
    help = (
        "Write workflows as HubSpot's flow JSON: to standard output as a list, or to a folder, a file each. What the"
        " server counts (ids, revisions, times) is left out, so that a file changes only if its workflow does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workflow", nargs="*", help="name or id; all, if none is given")
        parser.add_argument("--folder", type=Path, help="write a file for each workflow there")

    def handle(self, *args: Any, **options: Any) -> None:
        workflows = [self.workflow(each) for each in options["workflow"]] or list(Workflow.objects.order_by("pk"))
        written = [
            {name: value for name, value in flow.items() if name not in READ_ONLY} for flow in flows.flows_of(workflows)
        ]
        folder: Path | None = options["folder"]
        if folder is None:
            self.stdout.write(as_text(written), ending="")
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for workflow, flow in zip(workflows, written, strict=True):
                path = folder / f"{workflow.pk}-{slugify(workflow.name)[:80] or 'workflow'}.json"
                path.write_text(as_text(flow), encoding="utf-8")
                self.stdout.write(str(path))
        except OSError as error:
            raise CommandError(f"{folder} cannot be written to: {error.strerror}.") from error
