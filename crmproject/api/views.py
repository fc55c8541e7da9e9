"""What every API view is: it knows who asks, what that takes, answers in HubSpot's form, and holds no logic of its own.

A view says what it needs (`needs`), reads its request through `reading` and `paging`, calls a service, and answers with
`Response` or `self.batch(…)`. Every answer carries a correlation id, an answer to a token its rate limits.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, NoReturn

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crmproject.models import ApiToken

from .authentication import MISSING, BearerToken, Session, not_authenticated
from .errors import ApiError, iso, not_found
from .parsers import StrictJSONParser
from .permissions import NeedsMet
from .rates import Allowance, TokenThrottle
from .renderers import BrowsableRenderer, LenientNegotiation
from .scopes import Needs

CORRELATION = "X-HubSpot-Correlation-Id"


class ApiView(APIView):
    """The base of all API views."""

    authentication_classes: Sequence[type[BaseAuthentication]] = [BearerToken, Session]
    permission_classes = [NeedsMet]
    throttle_classes = [TokenThrottle]
    parser_classes = [StrictJSONParser]
    renderer_classes = [JSONRenderer, BrowsableRenderer]
    content_negotiation_class = LenientNegotiation
    allowance: Allowance | None = None
    correlation_id = ""

    def needs(self) -> Needs:
        """What this request takes; `self.request.method` says which."""
        raise NotImplementedError

    @property
    def writes(self) -> bool:
        return self.request.method not in ("GET", "HEAD", "OPTIONS")

    def example(self) -> Any:
        """What the browsable API suggests as the body of `self.request.method`; None for a request without one."""
        return None

    # The answer -----------------------------------------------------------------------------------

    def batch(self, results: Sequence[Any], status: int = 200, errors: Sequence[dict[str, Any]] = ()) -> Response:
        """A batch answer: of this status if all went well, 207 with what did not."""
        body: dict[str, Any] = {
            "status": "COMPLETE",
            "results": list(results),
            "requestedAt": iso(self.began),
            "startedAt": iso(self.began),
            "completedAt": iso(timezone.now()),
        }
        if errors:
            body |= {"numErrors": len(errors), "errors": list(errors)}
        return Response(body, status=207 if errors else status)

    def empty(self) -> Response:
        return Response(status=status.HTTP_204_NO_CONTENT)

    # What REST framework calls ----------------------------------------------------------------------

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.began = timezone.now()
        self.correlation_id = str(uuid.uuid4())

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        for text in (*kwargs.values(), *request.query_params.keys(), *(v for _, v in request.query_params.lists())):
            if "\x00" in (text if isinstance(text, str) else "".join(text)):
                raise ApiError(400, "A NUL character is part of no name and no value; leave it out of the address.")
        super().initial(request, *args, **kwargs)

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        if request.successful_authenticator is None:
            raise not_authenticated(MISSING)
        raise _forbidden(self.needs(), of_token=isinstance(request.auth, ApiToken))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response[CORRELATION] = self.correlation_id
        # What a client did wrong is told to the client, and faults of our own are in the log with all there is: Django
        # would add a line about each.
        response._has_been_logged = True
        for name, value in (self.allowance.headers if self.allowance else {}).items():
            response[name] = value
        return response

    def get_authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def get_view_name(self) -> str:
        return getattr(self, "name", None) or super().get_view_name()


def _forbidden(needs: Needs, *, of_token: bool) -> ApiError:
    if of_token:
        return ApiError(
            403,
            "This app hasn't been granted all required scopes to make this call."
            " Read more about required scopes here: https://developers.hubspot.com/scopes.",
            category="MISSING_SCOPES",
            errors=[
                {
                    "message": "One or more of the following scopes are required.",
                    "context": {"requiredGranularScopes": list(needs.scopes)},
                }
            ],
        )
    permission = f" It takes the permission {needs.permission}." if needs.permission else ""
    return ApiError(403, f"You may not do this.{permission}", category="MISSING_SCOPES")


@extend_schema(exclude=True)
class UnknownPath(ApiView):
    """The rest of the API's addresses: 404 as the API tells it, for everybody."""

    authentication_classes = []
    permission_classes = []
    throttle_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise not_found()
