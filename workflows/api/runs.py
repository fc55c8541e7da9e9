"""Beyond HubSpot: runs with progress and outcomes, the log per record, and retry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from crmproject.api.documenting import AFTER, documented, limit, query
from crmproject.api.errors import bad_request, iso, not_found, shown
from crmproject.api.paging import collection, next_page, read_after, read_id, read_limit
from workflows import querysets
from workflows.models import ActionOutcome, Batch, Enrollment, Outcome, Run
from workflows.services import isolation

from . import run_bodies as bodies
from .base import BEYOND, RUN, AutomationView

Json = dict[str, Any]
MOST = 100
MOST_ERRORS = 20


def represent_runs(runs: Sequence[Run]) -> list[Json]:
    """Runs with their progress; two queries for all of them."""
    progress = querysets.progress_of(runs)
    return [_represent_run(each, progress[each.pk]) for each in runs]


def _represent_run(run: Run, progress: querysets.Progress) -> Json:
    return {
        "id": str(run.pk),
        "flowId": str(run.workflow_id),
        "revisionId": str(run.revision.edits),
        "revisionNumber": run.revision.number,
        "cause": run.cause.upper(),
        "state": run.state.upper(),
        "note": run.note,
        "depth": run.depth,
        "startedByUserId": str(run.started_by_id) if run.started_by_id else None,
        "createdAt": iso(run.created_at),
        "finishedAt": iso(run.finished_at) or None,
        "progress": {
            "batches": progress.batches,
            "done": progress.done,
            "failed": progress.failed,
            "percent": progress.percent(len(run.revision.definition["actions"])),
        },
        "outcomes": _sums(progress.outcomes),
    }


def _sums(sums: Sequence[querysets.OutcomeSum]) -> list[Json]:
    return [{"outcome": each.outcome.upper(), "records": each.records, "pairs": each.pairs} for each in sums]


class RunView(AutomationView):
    read_permission = "workflows.view_run"

    def runs(self) -> QuerySet[Run]:
        return Run.objects.select_related("revision", "workflow")

    def run(self) -> Run:
        id_ = read_id(self.kwargs["runId"])
        found = self.runs().filter(pk=id_).first() if id_ is not None else None
        if found is None:
            raise not_found(f"There is no run {self.kwargs['runId']:.40}.")
        return found


class Runs(RunView):
    name = "Runs"

    @documented(
        "The runs of a flow, the newest first",
        {200: bodies.CollectionResponseRuns},
        parameters=[limit(MOST, MOST), AFTER],
        tag=BEYOND,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        most, before = read_limit(request, default=MOST, most=MOST), read_after(request.query_params.get("after"))
        runs = self.runs().filter(workflow=self.workflow()).order_by("-pk")
        found = list((runs.filter(pk__lt=before) if before else runs)[: most + 1])
        paging = next_page(request, found[most - 1].pk) if len(found) > most else None
        return Response(collection(represent_runs(found[:most]), paging))


class OneRun(RunView):
    name = "Run"

    @documented("A run: how far it is, and what each action did", {200: bodies.RunDetail}, tag=BEYOND)
    def get(self, request: Request, **kwargs: str) -> Response:
        run = self.run()
        actions = [
            {"action": position + 1, "kind": kind, "outcomes": _sums(sums)}
            for (position, kind), sums in querysets.outcomes_by_action(run).items()
        ]
        errors = Batch.objects.filter(run=run).exclude(error="").values_list("error", flat=True).distinct()
        return Response({**represent_runs([run])[0], "actions": actions, "errors": list(errors[:MOST_ERRORS])})


class Records(RunView):
    name = "Records of a run"
    read_permission = "workflows.view_enrollment"

    @documented(
        "What a run did for each record",
        {200: bodies.CollectionResponseRecordLog},
        parameters=[
            limit(MOST, MOST),
            AFTER,
            query("outcome", "Only records with this outcome", enum=[each.upper() for each in Outcome.values]),
        ],
        tag=BEYOND,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        most, after = read_limit(request, default=MOST, most=MOST), read_after(request.query_params.get("after"))
        enrollments = Enrollment.objects.filter(batch__run=self.run(), pk__gt=after).order_by("pk")
        if outcome := request.query_params.get("outcome", "").lower():
            if outcome not in Outcome.values:
                known = ", ".join(each.upper() for each in Outcome.values)
                raise bad_request(f"There is no outcome {shown(outcome).upper()!r}; there are {known}.")
            enrollments = querysets.with_outcome(enrollments, outcome)
        found = list(enrollments[: most + 1])
        paging = next_page(request, found[most - 1].pk) if len(found) > most else None
        outcomes = querysets.outcomes_of(found[:most])
        return Response(collection([_represent(each, outcomes[each.pk]) for each in found[:most]], paging))


def _represent(enrollment: Enrollment, outcomes: Sequence[ActionOutcome]) -> Json:
    return {
        "enrollmentId": str(enrollment.pk),
        "recordId": str(enrollment.record_id),
        "state": enrollment.state.upper(),
        "enrolledAt": iso(enrollment.enrolled_at),
        "endedAt": iso(enrollment.ended_at) or None,
        "outcomes": [
            {
                "action": each.action_run.position + 1,
                "kind": each.action_run.kind,
                "outcome": each.outcome.upper(),
                "pairs": each.count,
                "value": each.value,
                "ruledOut": represent_ruled_out(each),
            }
            for each in outcomes
        ],
    }


def represent_ruled_out(outcome: ActionOutcome) -> Json | None:
    said = outcome.ruled_out
    return {"by": said.who, "at": iso(said.at)} if said else None


class Retry(RunView):
    name = "Retry"
    permissions = {"POST": RUN}

    @documented("Try again what failed in a run", {200: bodies.Retried}, tag=BEYOND)
    def post(self, request: Request, **kwargs: str) -> Response:
        failed = Batch.objects.filter(run=self.run(), state=Batch.State.FAILED)
        return Response({"batches": isolation.retry(failed)})
