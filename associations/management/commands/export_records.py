"""Export the records of one type as CSV."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from associations import querysets
from associations.services import exporting

from ._output import write_csv
from ._plain import plain_errors


class Command(BaseCommand):
    help = (
        "Write id, properties and times of the live records of a type as CSV (UTF-8), in id order. Text that a"
        " spreadsheet would run as a formula gets an apostrophe in front, which import_records takes off again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("type", help="object type: its name, plural label or objectTypeId")
        parser.add_argument("file", nargs="?", default="-", help="- (the default) is standard output")
        parser.add_argument("--properties", metavar="A,B", help="only these, in this order (default: all)")
        parser.add_argument("--archived", action="store_true", help="archived records as well")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = options["properties"]
        with plain_errors():
            rows = exporting.record_rows(
                querysets.object_type_named(options["type"]),
                [name.strip() for name in chosen.split(",")] if chosen else None,
                archived=options["archived"],
            )
            write_csv(rows, options["file"], self.stdout)
