"""The ledger in sums, derived: what pages show of millions of associations without counting them.

Added to by services.figures when workflows have looked at a change set, once each; read by the admin.
"""

from __future__ import annotations

from django.db import models

from .history import ChangeSet
from .schema import AssociationType


class AssociationFigure(models.Model):
    """How many rows of a type were added and removed on a day (of the installation's time zone), by a source."""

    pk = models.CompositePrimaryKey("day", "type_id", "source")
    day = models.DateField()
    type = models.ForeignKey(
        AssociationType, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )  # outlives its label, as the ledger does
    source = models.CharField(max_length=10, choices=ChangeSet.Source)
    added = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
