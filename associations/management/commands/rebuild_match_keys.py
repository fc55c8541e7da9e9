"""Read the match keys anew from the records."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from associations import querysets
from associations.models import MatchIndex
from associations.services import match_keys

from ._plain import plain_errors


class Command(BaseCommand):
    help = "Read anew the keys by which actions match property values. check_associations tells whether it is needed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--property", metavar="TYPE.NAME", help="only of this property, such as company.name")

    def handle(self, *args: Any, **options: Any) -> None:
        indexes = MatchIndex.objects.select_related("property__object_type").order_by("id")
        with plain_errors():
            if options["property"]:
                type_name, _, name = options["property"].rpartition(".")
                object_type = querysets.object_type_named(type_name)
                indexes = indexes.filter(property__object_type=object_type, property__name=name)
                if not indexes:
                    raise CommandError(f"No action matches on {options['property']}, so it has no keys.", returncode=2)
            for index in indexes:
                count = match_keys.rebuild(index)
                name = f"{index.property.object_type.name}.{index.property.name}"
                self.stdout.write(f"{name}, {index.get_comparison_display()}: {count:,} keys")
