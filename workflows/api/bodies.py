"""What requests and answers of the automation API look like: HubSpot's words where HubSpot has them, else ours.

A flow is open: members that nobody here knows are kept and given back, so its models say only what is always there.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from crmproject.api.reading import Id, Model

OPEN = ConfigDict(alias_generator=to_camel, populate_by_name=True, strict=True, extra="allow")
FlowType = Literal["CONTACT_FLOW", "PLATFORM_FLOW"]
Json = dict[str, Any]


class NextPage(Model):
    after: str
    link: str | None = None


class ForwardPaging(Model):
    next: NextPage | None = None


# Flows ------------------------------------------------------------------------------------------


class ApiFlowCreateRequest(Model):
    """A flow as HubSpot has it. `enrollExistingRecords` is our own: whether the records that meet the triggers now are
    enrolled when it is on."""

    type: FlowType
    object_type_id: str | None = None
    flow_type: str | None = None
    name: str | None = None
    description: str | None = None
    is_enabled: bool = False
    start_action_id: str | None = None
    actions: list[Json] = []
    enrollment_criteria: Json | None = None
    enrollment_schedule: Json | None = None
    suppression_filter_branch: Json | None = None
    enroll_existing_records: bool = False

    model_config = OPEN


class ApiFlowPutRequest(ApiFlowCreateRequest):
    revision_id: Id


class CannotRun(Model):
    """A part that keeps the flow from being turned on. `in` is its place in the flow."""

    in_: str
    message: str

    model_config = ConfigDict(alias_generator=lambda name: name.removesuffix("_"))


class ApiFlowListing(Model):
    id: str
    is_enabled: bool
    flow_type: str
    name: str
    object_type_id: str
    revision_id: str
    created_at: str
    updated_at: str
    uuid: str | None = None


class ApiFlow(ApiFlowListing):
    """The whole flow, as it was sent where nobody has changed it since."""

    type: FlowType
    actions: list[Json]
    next_available_action_id: str
    crm_object_creation_status: str
    cannot_run: list[CannotRun] | None = None

    model_config = OPEN


class CollectionResponseApiFlowListingForwardPaging(Model):
    results: list[ApiFlowListing]
    paging: ForwardPaging | None = None


class ApiFlowBatchFetchFlowIdCoordinate(Model):
    flow_id: Id
    type: Literal["FLOW_ID"] = "FLOW_ID"


class ApiFlowBatchInput(Model):
    inputs: list[ApiFlowBatchFetchFlowIdCoordinate]


class BatchResponseApiFlow(Model):
    status: str
    results: list[ApiFlow]
    requested_at: str | None = None
    started_at: str
    completed_at: str
    num_errors: int | None = None
    errors: list[Json] | None = None


class FlowIdMapping(Model):
    flow_id: Id | None = None
    workflow_id: Id | None = None
    type: Literal["FLOW_ID", "WORKFLOW_ID"]


class ApiFlowBatchMigrationInput(Model):
    inputs: list[FlowIdMapping]


class FlowIdWorkflowIdMappingResponse(Model):
    flow_id: int
    workflow_id: int


class BatchResponseFlowIdMapping(Model):
    status: str
    results: list[FlowIdWorkflowIdMappingResponse]
    requested_at: str | None = None
    started_at: str
    completed_at: str
    num_errors: int | None = None
    errors: list[Json] | None = None


class ApiHistogramDataPoint(Model):
    """`series` is a state of enrollments, `frequency` how many began in the bucket and are in it."""

    bucket: str
    series: str
    frequency: int


class CollectionResponseHistogram(Model):
    results: list[ApiHistogramDataPoint]


class CollectionResponseEmailCampaigns(Model):
    results: list[Json]


class ActionTypeInfo(Model):
    action_type_id: str
    action_type_version: int
    name: str
    fields: list[str]


class CollectionResponseActionTypes(Model):
    results: list[ActionTypeInfo]


# Turning on and off, enrolling ------------------------------------------------------------------


class TurnOn(Model):
    enroll_existing_records: bool = False


class RecordId(Model):
    id: Id


class Enroll(Model):
    """Either `inputs`, the records; or `enroll`: those that meet the triggers now, or all of the object type."""

    inputs: list[RecordId] | None = None
    enroll: Literal["MATCHING", "ALL"] | None = None


class Unenroll(Model):
    inputs: list[RecordId]


class Unenrolled(Model):
    unenrolled: int


class Revision(Model):
    revision_id: str
    number: int
    created_at: str
    created_by_user_id: str | None
    is_current: bool


class CollectionResponseRevisions(Model):
    results: list[Revision]
    paging: ForwardPaging | None = None
