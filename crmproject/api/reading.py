"""Reads what a request asks: its body into a typed model, its query parameters into what they mean.

The models are pydantic's, named as HubSpot's specification names them, so that the OpenAPI document has the same words.
Members that a model does not know are let pass, as HubSpot does.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, WithJsonSchema
from pydantic.alias_generators import to_camel
from rest_framework.request import Request

from .errors import ApiError, bad_request, shown
from .parsers import EMPTY

T = TypeVar("T")
# So many single mistakes are told.
TOLD = 20


class Model(BaseModel):
    """Members are camelCase outside and snake_case inside; a body's types are taken as they are."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, strict=True, extra="ignore")


def _as_text(value: Any) -> Any:
    """Ids are text, and clients send numbers for them."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_number(value: Any) -> Any:
    """Type ids are numbers, and clients send text for them."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 18:
        return int(value)
    return value


def _scalar(value: Any) -> Any:
    if value is not None and not isinstance(value, str | int | float | bool):
        raise ValueError("should be text, a number, true, false or null")
    return value


Id = Annotated[str, BeforeValidator(_as_text)]
Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Number = Annotated[int, BeforeValidator(_as_number)]
# What a property may be set to; what is kept and given back is text or null.
Scalar = Annotated[Any, BeforeValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean", "null"]})]


@lru_cache(maxsize=256)
def _adapter(type_: Any) -> TypeAdapter[Any]:
    return TypeAdapter(type_)


def read_body(request: Request, type_: type[T]) -> T:
    """The body as a model, or as a list of one. Raises ApiError with every mistake and its place."""
    if not request.META.get("CONTENT_LENGTH", "").strip("0 "):
        raise bad_request(EMPTY)
    return read(request.data, type_)


def read(value: Any, type_: type[T]) -> T:
    try:
        validated: T = _adapter(cast(Hashable, type_)).validate_python(value)
        return validated
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> ApiError:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    mistakes = [(_place(each["loc"]), each["msg"].removeprefix("Value error, "), each["type"]) for each in found]
    where, what, _ = mistakes[0]
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return bad_request(
        f"Invalid input JSON at {where or 'the top'}: {what}{more}.",
        errors=[
            {"message": f"{place or 'The body'}: {text}", "code": code.upper(), "in": place}
            for place, text, code in mistakes[:TOLD]
        ],
    )


def _place(parts: tuple[int | str, ...]) -> str:
    """inputs, 3, from, id → inputs[3].from.id"""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{shown(part)}"
    return text.removeprefix(".")


# Query parameters -------------------------------------------------------------------------------


def read_names(request: Request, name: str) -> list[str]:
    """A list parameter, comma-joined or repeated: both are used."""
    words = [word.strip() for value in request.query_params.getlist(name) for word in value.split(",")]
    return list(dict.fromkeys(filter(None, words)))


def read_flag(request: Request, name: str, *, default: bool = False) -> bool:
    raw = request.query_params.get(name, "").lower()
    if raw not in ("", "true", "false"):
        raise bad_request(f"{name} should be true or false, not {shown(raw)!r}.")
    return raw == "true" if raw else default
