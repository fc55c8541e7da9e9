"""How the OpenAPI document tells of an endpoint: a summary, the body, the answers, and the errors that all may give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from .reading import Model

F = TypeVar("F", bound=Callable[..., Any])


class ErrorDetail(Model):
    message: str
    code: str | None = None
    in_: str | None = None
    sub_category: str | None = None
    context: dict[str, list[str]] | None = None

    model_config = {"alias_generator": lambda name: {"in_": "in", "sub_category": "subCategory"}.get(name, name)}


class Error(Model):
    """What was wrong, where, and what to do."""

    status: str
    message: str
    correlation_id: str
    category: str
    sub_category: str | None = None
    errors: list[ErrorDetail] | None = None
    context: dict[str, list[str]] | None = None
    links: dict[str, str] | None = None


ERRORS = {
    400: "Something in the request is wrong; the message says what",
    401: "No token, or one that is not good any more",
    403: "The token lacks a scope, or the person a permission",
    404: "There is no such thing",
    429: "Too many requests",
}
BODY_ERRORS = {
    409: "It is there already",
    413: "Too large",
    415: "The body is not application/json",
}


def query(name: str, description: str, type_: Any = str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, type_, OpenApiParameter.QUERY, description=description, **more)


def names(name: str, description: str) -> OpenApiParameter:
    """A list parameter; comma-joined, as HubSpot's clients send it."""
    return OpenApiParameter(
        name,
        {"type": "array", "items": {"type": "string"}},
        OpenApiParameter.QUERY,
        description=description,
        explode=False,
        style="form",
    )


AFTER = query("after", "Where the page before ended: its paging.next.after")
ARCHIVED = query("archived", "Archived ones instead", OpenApiTypes.BOOL, default=False)


def limit(default: int, most: int) -> OpenApiParameter:
    return query(
        "limit", "How many results a page has", {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    )


def documented(
    summary: str,
    answers: Mapping[int | tuple[int, str], Any],
    *,
    body: Any = None,
    parameters: Sequence[OpenApiParameter] = (),
    tag: str = "",
    **more: Any,
) -> Callable[[F], F]:
    """Decorates a view's method. `answers` are the models by status, None for an empty answer; by (status, media type)
    where they are not JSON."""
    errors = ERRORS | (BODY_ERRORS if body is not None else {})
    return extend_schema(
        summary=summary,
        request=body,
        parameters=list(parameters),
        responses={**answers, **dict.fromkeys(errors, Error)},
        tags=[tag] if tag else None,
        **more,
    )
