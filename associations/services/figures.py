"""Keep the sums of the ledger that pages show: how many associations and labels came and went, by day, type and source.

Called by workflows.services.events, once for each change set, in the transaction that marks it as looked at; and by
the command `rebuild_derived`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from associations import sql
from associations.models import AssociationChange, AssociationFigure


def add_figures(change_set_ids: Iterable[int]) -> None:
    """Add what these change sets did to associations."""
    # In one order for everybody: two that add at once wait for each other at the first row, not crosswise.
    for day, type_id, source, added, removed in _sums(
        AssociationChange.objects.filter(change_set__in=list(change_set_ids))
    ):
        sql.add_figure(day, type_id, source, added, removed)


def usage_of_types() -> dict[int, int]:
    """On how many associations each type is, by the id of its row: what came less what went, as far as it is summed."""
    summed = AssociationFigure.objects.values("type_id").annotate(there=Sum("added") - Sum("removed"))
    return dict(summed.values_list("type_id", "there"))


def rebuild_figures() -> int:
    """Sum the ledger anew, as far as it is kept; how many figures there are now."""
    with transaction.atomic():
        AssociationFigure.objects.all().delete()
        sums = _sums(AssociationChange.objects.filter(change_set__processed_at__isnull=False))
        figures = [
            AssociationFigure(day=day, type_id=type_id, source=source, added=added, removed=removed)
            for day, type_id, source, added, removed in sums
        ]
        return len(AssociationFigure.objects.bulk_create(figures))


def _sums(changes: QuerySet[AssociationChange]) -> list[tuple[dt.date, int, str, int, int]]:
    """How many rows came and went, by day (of the installation's time zone), type and source, in this order."""
    by = ("day", "type_id", "change_set__source")
    summed = changes.annotate(day=TruncDate("change_set__at")).values(*by)
    counted = summed.annotate(
        new=Count("change_set_id", filter=Q(added=True)), gone=Count("change_set_id", filter=Q(added=False))
    )
    return list(counted.order_by(*by).values_list(*by, "new", "gone"))
