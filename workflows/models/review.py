"""What people said of records that were put up for review. Written only by services.review."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from associations.models import Record

from .execution import ActionRun


class RuledOut(models.Model):
    """A person has said that a record, though its value matches, is not the one that a record under review means.

    It holds for that action of the workflow until the record is enrolled again. Few rows, each from somebody's click,
    and kept as enrollments are: forgotten, the question would be asked again.
    """

    pk = models.CompositePrimaryKey("record_id", "other_id", "action_run_id")
    record = models.ForeignKey(Record, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    other = models.ForeignKey(Record, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    action_run = models.ForeignKey(ActionRun, models.CASCADE, related_name="ruled_out")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.other_id} is not meant by {self.record_id}"

    @property
    def who(self) -> str:
        return str(self.user or "a user who is deleted")
