"""What the automation views have in common: who may, who it was, the workflow in the address, what services refuse."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.response import Response

from crmproject.api.authentication import token_of
from crmproject.api.errors import ApiError, bad_request, not_found
from crmproject.api.paging import read_id
from crmproject.api.scopes import AUTOMATION, Needs
from crmproject.api.views import ApiView
from workflows.flows import InvalidFlow
from workflows.flows.problems import TOLD
from workflows.models import Workflow
from workflows.services.editing import Stale
from workflows.services.flows import NameTaken

TAG = "Automation"
BEYOND = "Automation, beyond HubSpot"
# What a person needs, beside a token's scope.
ENABLE, RUN = "workflows.enable_workflow", "workflows.run_workflow"


class AutomationView(ApiView):
    """A view of workflows. `permissions` is what a person needs to write, by method."""

    permissions: dict[str, str] = {}
    read_permission = "workflows.view_workflow"

    def needs(self) -> Needs:
        return Needs((AUTOMATION,), self.permissions.get(self.request.method or "", self.read_permission))

    def require(self, permission: str) -> None:
        """A further permission that a person needs for what the body asks. Tokens have their scope."""
        if token_of(self.request) is None and not self.request.user.has_perm(permission):
            raise ApiError(
                403, f"You may not do this. It takes the permission {permission}.", category="MISSING_SCOPES"
            )

    @property
    def user_id(self) -> int | None:
        token = token_of(self.request)
        return token.user_id if token else self.request.user.pk

    def workflows(self) -> QuerySet[Workflow]:
        return Workflow.objects.select_related("object_type", "revision")

    def workflow(self) -> Workflow:
        """The one that the address names. Raises ApiError (404)."""
        id_ = read_id(self.kwargs["flowId"])
        found = self.workflows().filter(pk=id_).first() if id_ is not None else None
        if found is None:
            raise not_found(f"There is no flow {self.kwargs['flowId']:.40}.")
        return found

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(as_api_error(exc))


def as_api_error(error: Exception) -> Exception:
    """What the services of flows refuse, in the API's words."""
    match error:
        case InvalidFlow():
            told: list[dict[str, Any]] = [
                {"message": each.reason, "code": "INVALID_FLOW", "in": each.place} for each in error.problems[:TOLD]
            ]
            return bad_request(str(error), errors=told)
        case Stale():
            return ApiError(409, str(error), sub_category="automation.STALE_REVISION")
        case NameTaken():
            return ApiError(409, str(error), sub_category="automation.NAME_TAKEN")
    return error
