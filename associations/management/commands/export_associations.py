"""Export associations and their labels as CSV."""

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
        "Write every association and label as a row of CSV (UTF-8), in id order: both records, the type id of that"
        " direction, the word of both sides, and when and through what it came."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="- (the default) is standard output")
        parser.add_argument("--from", dest="from_type", metavar="TYPE", help="only from records of this object type")
        parser.add_argument("--to", dest="to_type", metavar="TYPE", help="only to records of this object type")
        parser.add_argument("--label", type=int, metavar="ID", help="only this type id, in its direction")

    def handle(self, *args: Any, **options: Any) -> None:
        with plain_errors():
            from_type, to_type = (
                querysets.object_type_named(options[each]) if options[each] else None
                for each in ("from_type", "to_type")
            )
            label = querysets.directed_type(options["label"]) if options["label"] is not None else None
            write_csv(exporting.association_rows(from_type, to_type, label), options["file"], self.stdout)
