"""What a run over all records would do, counted exactly by a job. Written only by services.preview."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .definition import Workflow


class Preview(models.Model):
    """One counting, of the definition as it was when it was asked for. A workflow keeps its last one."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="previews")
    definition = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    # See services.preview.Figures: from a sample at first, in the end exact.
    figures = models.JSONField()
    note = models.TextField(blank=True, help_text="Why it failed")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Preview of {self.workflow}"


class PreviewPart(models.Model):
    """A part of a preview's rows: compressed CSV, so that every web server has what some worker has counted."""

    preview = models.ForeignKey(Preview, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["preview", "number"]
        constraints = [models.UniqueConstraint(fields=["preview", "number"], name="preview_part_is_unique")]

    def __str__(self) -> str:
        return f"Part {self.number} of {self.preview}"
