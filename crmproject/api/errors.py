"""Errors as HubSpot tells them: one body for everything that can be wrong with a request.

`ApiError` is what views raise; `answer` makes the body of it and of REST framework's own exceptions. What the services
of the apps refuse is translated by `associations.api.errors`, the one exception handler. Nothing here knows an app.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

logger = logging.getLogger(__name__)
Context = Mapping[str, Sequence[str]]
# The most characters of what somebody sent that an error says again.
SHOWN = 200

CATEGORIES = {
    400: "VALIDATION_ERROR",
    401: "INVALID_AUTHENTICATION",
    403: "BANNED",
    404: "OBJECT_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    429: "RATE_LIMITS",
    500: "INTERNAL_ERROR",
}


class ApiError(exceptions.APIException):
    """An answer that says what was wrong. `errors` are the single things, each with at least a `message`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        category: str | None = None,
        sub_category: str | None = None,
        context: Context | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.status_code, self.message, self.headers = status, message, headers or {}
        self.body: dict[str, Any] = {"category": category or CATEGORIES.get(status, "VALIDATION_ERROR"), **more}
        if sub_category:
            self.body["subCategory"] = sub_category
        if context:
            self.body["context"] = {name: list(values) for name, values in context.items()}
        if errors:
            self.body["errors"] = list(errors)
        super().__init__(message)


def bad_request(message: str, **more: Any) -> ApiError:
    return ApiError(400, message, **more)


def not_found(message: str = "resource not found", **more: Any) -> ApiError:
    return ApiError(404, message, **more)


def answer(error: Exception, correlation_id: str) -> Response | None:
    """The response for an error; None for one that nobody foresaw."""
    known = _known(error)
    if known is None:
        return None
    body = {"status": "error", "message": known.message, "correlationId": correlation_id, **known.body}
    return Response(body, status=known.status_code, headers=dict(known.headers))


def unforeseen(error: Exception, correlation_id: str) -> Response:
    """A fault of this server: told in the log with all there is, outside with the number to find it by."""
    logger.error("API request %s failed", correlation_id, exc_info=error)
    failed = ApiError(500, f"Something went wrong here; the server's log has it under {correlation_id}.")
    response = answer(failed, correlation_id)
    assert response is not None
    return response


def _known(error: Exception) -> ApiError | None:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Http404):
        return not_found()
    if isinstance(error, PermissionDenied):
        return ApiError(403, str(error) or "You may not do this.")
    if isinstance(error, exceptions.APIException):
        headers = {"Retry-After": str(int(wait))} if (wait := getattr(error, "wait", None)) else {}
        if header := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = header
        return ApiError(error.status_code, str(error.detail), headers=headers)
    return None


def iso(at: dt.datetime | None) -> str:
    """ISO 8601 in UTC with milliseconds and Z, as HubSpot writes moments."""
    if at is None:
        return ""
    return at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def shown(text: object) -> str:
    """What somebody sent, as an error may say it again."""
    text = str(text)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
