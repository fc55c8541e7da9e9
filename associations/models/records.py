"""Records, the associations between them, and what is derived from both for speed.

Changed only through `services` (records, merging, linking, match_keys); read by everybody.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from .history import ChangeSet
from .schema import AssociationType, ObjectType, Property

KEY_BYTES = 16


class Record(models.Model):
    """One contact, company, … `properties` holds only known values, typed (see `property_values`)."""

    object_type = models.ForeignKey(ObjectType, models.PROTECT, related_name="records")
    properties = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)
    # Derived: what it is shown by, normalized (comparison.name_key). As bytes, which both databases put in one order.
    name_key = models.BinaryField(default=b"", db_default=b"", editable=False)
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(archived_at__isnull=False), name="merged_record_is_archived"
            ),
        ]
        indexes = [
            models.Index(fields=["object_type", "id"], name="record_by_type"),
            models.Index(fields=["object_type", "name_key", "id"], name="record_by_name"),
            models.Index(fields=["object_type", "id"], condition=~Q(archived_at=None), name="record_archived"),
            # Programs that keep a copy ask for what changed since they asked last.
            models.Index(fields=["object_type", "updated_at", "id"], name="record_by_change"),
        ]

    def __str__(self) -> str:
        value = self.properties.get(self.object_type.primary_property)
        return str(value) if value is not None else f"{self.object_type.label} {self.pk}"


class UniqueValue(models.Model):
    """Derived from live records: who holds a value of a unique property. The constraint is the rule."""

    pk = models.CompositePrimaryKey("property_id", "record_id")
    property = models.ForeignKey(Property, models.CASCADE, related_name="+")
    record = models.ForeignKey(Record, models.CASCADE, related_name="+")
    key = models.BinaryField(max_length=KEY_BYTES)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["property", "key"], name="unique_value_belongs_to_one_record")]


class MatchIndex(models.Model):
    """A property whose values are kept as match keys, because some action matches on it this way."""

    class Comparison(models.TextChoices):
        NORMALIZED = "normalized", "Normalized text (case, spaces and width do not matter)"
        EXACT = "exact", "Exactly the same text"
        PHONE = "phone", "Phone number"
        DOMAIN = "domain", "Domain of an e-mail address or URL"

    property = models.ForeignKey(Property, models.CASCADE, related_name="match_indexes")
    comparison = models.CharField(max_length=20, choices=Comparison)
    built_at = models.DateTimeField(null=True, help_text="Since when it covers every record")
    # How far the build has come: up to which record, and up to which of the events that have happened since it began.
    last_record = models.BigIntegerField(default=0)
    last_event = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["property", "comparison"], name="one_match_index_each")]


class MatchKey(models.Model):
    """Derived from live records: the digest of a normalized value. Equal keys are equal values."""

    pk = models.CompositePrimaryKey("index_id", "record_id")
    index = models.ForeignKey(MatchIndex, models.CASCADE, related_name="keys", db_index=False, db_constraint=False)
    record = models.ForeignKey(Record, models.CASCADE, related_name="+", db_constraint=False)
    key = models.BinaryField(max_length=KEY_BYTES)

    class Meta:
        indexes = [models.Index(fields=["index", "key", "record"], name="match_key_lookup")]


class Association(models.Model):
    """Two records are associated under a type: one row, in the type's own direction.

    A labeled pair has its unlabeled row as well. Symmetric types store the smaller record id as source. Whoever writes
    rows holds the records and types they refer to (see ARCHITECTURE.md): a foreign key that is checked row by row costs
    as much as the row itself, three of them three times that.
    """

    pk = models.CompositePrimaryKey("source_id", "type_id", "target_id")
    source = models.ForeignKey(Record, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    target = models.ForeignKey(Record, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    type = models.ForeignKey(AssociationType, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    # The change set that made this row: its provenance, and how a writer knows which rows were its own.
    change_set = models.ForeignKey(ChangeSet, models.DO_NOTHING, related_name="+", db_constraint=False)
    # Where an undo has put the row back: the change set that had made it.
    origin = models.ForeignKey(
        ChangeSet, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    # The values that matched when it was made, as they were written then.
    source_value = models.TextField(null=True)  # noqa: DJ001 - null is "matched on nothing", not an empty text
    target_value = models.TextField(null=True)  # noqa: DJ001

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(source=F("target")), name="never_with_itself"),
            models.UniqueConstraint(
                fields=["source"], condition=Q(type__in=AssociationType.PRIMARY_IDS), name="one_primary_company"
            ),
        ]
        indexes = [
            models.Index(fields=["target", "type"], name="association_by_target"),
            models.Index(fields=["origin"], condition=Q(origin__isnull=False), name="association_put_back"),
        ]


class AssociationClaim(models.Model):
    """Somebody who keeps associations in sync asks for this association row, and nobody else does.

    `claimant` is a number that the caller chose (an action of a workflow, which this app does not know), `record` the
    end that it asks for. It holds while the row is the one that `made_by` has made; whoever else asks for a row that is
    there already releases its claims.
    """

    pk = models.CompositePrimaryKey("claimant", "record_id", "source_id", "type_id", "target_id")
    claimant = models.BigIntegerField()
    record = models.ForeignKey(Record, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    source = models.ForeignKey(Record, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    target = models.ForeignKey(Record, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    type = models.ForeignKey(AssociationType, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    made_by = models.ForeignKey(ChangeSet, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(record=F("source")) | Q(record=F("target")), name="claim_is_of_one_of_its_ends"
            ),
        ]
        indexes = [
            models.Index(fields=["source", "type", "target"], name="claim_by_row"),
            models.Index(fields=["target"], name="claim_by_target"),
        ]


class AssociationEnd(models.Model):
    """A database view: every association from both its sides, so that no reader asks which way a row lies.

    `type_id` is the directed type id from `record` to `other`.
    """

    pk = models.CompositePrimaryKey("record_id", "type_id", "other_id")
    record = models.ForeignKey(Record, models.DO_NOTHING, related_name="association_ends")
    other = models.ForeignKey(Record, models.DO_NOTHING, related_name="+")
    type_id = models.BigIntegerField()
    association_type = models.ForeignKey(AssociationType, models.DO_NOTHING, related_name="+")
    change_set = models.ForeignKey(ChangeSet, models.DO_NOTHING, related_name="+")

    class Meta:
        managed = False
        db_table = "associations_associationend"
