"""The page of a run on which it is undone and redone: first what that would do, then what came of it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from associations.errors import Refused
from associations.models import Record
from associations.querysets import association_types
from associations.services.provenance import change_sets_by_id, who
from associations.services.reversal import ReversedRow
from workflows.models import LeftPair, Run, Undo, UndoPart
from workflows.services import undo, undo_preview

from .pages import RUN
from .reading import ReadOnlyAdmin

# A page answers within about so many seconds; for a longer run it shows an estimate.
SECONDS = 2.0
LEFT_PER_PAGE = 50
# What stands where a row has no label; first, where it goes along with labels.
ASSOCIATION = "the association"


class UndoPages(ReadOnlyAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.undo)
        return [path("<int:run_id>/undo/", view, name="workflows_run_undo"), *super().get_urls()]

    def undo(self, request: HttpRequest, run_id: int) -> HttpResponse:
        run = get_object_or_404(Run.objects.select_related("workflow", "revision"), pk=run_id)
        if not self.has_view_permission(request, run) or not request.user.has_perm(RUN):
            raise PermissionDenied
        redo = run.undone_at is not None and "again" not in request.GET  # once more for what the last undo left
        if request.method != "POST":
            return self._show(request, run, redo)
        try:
            if "count" in request.POST:
                undo_preview.count(run, user_id=request.user.pk, redo=redo)
                return redirect(request.get_full_path())
            undo.start(run, user_id=request.user.pk, redo="redo" in request.POST)
        except Refused as error:
            self.message_user(request, str(error), messages.ERROR)
        return redirect("admin:workflows_run_undo", run.pk)

    def _show(self, request: HttpRequest, run: Run, redo: bool) -> HttpResponse:
        preview = refusal = None
        try:
            preview = undo_preview.best(run, redo=redo, seconds=SECONDS)
        except Refused as error:
            refusal = str(error)
        last = undo.undos_of(run).select_related("started_by").first()
        counted = preview.counted if preview else None
        # What a count would leave alone is listed before what the last undo has left.
        listed = next((each for each in (counted, last) if each and undo.counts_of(each).left_alone), None)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": f"{'Redo' if redo else 'Undo'} run {run.pk}",
            "run": run,
            "redo": redo,
            "preview": preview,
            "sample": _in_words(preview.sample) if preview else [],
            "refusal": refusal,
            "last": last,
            "counted": counted,
            "is_moving": any(each and each.state == Undo.State.RUNNING for each in (last, counted)),
        }
        if last:
            parts = last.parts.all()
            context |= {
                "counts": undo.counts_of(last),
                "parts": len(parts),
                "done": sum(part.state != UndoPart.State.WAITING for part in parts),
                "errors": _errors(last),
            }
        if counted:
            context["counting_errors"] = _errors(counted)
        if listed:
            page = Paginator(LeftPair.objects.filter(part__undo=listed).order_by("pk"), LEFT_PER_PAGE)
            left = page.get_page(request.GET.get("p"))
            context |= {"page": left, "left": _named(list(left)), "listed": listed, "left_count": page.count}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/workflows/run/undo.html", context)


def _errors(of: Undo) -> list[str]:
    return sorted(set(of.parts.exclude(error="").values_list("error", flat=True)))


def _in_words(sample: list[ReversedRow]) -> list[dict[str, Any]]:
    """Of rows that stand pair by pair, a line for each pair and what happens to it."""
    names = _records({id_ for row in sample for id_ in (row.source_id, row.target_id)})
    types = association_types().in_bulk({row.type_id for row in sample})
    change_sets = change_sets_by_id({row.by for row in sample if row.by})
    reasons = dict(LeftPair.Reason.choices)

    def label_of(type_id: int) -> str:
        return types[type_id].label or ASSOCIATION if type_id in types else "a deleted label"

    lines = []
    for (source, target, back, reason, by), rows in groupby(
        sample, key=lambda row: (row.source_id, row.target_id, row.comes_back, row.reason, row.by)
    ):
        labels = sorted((label_of(row.type_id) for row in rows), key=lambda label: label != ASSOCIATION)
        lines.append(
            {
                "source": names.get(source, source),
                "target": names.get(target, target),
                "what": ", ".join(labels),
                "comes_back": back,
                "goes_alone": len(labels) == 1,
                "reason": reasons.get(reason or "", ""),
                "by": who(change_sets.get(by)) if by else "",
            }
        )
    return lines


def _named(left: list[LeftPair]) -> list[dict[str, Any]]:
    names = _records({id_ for pair in left for id_ in (pair.source_id, pair.target_id)})
    change_sets = change_sets_by_id({pair.change_set_id for pair in left if pair.change_set_id})
    return [
        {
            "pair": pair,
            "source": names.get(pair.source_id, pair.source_id),
            "target": names.get(pair.target_id, pair.target_id),
            "by": who(change_sets.get(pair.change_set_id)) if pair.change_set_id else "",
        }
        for pair in left
    ]


def _records(ids: set[int]) -> dict[int, Record]:
    return Record.objects.select_related("object_type").in_bulk(ids)
