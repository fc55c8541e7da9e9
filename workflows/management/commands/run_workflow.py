"""Enroll records in a workflow and do its actions right here, without queue or worker."""

from __future__ import annotations

from typing import Any

from crmproject import queues

from ._run import RunCommand


class Command(RunCommand):
    help = "Enroll records in a workflow that is on and do its actions in the foreground, without any queue."

    def handle(self, *args: Any, **options: Any) -> None:
        with queues.foreground() as jobs:
            run = self.start(options)
            self.follow(run, jobs)
