"""Beyond HubSpot: undo and redo of runs, and the records put up for review. Thin over the services."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from associations.services.provenance import change_sets_by_id, who
from associations.services.reversal import Counts
from crmproject.api.documenting import AFTER, documented, limit
from crmproject.api.errors import iso, not_found
from crmproject.api.paging import collection, next_page, read_after, read_id, read_limit
from crmproject.api.reading import read_body
from workflows.models import LeftPair, Undo, UndoPart
from workflows.services import review, undo, undo_preview

from . import undo_bodies as bodies
from .base import BEYOND, RUN, AutomationView
from .runs import RunView

Json = dict[str, Any]
# An estimate is given where counting takes longer than so many seconds.
SECONDS = 2.0
MOST_LEFT, MOST = 100, 50
_STATES = {Undo.State.RUNNING.value: "WAITING", Undo.State.FINISHED.value: "EXACT", Undo.State.FAILED.value: "FAILED"}


def _counts(counts: Counts) -> Json:
    given = asdict(counts)
    return {
        "associationsRemoved": given["associations_removed"],
        "labelsRemoved": given["labels_removed"],
        "associationsRestored": given["associations_restored"],
        "labelsRestored": given["labels_restored"],
        "left": {reason.upper(): count for reason, count in counts.left.items()},
    }


def _look(found: undo_preview.Preview) -> Json:
    state, at = "EXACT" if found.is_exact else "ESTIMATE", None
    if found.counted:
        state, at = _STATES[found.counted.state], iso(found.counted.finished_at) or None
    return {
        "counts": _counts(found.counts),
        "state": state,
        "exact": state == "EXACT",
        "seen": found.seen,
        "parts": found.parts,
        "countedAt": at,
    }


def _represent(each: Undo) -> Json:
    parts = list(each.parts.values_list("state", flat=True))
    left = list(LeftPair.objects.filter(part__undo=each).order_by("pk")[:MOST_LEFT])
    makers = change_sets_by_id({pair.change_set_id for pair in left if pair.change_set_id})
    return {
        "id": str(each.pk),
        "runId": str(each.run_id),
        "kind": each.kind.upper(),
        "state": each.state.upper(),
        "createdAt": iso(each.created_at),
        "finishedAt": iso(each.finished_at) or None,
        "parts": len(parts),
        "done": sum(state != UndoPart.State.WAITING for state in parts),
        "counts": _counts(undo.counts_of(each)),
        "left": [
            {
                "recordIds": [str(pair.source_id), str(pair.target_id)],
                "reason": pair.reason.upper(),
                "by": who(makers.get(pair.change_set_id)) if pair.change_set_id else None,
            }
            for pair in left
        ],
    }


class UndoView(RunView):
    name = "Undo"
    redo = False
    permissions = {"POST": RUN}

    @documented("What undoing a run would do; changes nothing", {200: bodies.UndoPreview}, tag=BEYOND)
    def get(self, request: Request, **kwargs: str) -> Response:
        return Response(_look(undo_preview.best(self.run(), redo=self.redo, seconds=SECONDS)))

    @documented("Take back exactly what a run did", {201: bodies.Undo}, tag=BEYOND)
    def post(self, request: Request, **kwargs: str) -> Response:
        return Response(_represent(undo.start(self.run(), user_id=self.user_id, redo=self.redo)), status=201)


class RedoView(UndoView):
    name = "Redo"
    redo = True

    @documented("What redoing an undone run would do; changes nothing", {200: bodies.UndoPreview}, tag=BEYOND)
    def get(self, request: Request, **kwargs: str) -> Response:
        return super().get(request, **kwargs)

    @documented("Put back what was undone", {201: bodies.Undo}, tag=BEYOND)
    def post(self, request: Request, **kwargs: str) -> Response:
        return super().post(request, **kwargs)


class UndoPreviewView(RunView):
    name = "Preview of an undo"
    redo = False
    permissions = {"POST": RUN}

    @documented("Have workers count exactly what undoing a run would do", {202: bodies.UndoPreview}, tag=BEYOND)
    def post(self, request: Request, **kwargs: str) -> Response:
        run = self.run()
        undo_preview.count(run, user_id=self.user_id, redo=self.redo)
        return Response(_look(undo_preview.best(run, redo=self.redo, seconds=0)), status=202)


class RedoPreviewView(UndoPreviewView):
    name = "Preview of a redo"
    redo = True

    @documented("Have workers count exactly what redoing a run would do", {202: bodies.UndoPreview}, tag=BEYOND)
    def post(self, request: Request, **kwargs: str) -> Response:
        return super().post(request, **kwargs)


class Undos(RunView):
    name = "Undos of a run"

    @documented(
        "The undos and redos of a run, the newest first, and what they left alone", {200: bodies.UndoList}, tag=BEYOND
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        return Response({"results": [_represent(each) for each in undo.undos_of(self.run())[:MOST]]})


class Reviews(AutomationView):
    name = "Review"
    read_permission = RUN

    @documented(
        "Records that several match, for a person to pick the one that is meant",
        {200: bodies.CollectionResponseQuestions},
        parameters=[limit(MOST, MOST), AFTER],
        tag=BEYOND,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        most, start = read_limit(request, default=MOST, most=MOST), read_after(request.query_params.get("after"))
        found = list(review.questions()[start : start + most + 1])
        paging = next_page(request, start + most) if len(found) > most else None
        return Response(collection([_question(each) for each in review.opened(found[:most])], paging))


def _question(asked: review.Question) -> Json:
    run = asked.action_run.batch.run
    return {
        "actionRunId": str(asked.action_run.pk),
        "recordId": str(asked.record.pk),
        "flowId": str(run.workflow_id),
        "runId": str(run.pk),
        "value": asked.outcome.value,
        "candidateIds": [str(each.pk) for each in asked.candidates],
        "count": asked.count,
    }


class QuestionView(AutomationView):
    permissions = {"POST": RUN}

    def question(self) -> tuple[int, int]:
        """The action run and the record that the address names."""
        action_run_id, record_id = read_id(self.kwargs["actionRunId"]), read_id(self.kwargs["recordId"])
        if action_run_id is None or record_id is None:
            raise not_found("There is no such question.")
        return action_run_id, record_id


class PickView(QuestionView):
    name = "Pick"

    def example(self) -> Any:
        return {"id": "1"}

    @documented("Associate the record with the one that is meant", {204: None}, body=bodies.Pick, tag=BEYOND)
    def post(self, request: Request, **kwargs: str) -> Response:
        asked = read_body(request, bodies.Pick)
        review.pick(*self.question(), read_id(asked.id) or 0, user_id=self.user_id)
        return Response(status=204)


class NoneView(QuestionView):
    name = "None of them"

    def example(self) -> Any:
        return {"candidateIds": ["1", "2"]}

    @documented(
        "None of these candidates is meant; with none left the record leaves the review",
        {204: None},
        body=bodies.NoneOf,
        tag=BEYOND,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        ids = [read_id(each) or 0 for each in read_body(request, bodies.NoneOf).candidate_ids]
        review.rule_out(*self.question(), ids, user_id=self.user_id)
        return Response(status=204)
