"""Load the demo CRM, turn its four workflows on, and show what the workers made of it."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from crmproject import queues
from workflows.models import Run, Workflow
from workflows.services import demo, lifecycle
from workflows.services.enrollment import enroll_matching

from ._run import outcome_lines


class Command(BaseCommand):
    help = "Load a small demo CRM with four example workflows and run them. Does nothing if there is any data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--foreground", action="store_true", help="run the workflows here, without queue or worker")
        parser.add_argument("--timeout", type=int, default=120, help="seconds to wait for the workers")

    def handle(self, *args: Any, **options: Any) -> None:
        if demo.is_empty():
            with transaction.atomic():
                workflows = demo.load_demo()
            self.stdout.write(
                f"Loaded {demo.COMPANIES} companies, {demo.CONTACTS} contacts and {demo.DEALS} deals. Running:"
            )
        elif not (workflows := demo.left_off()):
            self.stdout.write("There is data already; the demo was not loaded.")
            return
        for workflow in workflows:
            self._run(workflow, options)

    def _run(self, workflow: Workflow, options: dict[str, Any]) -> None:
        if options["foreground"]:
            with queues.foreground() as jobs:
                run = self._turn_on(workflow)
                list(jobs)
        else:
            run = self._turn_on(workflow)
            deadline = time.monotonic() + options["timeout"]
            while not Run.objects.filter(pk=run.pk, finished_at__isnull=False).exists():
                if time.monotonic() > deadline:
                    raise CommandError(f"No worker took up {run} within {options['timeout']} s. Does one run?")
                time.sleep(0.05)
        run.refresh_from_db()
        action, config = lifecycle.read_definition(run.revision.definition, workflow.object_type).actions[0]
        self.stdout.write(f"\n  {workflow.name}\n    {action.sentence(config)}")
        for line in outcome_lines(run)[1:]:
            self.stdout.write(f"    → {line.split(': ', 1)[1]}")

    def _turn_on(self, workflow: Workflow) -> Run:
        with transaction.atomic():
            lifecycle.turn_on(workflow)
            return enroll_matching(workflow, cause=Run.Cause.TURNED_ON)
