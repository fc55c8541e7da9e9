"""`/automation/v4/flows`: workflows as HubSpot's flows. Thin over services.flows."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDay, TruncMonth, TruncWeek
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from crmproject.api.documenting import AFTER, documented, limit, query
from crmproject.api.errors import bad_request, shown
from crmproject.api.paging import collection, next_page, read_after, read_id, read_limit
from crmproject.api.reading import read_body
from workflows.actions import ACTIONS
from workflows.flows import listing
from workflows.flows.action_fields import FROM, TYPES, names_of
from workflows.models import Enrollment
from workflows.services import flows, lifecycle

from . import bodies
from .base import BEYOND, ENABLE, RUN, TAG, AutomationView

Json = dict[str, Any]
MAX_BATCH = 100
MOST = 100
EXAMPLE = {
    "type": "CONTACT_FLOW",
    "objectTypeId": "0-1",
    "flowType": "WORKFLOW",
    "name": "",
    "isEnabled": False,
    "startActionId": "1",
    "actions": [
        {
            "type": "SINGLE_CONNECTION",
            "actionId": "1",
            "actionTypeId": "0-63189541",
            "actionTypeVersion": 6,
            "fields": {
                "fromObjectType": "0-1",
                "toObjectType": "0-2",
                "createAssociationOnly": "true",
                "matchBy": "fromAndToObjects",
                "enrolledObjectPropertyNameToMatch": "0-1/company",
                "associatedObjectPropertyNameToMatch": "0-2/name",
            },
        }
    ],
    "enrollmentCriteria": {"type": "MANUAL", "shouldReEnroll": False},
}


class FlowView(AutomationView):
    def check_switch(self, body: Json, *, was_on: bool) -> None:
        """Whoever turns workflows on and off, or enrolls, needs more than to edit them."""
        if "isEnabled" in body and body["isEnabled"] != was_on:
            self.require(ENABLE)
        if body.get("enrollExistingRecords"):
            self.require(RUN)


class Flows(FlowView):
    name = "Flows"
    permissions = {"POST": "workflows.add_workflow"}

    def example(self) -> Any:
        return EXAMPLE

    @documented(
        "List flows",
        {200: bodies.CollectionResponseApiFlowListingForwardPaging},
        parameters=[limit(MOST, MOST), AFTER],
        tag=TAG,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        most, after = read_limit(request, default=MOST, most=MOST), read_after(request.query_params.get("after"))
        found = list(self.workflows().filter(pk__gt=after).order_by("pk")[: most + 1])
        paging = next_page(request, found[most - 1].pk) if len(found) > most else None
        return Response(collection([listing(each) for each in found[:most]], paging))

    @documented("Create a flow", {201: bodies.ApiFlow}, body=bodies.ApiFlowCreateRequest, tag=TAG)
    def post(self, request: Request, **kwargs: str) -> Response:
        body: Json = read_body(request, dict[str, Any])
        self.check_switch(body, was_on=False)
        return Response(flows.flows_of([flows.create_flow(body, user_id=self.user_id)])[0], status=201)


class Flow(FlowView):
    name = "Flow"
    permissions = {"PUT": "workflows.change_workflow", "DELETE": "workflows.delete_workflow"}

    def example(self) -> Any:
        return flows.flows_of([self.workflow()])[0] if self.request.method == "PUT" else None

    @documented("Get a flow", {200: bodies.ApiFlow}, tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        return Response(flows.flows_of([self.workflow()])[0])

    @documented(
        "Replace a flow, which names the revisionId that it was made from",
        {200: bodies.ApiFlow},
        body=bodies.ApiFlowPutRequest,
        tag=TAG,
    )
    def put(self, request: Request, **kwargs: str) -> Response:
        workflow = self.workflow()
        body: Json = read_body(request, dict[str, Any])
        self.check_switch(body, was_on=workflow.is_enabled)
        replaced = flows.replace_flow(workflow, body, user_id=self.user_id)
        return Response(flows.flows_of([replaced])[0])

    @documented("Delete a flow", {204: None}, tag=TAG)
    def delete(self, request: Request, **kwargs: str) -> Response:
        workflow = self.workflow()
        if workflow.is_enabled:
            self.require(ENABLE)
        lifecycle.delete(workflow)
        return self.empty()


class BatchRead(AutomationView):
    name = "Read flows"

    def example(self) -> Any:
        return {"inputs": [{"flowId": "1", "type": "FLOW_ID"}]}

    @documented(
        "Read several flows",
        {200: bodies.BatchResponseApiFlow, 207: bodies.BatchResponseApiFlow},
        body=bodies.ApiFlowBatchInput,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        wanted = list(dict.fromkeys(each.flow_id for each in read_body(request, bodies.ApiFlowBatchInput).inputs))
        _refuse_many(wanted)
        ids = [id_ for each in wanted if (id_ := read_id(each)) is not None]
        found = {str(each.pk): each for each in self.workflows().filter(pk__in=ids)}
        told = flows.flows_of([found[each] for each in wanted if each in found])
        return self.batch(told, errors=_missing("flowId", [each for each in wanted if each not in found]))


class Mappings(AutomationView):
    """HubSpot's older workflow ids and its flow ids; here they are the same."""

    name = "Workflow ids and flow ids"

    def example(self) -> Any:
        return {"inputs": [{"flowId": "1", "type": "FLOW_ID"}]}

    @documented(
        "Which flow is which workflow; here their ids are the same",
        {200: bodies.BatchResponseFlowIdMapping, 207: bodies.BatchResponseFlowIdMapping},
        body=bodies.ApiFlowBatchMigrationInput,
        tag=TAG,
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        inputs = read_body(request, bodies.ApiFlowBatchMigrationInput).inputs
        wanted = [(each.flow_id if each.type == "FLOW_ID" else each.workflow_id) or "" for each in inputs]
        _refuse_many(wanted)
        ids = [id_ for each in wanted if (id_ := read_id(each)) is not None]
        found = {str(id_) for id_ in self.workflows().filter(pk__in=ids).values_list("pk", flat=True)}
        results = [{"flowId": int(each), "workflowId": int(each)} for each in wanted if each in found]
        return self.batch(results, errors=_missing("id", [each for each in wanted if each not in found]))


def _refuse_many(inputs: list[str]) -> None:
    if len(inputs) > MAX_BATCH:
        raise bad_request(f"At most {MAX_BATCH} flows are read at once, and these are {len(inputs):,}.")


def _missing(name: str, ids: list[str]) -> list[Json]:
    message = "Could not get some flows, they may be deleted or not exist. Check that ids are valid."
    error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message}
    return [{**error, "context": {name: [shown(each) for each in ids]}}] if ids else []


