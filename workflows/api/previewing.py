"""Beyond HubSpot: what a flow would do, with all records and with one; what is worth a look; how values match."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from associations.errors import Refused
from crmproject.api.authentication import token_of
from crmproject.api.documenting import documented
from crmproject.api.errors import bad_request
from crmproject.api.reading import read_body
from workflows import models
from workflows.services import coverage, preview, trial
from workflows.services.preview_figures import Figures, Row
from workflows.services.static_check import warnings_of

from . import preview_bodies as bodies
from .base import BEYOND, AutomationView

_STATES = {
    models.Preview.State.WAITING: "WAITING",
    models.Preview.State.FINISHED: "EXACT",
    models.Preview.State.FAILED: "FAILED",
}


class LookingView(AutomationView):
    """Changes nothing, but shows what records have: a person needs to see these as well."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if token_of(request) is None:
            self.require("associations.view_record")

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, ValidationError):
            exc = bad_request(" ".join(exc.messages))
        elif isinstance(exc, Refused):
            exc = bad_request(str(exc))
        return super().handle_exception(exc)


class Preview(LookingView):
    name = "Preview"

    @documented("What a flow, as it is now, would do with all records", {200: bodies.Preview}, tag=BEYOND)
    def get(self, request: Request, **kwargs: str) -> Response:
        workflow = self.workflow()
        asked = preview.latest(workflow)
        return Response(_preview(workflow, asked, asked.figures if asked else preview.first_figures(workflow)))

    @documented("Have a worker count exactly what a flow would do", {202: bodies.Preview}, tag=BEYOND)
    def post(self, request: Request, **kwargs: str) -> Response:
        workflow = self.workflow()
        asked = preview.request(workflow, user_id=self.user_id)
        return Response(_preview(workflow, asked, asked.figures), status=202)


class PreviewCsv(LookingView):
    name = "Preview as CSV"

    @documented(
        "All that a flow, as it is now, would do, a row each, as CSV; of many records, once they are counted exactly",
        {(200, "text/csv"): OpenApiTypes.STR},
        tag=BEYOND,
    )
    def get(self, request: Request, **kwargs: str) -> HttpResponseBase:
        workflow = self.workflow()
        rows = preview.whole_csv(workflow)
        if rows is None:
            raise bad_request("These are many records: have them counted exactly first, by a POST to the preview.")
        headers = {"Content-Disposition": f'attachment; filename="preview-{workflow.pk}.csv"'}
        return StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8", headers=headers)


class Test(LookingView):
    name = "Test with a record"

    def example(self) -> Any:
        return {"id": "1"}

    @documented(
        "Test a flow with one record, filter by filter and action by action; nothing is kept",
        {200: bodies.TestResult},
        body=bodies.TestRequest,
        tag=BEYOND,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        workflow, asked = self.workflow(), read_body(request, bodies.TestRequest)
        if not (asked.id.isascii() and asked.id.isdecimal() and len(asked.id) < 19):
            raise bad_request(f"{asked.id[:40]!r} is not a record id.")
        tried = trial.try_record(workflow, int(asked.id))
        return Response(
            {
                "record": {"id": str(tried.record.pk), "name": str(tried.record)},
                "meets": tried.meets,
                "isKeptOut": tried.is_kept_out,
                "note": tried.note,
                "groups": _verdicts(tried.groups),
                "suppression": _verdicts(tried.suppression),
                "actions": [
                    {"sentence": each.sentence.text, "rows": [_row(row) for row in each.rows]} for each in tried.actions
                ],
            }
        )


class Warnings(LookingView):
    name = "Warnings"

    @documented("What is worth a look before a flow is turned on", {200: bodies.Warnings}, tag=BEYOND)
    def get(self, request: Request, **kwargs: str) -> Response:
        return Response({"results": _warnings(self.workflow())})


class Coverage(LookingView):
    name = "Coverage"

    @documented("How well the values of each create action match", {200: bodies.CoverageResult}, tag=BEYOND)
    def get(self, request: Request, **kwargs: str) -> Response:
        covered = coverage.coverage_of(self.workflow())
        return Response(
            {
                "results": [
                    {"position": each.position, "enrolled": each.own, "associated": each.other} for each in covered
                ]
            }
        )


def _preview(workflow: models.Workflow, asked: models.Preview | None, figures: Figures) -> dict[str, Any]:
    is_exact = figures["looked_at"] == figures["of"]
    done, steps = preview.progress_of(asked) if asked else (0, 0)
    return {
        "state": _STATES[models.Preview.State(asked.state)] if asked else "EXACT" if is_exact else "ESTIMATE",
        "percent": 100 * done // steps if steps else 0,
        "note": asked.note if asked else "",
        "lookedAt": figures["looked_at"],
        "of": figures["of"],
        "enrolled": figures["enrolled"],
        "actions": [{**each, "rows": [_row(row) for row in each["rows"]]} for each in figures["actions"]],
        "warnings": _warnings(workflow),
    }


def _row(row: Row) -> dict[str, Any]:
    changes = [
        {
            "added": each["added"],
            "label": each["label"],
            "other": {**each["other"], "id": str(each["other"]["id"])},
            "otherValue": each["other_value"],
        }
        for each in row["changes"]
    ]
    return {**row, "record": {**row["record"], "id": str(row["record"]["id"])}, "changes": changes}


def _verdicts(groups: list[list[trial.Verdict]]) -> list[list[dict[str, Any]]]:
    return [[{"filter": each.filter, "met": each.met, "value": each.value} for each in group] for group in groups]


def _warnings(workflow: models.Workflow) -> list[dict[str, str]]:
    return [{"where": each.where, "text": each.text} for each in warnings_of(workflow)]
