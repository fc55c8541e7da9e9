"""Forget the history that is older than it is kept for."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from workflows.services.pruning import prune_history


class Command(BaseCommand):
    help = (
        "Forget outcomes, events and former associations that are older than so many days. Runs keep their sums, and"
        " every association that is there still says why. A run whose history is gone can no longer be undone. Also the"
        " match keys of values that no action matches on any more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=settings.HISTORY_DAYS, help="default: HISTORY_DAYS, or 180")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < 1:
            raise CommandError("--days takes a number of days from 1.")
        gone = prune_history(options["days"])
        words = ", ".join(f"{count:,} {what}" for what, count in sorted(gone.items()) if count)
        self.stdout.write(f"Forgotten: {words or 'nothing'}.")
