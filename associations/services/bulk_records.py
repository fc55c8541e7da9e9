"""The bulk jobs that need nothing but records: archive, restore, export. Named in settings.BULK_KINDS."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

from django.conf import settings
from django.utils import timezone

from associations.models import BulkJob, BulkPart, Record

from . import archiving, exporting
from .bulk import RecordsKind


class Archive(RecordsKind):
    permission = "associations.change_record"

    def do_with(self, ids: list[int]) -> None:
        assert self.job.object_type is not None
        archiving.archive_records(self.job.object_type, ids, origin=self.origin())

    def finish(self) -> str:
        return f"{self.job.done:,} were archived."


class Restore(RecordsKind):
    permission = "associations.change_record"

    def do_with(self, ids: list[int]) -> None:
        assert self.job.object_type is not None
        archiving.restore_records(self.job.object_type, ids, origin=self.origin())

    def finish(self) -> str:
        return f"{self.job.done:,} were restored."


class Export(RecordsKind):
    """Makes a CSV file of all properties, kept in parts with the job."""

    permission = "associations.view_record"
    chunk = 5_000

    def do_with(self, ids: list[int]) -> None:
        assert self.job.object_type is not None
        records = Record.objects.filter(id__range=(ids[0], ids[-1]), id__in=self.selection().records().values("id"))
        properties = self.job.fields["properties"]
        header = [] if self.job.position else [exporting.header(properties)]
        _add_part(self.job, chain(header, exporting.rows_of(records, properties)))

    def finish(self) -> str:
        if not self.job.done:  # a file without rows still names its columns
            _add_part(self.job, [exporting.header(self.job.fields["properties"])])
        return f"{self.job.done:,} are in the file."


def _add_part(job: BulkJob, rows: Iterable[list[Any]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    number = job.parts.count()
    BulkPart.objects.create(job=job, number=number, content=zlib.compress(text.getvalue().encode(), 6))


def forget_files() -> int:
    """Delete the files of exports that are older than EXPORT_DAYS; how many parts. The jobs stay listed."""
    before = timezone.now() - timedelta(days=settings.EXPORT_DAYS)
    return BulkPart.objects.filter(job__finished_at__lt=before).delete()[0]


def file_of(job: BulkJob) -> Iterator[bytes]:
    """The file that an export made, part by part."""
    for content in job.parts.order_by("number").values_list("content", flat=True).iterator(chunk_size=10):
        yield zlib.decompress(bytes(content))
