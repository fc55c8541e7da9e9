"""What people set going for many records at once and a worker does, chunk by chunk.

Written by services.bulk only: how far a job is stands in the transaction of the chunk itself, so a worker that dies
costs one chunk, and doing a chunk twice does nothing the second time.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .schema import ObjectType


class BulkJob(models.Model):
    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=30, help_text="A key of settings.BULK_KINDS")
    title = models.CharField(max_length=200, help_text="What is done to what, in words")
    object_type = models.ForeignKey(ObjectType, models.CASCADE, null=True, related_name="+")
    fields = models.JSONField(default=dict, help_text="The selection, and what else the kind asks for")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    total = models.PositiveBigIntegerField(null=True, help_text="Of how many; empty until they are counted")
    done = models.PositiveBigIntegerField(default=0)
    position = models.BigIntegerField(default=0, help_text="Up to which id it is done")
    result = models.TextField(blank=True, help_text="What came of it, or why it failed, in words")
    link = models.CharField(max_length=200, blank=True, help_text="Where to see what came of it: a page of the admin")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "bulk job"
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], condition=Q(finished_at=None), name="bulk_job_unfinished")]

    def __str__(self) -> str:
        return self.title


class BulkPart(models.Model):
    """A part of the file that an export makes: in the database, where every web server and worker finds it."""

    pk = models.CompositePrimaryKey("job_id", "number")
    job = models.ForeignKey(BulkJob, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField(help_text="Compressed (zlib)")
