"""The product beside the floors of the same run: see tests/benchmarks, which does the work.

Called by `make bench`. The benchmark makes a database and a queue of its own, so it runs as a process of its own, too.
"""

import os
import sys
from argparse import REMAINDER, ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Measures the product beside the bare statements of the same run, on a database of its own"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("arguments", nargs=REMAINDER, help="those of `python -m tests.benchmarks`; see its --help")

    def run_from_argv(self, argv: list[str]) -> None:  # --records and the like are for the benchmark to read
        if not (settings.BASE_DIR / "tests" / "benchmarks").exists():
            raise CommandError("The benchmark stands in tests/benchmarks, which this installation does not have.")
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "tests.benchmarks", *argv[2:]])  # noqa: S606 - our own program

    def handle(self, *args: Any, **options: Any) -> None:
        self.run_from_argv(["manage.py", "benchmark", *options["arguments"]])
