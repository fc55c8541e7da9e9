"""What people define: which records a workflow enrolls, and what it does with them.

Rows are what people edit; the engine executes a WorkflowRevision, an unchangeable snapshot of them.
Changed only through services.lifecycle (and the admin's forms, which validate with the same rules).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from associations.models import AssociationType, ObjectType, Property


class NotDeleted(models.Manager["Workflow"]):
    """Deleted workflows that have a history stay for its sake, and nobody sees them but through it."""

    def get_queryset(self) -> models.QuerySet[Workflow]:
        return super().get_queryset().filter(deleted_at=None)


class Workflow(models.Model):
    name = models.CharField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    object_type = models.ForeignKey(
        ObjectType, models.PROTECT, related_name="workflows", help_text="Which records it enrolls; fixed once created"
    )
    is_enabled = models.BooleanField("on", default=False, editable=False)
    should_re_enroll = models.BooleanField(
        "re-enrollment", default=False, help_text="A record may be enrolled again when it comes to meet the triggers"
    )
    re_enrollment_properties = models.JSONField(
        default=list, blank=True, help_text="Names of properties whose change enrolls again while the triggers are met"
    )
    unenroll_when_not_met = models.BooleanField(
        "unenroll when no longer matching", default=False, help_text="Actions not done yet are left out then"
    )
    schedule = models.JSONField(null=True, blank=True, help_text="See schedules.py")
    # Derived from the live revision's schedule; null where there is none.
    next_run_at = models.DateTimeField(null=True, editable=False)
    # Change sets up to this one were before it was turned on, and are no reason to enroll.
    since_change_set = models.BigIntegerField(default=0, editable=False)
    revision = models.ForeignKey(
        "WorkflowRevision", models.PROTECT, null=True, editable=False, related_name="+", help_text="What runs now"
    )
    edits = models.PositiveIntegerField(default=1, editable=False, help_text="Counts its changes: the revisionId")
    # As it was last sent to the API: {"given": …, "meant": …, "problems": …}, see flows/reading.py; else empty.
    flow = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = NotDeleted()
    with_deleted = models.Manager["Workflow"]()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(is_enabled=False), name="deleted_workflow_is_off"
            ),
            models.CheckConstraint(
                condition=models.Q(is_enabled=False) | models.Q(revision__isnull=False),
                name="live_workflow_has_revision",
            ),
        ]
        permissions = [
            ("enable_workflow", "Can turn workflows on and off"),
            ("run_workflow", "Can enroll records in workflows"),
        ]

    def __str__(self) -> str:
        return self.name


class EnrollmentTrigger(models.Model):
    """One filter of the enrollment (or suppression) criteria, or one event. Filters of one group go together by AND,
    groups by OR; each event stands for itself."""

    class Kind(models.TextChoices):
        PROPERTY = "property", "Property of the record"
        ASSOCIATED_PROPERTY = "associated_property", "Property of an associated record"
        ASSOCIATION = "association", "Has or lacks an association"
        EVENT = "event", "Event"
        UNSUPPORTED = "unsupported", "Cannot be tested here"

    class Purpose(models.TextChoices):
        ENROLL = "enroll", "Enrolls"
        SUPPRESS = "suppress", "Keeps out"

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="triggers")
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.ENROLL)
    group = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=30, choices=Kind, default=Kind.PROPERTY)
    fields = models.JSONField(default=dict, help_text="What criteria.py or triggers.py reads for this kind")

    class Meta:
        ordering = ["workflow", "group", "id"]

    def __str__(self) -> str:
        return f"{self.workflow}: group {self.group}"


class Action(models.Model):
    """One step. `fields` is read through the typed config of its kind (see workflows.actions)."""

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="actions")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=50)
    fields = models.JSONField(default=dict)

    class Meta:
        ordering = ["workflow", "position", "id"]

    def __str__(self) -> str:
        return f"{self.workflow}: {self.kind}"


class WorkflowRevision(models.Model):
    """A snapshot of a workflow as it was turned on or changed while on. Never changes."""

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    edits = models.PositiveIntegerField(default=0, help_text="The workflow's when it was made")
    # Who its actions that keep in sync claim associations as: {"0": 17} by position; handed down to the next revision.
    claimants = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["workflow", "number"]
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="revision_number_is_unique")]

    def __str__(self) -> str:
        return f"{self.workflow}, revision {self.number}"


class WorkflowReference(models.Model):
    """Derived from triggers, actions and the current revision: what a workflow refers to.

    PROTECT makes the database refuse to pull a label or property from under a workflow.
    """

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="references")
    association_type = models.ForeignKey(AssociationType, models.PROTECT, null=True, related_name="workflow_references")
    property = models.ForeignKey(Property, models.PROTECT, null=True, related_name="workflow_references")
    object_type = models.ForeignKey(ObjectType, models.PROTECT, null=True, related_name="workflow_references")

    def __str__(self) -> str:
        return f"in workflow {self.workflow}"
