"""Pages as HubSpot cuts them: `limit` and an opaque `after`; `paging.next` has the cursor and the address of the rest.

There is no `paging` on the last page. Cursors are the id that the page ended with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request

from .errors import bad_request, shown

MAX_ID = 2**63 - 1


def read_limit(request: Request, *, default: int, most: int, too_many: str = "") -> int:
    """How many results a page has. Raises ApiError for what is no number from 1 to `most`."""
    raw = request.query_params.get("limit")
    if not raw:
        return default
    if not raw.isascii() or not raw.removeprefix("-").isdecimal() or len(raw) > 18 or int(raw) < 1:
        raise bad_request(f"limit should be a number from 1 to {most}, not {shown(raw)!r}.")
    if int(raw) > most:
        raise bad_request(too_many or f"limit is {shown(raw)}; a page has at most {most} results.")
    return int(raw)


def read_after(raw: object) -> int:
    """The id after which a page begins; 0 for the first page. Raises ApiError for what was never a cursor."""
    if raw is None or raw == "":
        return 0
    after = read_id(raw)
    if after is None:
        raise bad_request(f"after should be what paging.next.after of the page before was, not {shown(raw)!r}.")
    return after


def read_id(raw: object) -> int | None:
    """A record's id as it stands in paths and bodies; None for what cannot be one."""
    text = str(raw)
    if isinstance(raw, bool) or not text.isascii() or not text.isdecimal() or len(text) > 19:
        return None
    return int(text) if int(text) <= MAX_ID else None


def next_page(request: Request, after: object) -> dict[str, Any]:
    """The `paging` of a page that is not the last; the link is this request again from there on."""
    kept = [(name, value) for name, values in request.query_params.lists() for value in values if name != "after"]
    query = urlencode([*kept, ("after", str(after))])
    return {"next": {"after": str(after), "link": f"{request.build_absolute_uri(request.path)}?{query}"}}


def collection(results: Sequence[Any], paging: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {**more, "results": list(results), **({"paging": paging} if paging else {})}
