"""What happened: written in the transaction of the change itself, never changed afterwards.

A change set is one change by one origin: who, when, through what. Its facts are record events and association
changes. Change sets not yet processed are the outbox that workflows read.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class ChangeSet(models.Model):
    """One change: who made it, through what, and whether workflows have looked at it."""

    class Source(models.TextChoices):
        USER = "user", "User"
        API = "api", "API token"
        IMPORT = "import", "Import"
        WORKFLOW = "workflow", "Workflow"
        SYSTEM = "system", "System"

    at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=10, choices=Source)
    # Which one: an action run, an API token. This app does not know the workflows, so it is no foreign key.
    source_id = models.BigIntegerField(null=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    note = models.CharField(max_length=200, blank=True, help_text="In words, such as the file of an import")
    depth = models.PositiveSmallIntegerField(default=0, help_text="How many workflows led to this change")
    processed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(processed_at=None), name="change_set_outbox"),
            models.Index(fields=["source", "source_id"], name="change_set_by_source"),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.note}".strip()


class RecordEvent(models.Model):
    """Something happened to a record. `before` are its properties as they were, for kinds that change them."""

    class Kind(models.TextChoices):
        CREATED = "created", "Created"
        CHANGED = "changed", "Changed"
        ARCHIVED = "archived", "Archived"
        RESTORED = "restored", "Restored"
        MERGED = "merged", "Merged"

    change_set = models.ForeignKey(ChangeSet, models.CASCADE, related_name="record_events")
    record = models.ForeignKey("Record", models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind)
    before = models.JSONField(default=dict)


class FormerAssociation(models.Model):
    """An association row that was removed: by which change set it came, and by which it went. Insert-only.

    Outlives the records and labels it tells about.
    """

    pk = models.CompositePrimaryKey("source_id", "target_id", "type_id", "removed_by_id")
    source = models.ForeignKey("Record", models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    target = models.ForeignKey("Record", models.DO_NOTHING, related_name="+", db_constraint=False)
    type = models.ForeignKey(
        "AssociationType", models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    added_by = models.ForeignKey(ChangeSet, models.DO_NOTHING, related_name="+", db_constraint=False)
    removed_by = models.ForeignKey(ChangeSet, models.DO_NOTHING, related_name="+", db_constraint=False)
    origin = models.ForeignKey(
        ChangeSet, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    source_value = models.TextField(null=True)  # noqa: DJ001 - null is "matched on nothing", not an empty text
    target_value = models.TextField(null=True)  # noqa: DJ001


class AssociationChange(models.Model):
    """A database view, the ledger: every association row that a change set added or removed, with the values that
    matched when it came. What is there now was added by the change set that its row names; what was there stands
    in FormerAssociation. Newest first is `order_by("-change_set", "-added")`.
    """

    pk = models.CompositePrimaryKey("source_id", "target_id", "type_id", "change_set_id", "added")
    change_set = models.ForeignKey(ChangeSet, models.DO_NOTHING, related_name="association_changes")
    source = models.ForeignKey("Record", models.DO_NOTHING, related_name="+")
    target = models.ForeignKey("Record", models.DO_NOTHING, related_name="+")
    type = models.ForeignKey("AssociationType", models.DO_NOTHING, related_name="+")
    added = models.BooleanField()
    source_value = models.TextField(null=True)  # noqa: DJ001
    target_value = models.TextField(null=True)  # noqa: DJ001

    class Meta:
        managed = False
        db_table = "associations_associationchange"
