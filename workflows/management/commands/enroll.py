"""Enroll records in a workflow through the queue."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from workflows.models import Run

from ._run import RunCommand


class Command(RunCommand):
    help = "Enroll records in a workflow that is on; the workers do the rest. See run_workflow for doing it here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--wait", action="store_true", help="wait for the end and say what came of it")

    def handle(self, *args: Any, **options: Any) -> None:
        run = self.start(options)
        if options["wait"]:
            self.follow(run, self._until_finished(run))
        else:
            self.stdout.write(f"{run} waits for a worker.")

    def _until_finished(self, run: Run) -> Iterator[None]:
        while not Run.objects.filter(pk=run.pk, finished_at__isnull=False).exists():
            time.sleep(0.1)
            yield
