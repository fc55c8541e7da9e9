"""Read anew what pages search by and the sums that they show."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from associations.models import ObjectType
from associations.services import derived, figures


class Command(BaseCommand):
    help = "Read anew what records are searched and sorted by, and the sums of associations that pages show."

    def handle(self, *args: Any, **options: Any) -> None:
        for object_type in ObjectType.objects.all():
            mended = derived.rebuild_names(object_type)
            self.stdout.write(f"{object_type.plural_label}: {mended:,} names were mended")
        self.stdout.write(f"Associations by day, type and source: {figures.rebuild_figures():,} figures")
