"""What runs and what came of it.

A run enrolls records in a workflow; it is worked off in batches, a batch action by action. Written only by
services.enrollment and services.execution; read by admin, API and commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime

from associations.models import ChangeSet, Record

from .definition import Workflow, WorkflowRevision

if TYPE_CHECKING:
    from .review import RuledOut


class Run(models.Model):
    """Records enrolled together, pinned to the revision that the run started with."""

    class Cause(models.TextChoices):
        MANUAL = "manual", "Enrolled by hand"
        TURNED_ON = "turned_on", "Met the triggers when it was turned on"
        TRIGGERED = "triggered", "Came to meet the triggers"
        SCHEDULED = "scheduled", "Met the triggers at the scheduled time"
        KEEP_IN_SYNC = "keep_in_sync", "Values changed, to keep in sync"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"
        REFUSED = "refused", "Refused"

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="runs")
    revision = models.ForeignKey(WorkflowRevision, models.PROTECT, related_name="runs")
    cause = models.CharField(max_length=20, choices=Cause, default=Cause.MANUAL)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    # Groups of filters: whom to enroll, for a run whose batches are ranges of ids; null where records were named.
    criteria = models.JSONField(null=True)
    depth = models.PositiveSmallIntegerField(default=0, help_text="How many workflows led to this run")
    note = models.TextField(blank=True, help_text="Why it was refused")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    # Set while it is undone: whom it enrolled counts as never enrolled by it.
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(finished_at=None), name="run_unfinished"),
            models.Index(fields=["id"], condition=models.Q(state__in=("failed", "refused")), name="run_failed"),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk} of {self.workflow}"


class Batch(models.Model):
    """A part of a run that one worker does at a time: the records of a range of ids, or of named ones.

    `position` is the action due next; whoever works on the batch holds its row locked, so that a second
    delivery of the same job finds nothing to do.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"

    run = models.ForeignKey(Run, models.CASCADE, related_name="batches")
    first_record_id = models.BigIntegerField()
    last_record_id = models.BigIntegerField()
    position = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    error = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "batches"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "first_record_id"], name="batches_do_not_overlap")]
        indexes = [
            models.Index(fields=["updated_at"], condition=models.Q(state="waiting"), name="batch_waiting"),
            models.Index(fields=["id"], condition=models.Q(state="failed"), name="batch_failed"),
        ]

    def __str__(self) -> str:
        return f"Batch {self.pk}"


class Enrollment(models.Model):
    """A record is in a workflow. `ordinal` counts its enrollments there from 0: two at once are one.

    Null is a record that was enrolled and is only looked at again, to keep it in sync, which is no enrollment.
    """

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        FINISHED = "finished", "Finished"
        UNENROLLED = "unenrolled", "Unenrolled"
        FAILED = "failed", "Failed"

    workflow = models.ForeignKey(
        Workflow, models.CASCADE, related_name="enrollments", db_index=False, db_constraint=False
    )
    record = models.ForeignKey(Record, models.CASCADE, related_name="enrollments", db_index=False, db_constraint=False)
    ordinal = models.PositiveIntegerField(default=0, null=True)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="enrollments", db_constraint=False)
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    enrolled_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["record", "workflow", "ordinal"], name="enrolled_once_at_a_time"),
        ]
        indexes = [
            models.Index(fields=["workflow", "record"], condition=models.Q(state="active"), name="enrollment_active"),
            models.Index(fields=["workflow", "id", "ordinal"], name="enrollment_by_workflow"),
        ]

    def __str__(self) -> str:
        return f"{self.record} in {self.workflow}"


class ActionRun(models.Model):
    """One action, done for one batch: exactly once, for this row is written with its effects."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="action_runs")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=50)
    change_set = models.ForeignKey(ChangeSet, models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # {"created": {"records": 7, "pairs": 9}, …}: the sums of its outcomes
    outcomes = models.JSONField(default=dict)

    class Meta:
        ordering = ["batch", "position"]
        constraints = [models.UniqueConstraint(fields=["batch", "position"], name="action_done_once_per_batch")]

    def __str__(self) -> str:
        return f"{self.kind} for batch {self.batch_id}"


class Outcome(models.TextChoices):
    """What an action did for a record, or why it did nothing."""

    CREATED = "created", "Association created"
    ALREADY_THERE = "already_there", "Was there already"
    LABEL_ADDED = "label_added", "Label added"
    LABEL_REMOVED = "label_removed", "Label removed"
    ASSOCIATION_REMOVED = "association_removed", "Association removed"
    NO_VALUE = "no_value", "The record has no value to match"
    NO_MATCH = "no_match", "No record matches"
    CAPPED = "capped", "More records match than the action allows"
    AMBIGUOUS = "ambiguous", "Several records match; put up for review"
    LIMIT_REACHED = "limit_reached", "A limit allows no more"
    CONDITION_NOT_MET = "condition_not_met", "The condition is not met"
    NOT_ASSOCIATED = "not_associated", "Not associated in this way"
    RECORD_ARCHIVED = "record_archived", "The record is archived"
    WORKFLOW_OFF = "workflow_off", "The workflow was turned off"


class ActionOutcome(models.Model):
    """One outcome of one action for one record. `count` is of pairs; 0 where the outcome is about the record itself.

    `value` is what was looked for.
    """

    pk = models.CompositePrimaryKey("action_run_id", "record_id", "outcome")
    action_run = models.ForeignKey(
        ActionRun, models.CASCADE, related_name="record_outcomes", db_index=False, db_constraint=False
    )
    record = models.ForeignKey(Record, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    outcome = models.CharField(max_length=20, choices=Outcome)
    count = models.PositiveIntegerField(default=0)
    value = models.TextField(null=True)  # noqa: DJ001 - null is "looked for nothing", not an empty text

    # Who said last that none of those that match is meant; filled in by querysets.outcomes_of.
    ruled_out: RuledOut | None = None

    class Meta:
        indexes = [  # what was put up for review is found among all that actions ever said
            models.Index(fields=["action_run", "record"], condition=models.Q(outcome="ambiguous"), name="up_for_review")
        ]

    @property
    def said(self) -> str:
        """The outcome in words, with what a person answered to it."""
        words = self.get_outcome_display()
        if self.ruled_out is None:
            return words
        return f"{words}. None of them, said {self.ruled_out.who}, {date_format(localtime(self.ruled_out.at))}"
