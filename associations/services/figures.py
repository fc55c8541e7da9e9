"""Keep the sums of the ledger that pages show: how many associations and labels came and went, by day, type and source.

Called by workflows.services.events, once for each change set, in the transaction that marks it as looked at; and by
the command `rebuild_derived`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from associations import sql
from associations.models import AssociationFigure, ChangeSet

CHUNK = 500
# A change set's id, when it was and where it came from.
Told = tuple[int, dt.datetime, str]


def add_figures(change_sets: Iterable[Told]) -> None:
    """Add what these change sets did to associations, each on its day in the installation's time zone."""
    together: dict[tuple[dt.date, str], list[int]] = defaultdict(list)
    for id_, at, source in change_sets:
        together[timezone.localtime(at).date(), source].append(id_)
    # In one order for everybody: two that add at once wait for each other at the first row, not crosswise.
    for (day, source), ids in sorted(together.items()):
        sql.add_figures(day, source, ids)


def usage_of_types() -> dict[int, int]:
    """On how many associations each type is, by the id of its row: what came less what went, as far as it is summed."""
    summed = AssociationFigure.objects.values("type_id").annotate(there=Sum("added") - Sum("removed"))
    return dict(summed.values_list("type_id", "there"))


def rebuild_figures() -> int:
    """Sum the ledger anew, as far as it is kept; how many figures there are now."""
    summed = ChangeSet.objects.filter(processed_at__isnull=False).order_by("id").values_list("id", "at", "source")
    with transaction.atomic():
        AssociationFigure.objects.all().delete()
        last = 0
        while chunk := list(summed.filter(id__gt=last)[:CHUNK]):
            add_figures(chunk)
            last = chunk[-1][0]
        return AssociationFigure.objects.count()