class EmailCampaigns(AutomationView):
    """This product sends no e-mail."""

    name = "E-mail campaigns"

    @documented("The e-mails of flows: none", {200: bodies.CollectionResponseEmailCampaigns}, tag=TAG)
    def get(self, request: Request, **kwargs: str) -> Response:
        return Response(collection([]))


class Performance(AutomationView):
    name = "Performance"

    @documented(
        "How many records were enrolled, by day, week or month, and what became of them",
        {200: bodies.CollectionResponseHistogram},
        parameters=[
            query("bucketType", "How long a bucket is", enum=["DAY", "WEEK", "MONTH"], default="DAY"),
            query("start", "From then on, in milliseconds since 1970", OpenApiTypes.INT64),
            query("end", "Until then", OpenApiTypes.INT64),
        ],
        tag=TAG,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        buckets: Json = {"DAY": TruncDay, "WEEK": TruncWeek, "MONTH": TruncMonth}
        kind = request.query_params.get("bucketType") or "DAY"
        if kind not in buckets:
            raise bad_request(f"bucketType should be DAY, WEEK or MONTH, not {shown(kind)!r}.")
        enrollments = Enrollment.objects.filter(workflow=self.workflow(), ordinal__isnull=False)
        for name, lookup in (("start", "enrolled_at__gte"), ("end", "enrolled_at__lt")):
            if raw := request.query_params.get(name):
                enrollments = enrollments.filter(**{lookup: _moment(name, raw)})
        counted = (
            enrollments.annotate(bucket=buckets[kind]("enrolled_at"))
            .values_list("bucket", "state")
            .annotate(count=Count("pk"))
            .order_by("bucket", "state")
        )
        results = [{"bucket": f"{b:%Y-%m-%d}", "series": s.upper(), "frequency": n} for b, s, n in counted]
        return Response(collection(results))


def _moment(name: str, raw: str) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(int(raw) / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise bad_request(f"{name} should be milliseconds since 1970, not {shown(raw)!r}.") from None


class ActionTypes(AutomationView):
    name = "Action types"

    @documented("The actions that run here, with their fields", {200: bodies.CollectionResponseActionTypes}, tag=BEYOND)
    def get(self, request: Request, **kwargs: str) -> Response:
        return Response(
            collection(
                [
                    {
                        "actionTypeId": each.id,
                        "actionTypeVersion": each.version,
                        "name": ACTIONS[each.kind].label,
                        "fields": [FROM, *names_of(each).values()],
                    }
                    for each in TYPES
                ]
            )
        )
