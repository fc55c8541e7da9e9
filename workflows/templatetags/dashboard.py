"""What the admin's front shows first: live workflows, what waits, what failed, associations made per day.

Used by templates/admin/index.html. Everything it asks is bounded: the newest few, counts through partial indexes, and
sums that are kept (see associations.services.figures).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.conf import settings
from django.db.models import Case, Count, OuterRef, Subquery, Sum, Value, When
from django.utils import timezone
from django.utils.timesince import timesince

from associations.models import AssociationFigure, AssociationType, ChangeSet
from workflows.admin.pages import RUN
from workflows.admin.runs import standing
from workflows.models import Batch, Run, Workflow
from workflows.querysets import progress_of
from workflows.services import monitoring, review

register = template.Library()

DAYS = 30
SHOWN = 5
SHOWN_WORKFLOWS = 12
# The chart, in its own units.
WIDTH, HEIGHT, LEFT, BASE = 900, 190, 48, 162


@register.inclusion_tag("admin/workflows/dashboard.html", takes_context=True)
def dashboard(context: dict[str, Any]) -> dict[str, Any]:
    """As far as the person may see each part of it."""
    user = context["request"].user
    shown: dict[str, Any] = {"perms": context.get("perms")}
    if user.has_perm("workflows.view_workflow"):
        shown |= _live_workflows()
    if user.has_perm("workflows.view_run"):
        shown |= _runs()
    if user.has_perms((RUN, "associations.view_record")):
        shown |= {"is_review_shown": True, "to_review": review.waiting()}
    if user.has_perm("associations.view_record"):
        shown["chart"] = _chart()
    return shown


@register.filter
def ago(moment: dt.datetime) -> str:
    """How long ago, in one word and a number."""
    if timezone.now() - moment < dt.timedelta(minutes=1):
        return "just now"
    return f"{timesince(moment, depth=1)} ago"


def _live_workflows() -> dict[str, Any]:
    live = Workflow.objects.filter(is_enabled=True)
    last = Run.objects.filter(workflow=OuterRef("pk")).order_by("-id")
    annotated = live.select_related("object_type").annotate(
        last_run_id=Subquery(last.values("pk")[:1]),
        last_run_at=Subquery(last.values("created_at")[:1]),
        last_run_state=Subquery(last.values("state")[:1]),
    )
    workflows = list(annotated.order_by("name")[:SHOWN_WORKFLOWS])
    for workflow in workflows:
        workflow.last_run_state = Run.State(workflow.last_run_state) if workflow.last_run_state else None
    return {"workflows": workflows, "live": live.count(), "are_workflows_shown": True}


def _runs() -> dict[str, Any]:
    """What waits and what failed. Batches that failed may be of runs long past; the newest runs are named."""
    runs = Run.objects.select_related("workflow", "revision").order_by("-id")
    unfinished = list(runs.filter(finished_at=None)[:SHOWN])
    failed = list(runs.filter(state__in=(Run.State.FAILED, Run.State.REFUSED))[:SHOWN])
    progress = progress_of([*unfinished, *failed])
    return {
        "waiting": monitoring.waiting(),
        "problems": monitoring.not_ready(most_seconds=settings.READY_WITHIN),
        "unfinished": [standing(run, progress[run.pk]) for run in unfinished],
        "failed_runs": [(run, progress[run.pk].failed) for run in failed],
        "failed_batches": Batch.objects.filter(state=Batch.State.FAILED).aggregate(count=Count("id"))["count"],
        "are_runs_shown": True,
        "is_moving": bool(unfinished),
    }


def _chart() -> dict[str, Any]:
    """Associations made per day, by workflows and otherwise, of the last days: bars of a picture, and a table."""
    today = timezone.localdate()
    days = [today - dt.timedelta(days=ago) for ago in reversed(range(DAYS))]
    by_workflow = Case(When(source=ChangeSet.Source.WORKFLOW, then=Value(1)), default=Value(0))
    figures = AssociationFigure.objects.filter(
        day__gte=days[0], type__in=AssociationType.objects.filter(name="").values("pk")
    )
    summed = figures.values("day").annotate(by_workflow=by_workflow, made=Sum("added")).order_by("day")
    made = {(row["day"], row["by_workflow"]): row["made"] for row in summed.values("day", "by_workflow", "made")}
    rows = [(day, made.get((day, 1), 0), made.get((day, 0), 0)) for day in days]
    most = max(workflows + others for _, workflows, others in rows)
    top = _round_up(most)
    step = (WIDTH - LEFT) / DAYS

    def height(count: int) -> float:
        return round((BASE - 12) * count / top, 1)

    bars = [
        {
            "day": day,
            "x": round(LEFT + step * place + step * 0.15, 1),
            "middle": round(LEFT + step * (place + 0.5), 1),
            "width": round(step * 0.7, 1),
            "workflows": workflows,
            "others": others,
            "workflows_height": height(workflows),
            "workflows_y": round(BASE - height(workflows), 1),
            "others_height": height(others),
            "others_y": round(BASE - height(workflows) - height(others), 1),
            "is_named": place % 7 == (DAYS - 1) % 7,
        }
        for place, (day, workflows, others) in enumerate(rows)
    ]
    lines = [(top * part // 2, round(BASE - height(top * part // 2), 1)) for part in range(3)] if most else []
    return {
        "bars": bars, "lines": lines, "most": most, "width": WIDTH, "height": HEIGHT, "left": LEFT, "base": BASE,
        "total": sum(workflows + others for _, workflows, others in rows),
    }  # fmt: skip


def _round_up(count: int) -> int:
    """The next number that reads well on an axis, even so that its half does, too."""
    unit = 10 ** max(len(str(count)) - 1, 0)
    return next((unit * step for step in (2, 4, 6, 8, 10) if unit * step >= count), 10 * unit)
