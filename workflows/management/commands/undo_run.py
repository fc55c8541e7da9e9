"""Undo a run right here, without queue or worker; or say what that would do."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from associations.errors import Refused
from associations.services.reversal import Counts
from crmproject import queues
from workflows.models import LeftPair, Run, Undo
from workflows.services import undo, undo_preview


class Command(BaseCommand):
    help = "Take back exactly what a run did to associations. What somebody changed since is left alone and listed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, help="the number of the run")
        parser.add_argument("--redo", action="store_true", help="put back what was undone")
        parser.add_argument("--preview", action="store_true", help="only say what it would do")

    def handle(self, *args: Any, **options: Any) -> None:
        run = Run.objects.select_related("workflow").filter(pk=options["run"]).first()
        if run is None:
            raise CommandError(f"There is no run {options['run']}.")
        try:
            if options["preview"]:
                self.stdout.write("\n".join(_lines(undo_preview.look(run, redo=options["redo"]).counts, "would be")))
            else:
                self._do(run, redo=options["redo"])
        except Refused as error:
            raise CommandError(str(error)) from error

    def _do(self, run: Run, *, redo: bool) -> None:
        with queues.foreground() as jobs:
            started = undo.start(run, redo=redo)
            list(tqdm(jobs, unit="part", disable=None, desc=str(started)))
        started.refresh_from_db()
        self.stdout.write("\n".join(_lines(undo.counts_of(started), "were")))
        for pair in LeftPair.objects.filter(part__undo=started).order_by("pk")[:100]:
            self.stdout.write(f"  {pair}")
        if started.state != Undo.State.FINISHED:
            errors = sorted(set(started.parts.exclude(error="").values_list("error", flat=True)))
            raise CommandError(f"{started} failed: {'; '.join(errors)}")


def _lines(counts: Counts, verb: str) -> list[str]:
    return [
        f"{counts.associations_removed:,} associations and {counts.labels_removed:,} labels {verb} removed,",
        f"{counts.associations_restored:,} associations and {counts.labels_restored:,} labels {verb} put back,",
        f"{counts.left_alone:,} pairs {verb} left alone.",
    ]
