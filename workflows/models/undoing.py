"""Undoing a run, and redoing what was undone. Written only by services.undo; read by admin, API and commands."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from associations.models import ChangeSet

from .execution import Batch, Run


class Undo(models.Model):
    """A run is taken back, or put back again. Worked off in parts, one for each batch of the run.

    With `is_preview` it is only counted what that would do; a run keeps the last such count, until it is undone.
    """

    class Kind(models.TextChoices):
        UNDO = "undo", "Undo"
        REDO = "redo", "Redo"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"

    run = models.ForeignKey(Run, models.CASCADE, related_name="undos")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.UNDO)
    is_preview = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "is_preview"], condition=Q(state="running"), name="one_undo_of_a_run_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of run {self.run_id}"


class UndoPart(models.Model):
    """What one batch of the run did, taken back in one transaction. `counts` says what became of it (see
    associations.services.reversal.Counts)."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"

    undo = models.ForeignKey(Undo, models.CASCADE, related_name="parts")
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    change_set = models.ForeignKey(ChangeSet, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    counts = models.JSONField(default=dict)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["undo", "batch"], name="undo_has_one_part_per_batch")]
        indexes = [models.Index(fields=["updated_at"], condition=Q(state="waiting"), name="undo_part_waiting")]

    def __str__(self) -> str:
        return f"Part of {self.undo}"


class LeftPair(models.Model):
    """Two records that an undo left alone, and why. `change_set` is who is in the way, where somebody is."""

    class Reason(models.TextChoices):
        CHANGED = "changed", "Changed since"
        RECORD_GONE = "record_gone", "A record was deleted or merged"
        LABEL_GONE = "label_gone", "The label was deleted"
        PRIMARY_TAKEN = "primary_taken", "Another company is the primary one by now"
        LIMIT_REACHED = "limit_reached", "A limit allows no more"

    part = models.ForeignKey(UndoPart, models.CASCADE, related_name="left", db_index=False)
    source_id = models.BigIntegerField()
    target_id = models.BigIntegerField()
    reason = models.CharField(max_length=20, choices=Reason)
    change_set = models.ForeignKey(
        ChangeSet, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    pk = models.CompositePrimaryKey("part_id", "source_id", "target_id")

    def __str__(self) -> str:
        return f"{self.source_id} and {self.target_id}: {self.get_reason_display()}"
