"""Do in the foreground all that waits: events, runs, batches. Needs no queue server."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from crmproject import queues
from workflows.services.sweeping import sweep


class Command(BaseCommand):
    help = "Process waiting events, runs and batches here and now, without any queue."

    def handle(self, *args: Any, **options: Any) -> None:
        with queues.foreground() as jobs:
            sweep(seconds=-1)  # whatever waits, however new
            done = sum(1 for _ in jobs)
        self.stdout.write(f"{done} jobs done; nothing waits.")
