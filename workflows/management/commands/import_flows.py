"""Make workflows of HubSpot's flow JSON, and list line by line what could not be taken over."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from associations.errors import Refused
from workflows.models import Workflow
from workflows.services import flows

from ._flow_files import flows_in


class Command(BaseCommand):
    help = (
        "Make workflows of HubSpot's flow JSON: files with a flow, a list of flows, or an answer of the automation API."
        " What the product cannot do is kept, and listed line by line. They are off, unless --turn-on says otherwise."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="+", type=Path)
        parser.add_argument("--replace", action="store_true", help="put a flow in the place of a workflow of its name")
        parser.add_argument("--turn-on", action="store_true", help="turn on those that are on in the file")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = 0
        for path in options["file"]:
            for number, flow in enumerate(flows_in(path), 1):
                name = flow.get("name") if isinstance(flow, dict) else None
                try:
                    self._import(f"{path}: {name or f'flow {number}'}", flow, options)
                except (Refused, ValidationError) as error:
                    failed += 1
                    hint = " Or say --replace." if isinstance(error, flows.NameTaken) else ""
                    self.stderr.write(f"{path}: {name or f'flow {number}'}: not imported. {_words(error)}{hint}")
        if failed:
            raise CommandError(f"{failed} {'flow was' if failed == 1 else 'flows were'} not imported.")

    def _import(self, told: str, flow: Any, options: dict[str, Any]) -> None:
        on = options["turn_on"] and isinstance(flow, dict) and flow.get("isEnabled") is True
        there = Workflow.objects.filter(name=flow.get("name")).first() if isinstance(flow, dict) else None
        if there and options["replace"]:
            given = {**flow, "revisionId": there.edits, "isEnabled": on or there.is_enabled}
            workflow = flows.replace_flow(there, given, lenient=True)
        else:
            given = {**flow, "isEnabled": on} if isinstance(flow, dict) else flow
            workflow = flows.create_flow(given, lenient=True)
        done = "replaced" if there else "made"
        self.stdout.write(f"{told}: {done}, workflow {workflow.pk}, {'on' if workflow.is_enabled else 'off'}")
        for problem in flows.flows_of([workflow])[0].get("cannotRun", []):
            self.stdout.write(f"  not taken over: {problem['in']}: {problem['message']}")


def _words(error: Refused | ValidationError) -> str:
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
