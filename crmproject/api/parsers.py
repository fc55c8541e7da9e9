"""Reads a request's body: JSON that can be kept, or a 400 that says what is wrong with it and where.

What no value of the product can hold (NUL characters, halves of surrogate pairs) is refused here, for every endpoint,
as is what is only made to be expensive: very large bodies, very deep nesting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from .errors import ApiError, bad_request

MAX_BODY = 32 * 2**20
MAX_DEPTH = 64
EMPTY = "Invalid JSON input: a request body was expected, but none found"


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise ApiError(413, f"The request is larger than {MAX_BODY // 2**20} MiB; send it in several parts.")
        return read_json(body)


def read_json(body: bytes) -> Any:
    """The value of a body. Raises ApiError for one that is not JSON, or that nothing here could keep."""
    if not body.strip():
        raise bad_request(EMPTY)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad_request(f"Invalid input JSON: byte {error.start} is not UTF-8.") from None
    try:
        value = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise bad_request(f"Invalid input JSON on line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise bad_request(_too_deep()) from None
    except ValueError as error:  # NaN, or a number of thousands of digits
        raise bad_request(f"Invalid input JSON: {str(error).partition(';')[0]}.") from None
    lowered = body.lower()
    if b"\\u0000" in lowered or b"\\ud" in lowered:
        _refuse_unstorable(value)
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _refuse_deep(value)
    return value


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _refuse_unstorable(value: Any) -> None:
    for text in _texts(value):
        if "\x00" in text:
            raise bad_request("Invalid input JSON: a text contains a NUL character (\\u0000); leave it out.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise bad_request(
                "Invalid input JSON: a text contains half of a surrogate pair, which is no character; leave it out."
            ) from None


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case dict() as members:
                yield from members
                waiting.extend(members.values())
            case list() as members:
                waiting.extend(members)


def _refuse_deep(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise bad_request(_too_deep())


def _too_deep() -> str:
    return f"Invalid input JSON: it is nested more than {MAX_DEPTH} levels deep."
