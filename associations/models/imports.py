"""How far the import of a file has come: what makes an import go on where it was stopped.

Written by services.importing in the transaction of each batch, so it tells exactly which rows are kept.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .schema import ObjectType


class ImportRun(models.Model):
    """One file read into records of one type. A file is known by its content, not by its name."""

    object_type = models.ForeignKey(ObjectType, models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=200)
    file_digest = models.CharField(max_length=32)
    plan = models.JSONField(help_text="How the file is read: its columns, and what else decides what a row means")
    rows_done = models.PositiveBigIntegerField(default=0, help_text="Rows after the header that are kept or rejected")
    created = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)
    rejects_size = models.PositiveBigIntegerField(default=0, help_text="Bytes of the rejects file that belong to it")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["object_type", "file_digest"], condition=Q(finished_at=None), name="one_open_import_of_a_file"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name
