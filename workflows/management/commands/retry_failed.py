"""Try again what was put aside because its action failed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows.models import Batch, Run
from workflows.services import isolation


class Command(BaseCommand):
    help = "Try failed batches again, of all runs or of some; the workers do it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", nargs="*", type=int, help="a run's id")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = Batch.objects.filter(state=Batch.State.FAILED)
        if options["run"]:
            failed = failed.filter(run__in=options["run"])
            known = set(Run.objects.filter(pk__in=options["run"]).values_list("pk", flat=True))
            if missing := sorted(set(options["run"]) - known):
                raise CommandError(f"There is no run {missing[0]}.")
        count = isolation.retry(failed)
        self.stdout.write(f"{count:,} {'batch is' if count == 1 else 'batches are'} tried again.")
