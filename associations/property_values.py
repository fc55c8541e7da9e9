"""What a property may hold: reads a raw value into the typed one that is kept, or says what is wrong with it.

The kept forms, all JSON: text as a string; number as int or float; date as "2026-11-23"; datetime in UTC as
"2026-11-23T08:00:00.000Z" (so that text order is time order); enumeration as the option's value, several
as "a;b" in the options' order (HubSpot's form); bool as true or false. No value is never kept.
Pure functions, called by services.records and the forms.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from .models.schema import Property

Value = str | int | float | bool
MAX_TEXT = 65_536  # characters; HubSpot's own limit of a text value
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")
_TRUE = {"true", "yes", "1", "on"}
_FALSE = {"false", "no", "0", "off"}


def read_value(prop: Property, raw: object) -> Value | None:
    """The typed value of `raw`, or None for no value. Raises ValueError with the reason in plain words."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    if isinstance(raw, str):
        _refuse_unstorable(raw)
    return _READERS[prop.type](prop, raw)


def read_part(raw: object) -> str:
    """Text as a part of a value may be, of any type. Raises ValueError for what no value contains."""
    part = str(raw)
    _refuse_unstorable(part)
    return part


def _refuse_unstorable(raw: str) -> None:
    if len(raw) > MAX_TEXT:
        raise ValueError(f"is {len(raw):,} characters long; at most {MAX_TEXT:,} are kept")
    if "\x00" in raw:
        raise ValueError("contains a NUL character")
    try:
        raw.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half of a surrogate pair, which is no character") from None


def _string(prop: Property, raw: object) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise ValueError(f"must be text, not {raw!r:.60}")
    text = str(raw).strip()
    if prop.field_type != Property.FieldType.TEXTAREA and prop.field_type != Property.FieldType.HTML:
        text = " ".join(text.splitlines())
    if prop.name == "email" and prop.is_builtin and not _EMAIL.match(text):
        raise ValueError(f"is not an e-mail address: {text!r:.60}")
    return text


def _number(prop: Property, raw: object) -> int | float:
    try:
        if isinstance(raw, bool):
            raise ValueError
        if isinstance(raw, str):
            raw = raw.strip().replace("_", "x")
        number = float(raw)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"is not a number: {raw!r:.60}") from None
    if not math.isfinite(number):
        raise ValueError(f"is not a finite number: {raw!r:.60}")
    if not number.is_integer():
        return number
    # A whole number is kept as one, to its last digit: 1e+23 would come back from PostgreSQL as another value.
    try:
        return int(raw)  # type: ignore[call-overload]
    except ValueError:  # text such as 1e3
        return int(number)


def _date(prop: Property, raw: object) -> str:
    if isinstance(raw, dt.datetime):
        raw = raw.date()
    if isinstance(raw, dt.date):
        return raw.isoformat()
    try:
        date = parse_date(str(raw).strip()[:10]) if isinstance(raw, str) else None
    except ValueError:
        date = None
    if date is None or (isinstance(raw, str) and len(raw.strip()) > 10 and _instant(raw) is None):
        raise ValueError(f"is not a date like 2026-11-23: {raw!r:.60}")
    return date.isoformat()


def _instant(raw: object) -> dt.datetime | None:
    if isinstance(raw, dt.datetime):
        return raw
    if isinstance(raw, dt.date):
        return dt.datetime.combine(raw, dt.time())
    if isinstance(raw, int) and not isinstance(raw, bool):  # HubSpot's other form: milliseconds since 1970
        try:
            return dt.datetime.fromtimestamp(raw / 1000, dt.UTC)
        except (OverflowError, OSError, ValueError):
            return None
    try:
        text = str(raw).strip()
        return parse_datetime(text) or dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _datetime(prop: Property, raw: object) -> str:
    instant = _instant(raw)
    if instant is None:
        raise ValueError(f"is not a date and time like 2026-11-23T08:00:00Z: {raw!r:.60}")
    if timezone.is_naive(instant):
        instant = timezone.make_aware(instant)
    try:
        utc = instant.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError(f"is out of the range of dates: {raw!r:.60}") from None
    return utc.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _enumeration(prop: Property, raw: object) -> str | None:
    several = prop.field_type == Property.FieldType.CHECKBOX
    if isinstance(raw, list | tuple) and several:
        chosen = [str(part).strip() for part in raw]
    elif isinstance(raw, str | int | float) and not isinstance(raw, bool):
        chosen = str(raw).split(";") if several else [str(raw)]
        chosen = [part.strip() for part in chosen]
    else:
        raise ValueError(f"is not an option: {raw!r:.60}")
    chosen = [part for part in chosen if part]
    if unknown := [part for part in chosen if part not in prop.option_values]:
        options = ", ".join(prop.option_values[:10]) + (", …" if len(prop.option_values) > 10 else "")
        raise ValueError(f"has no option {unknown[0]!r:.60}; the options are: {options or 'none'}")
    return ";".join(option for option in prop.option_values if option in chosen) or None


def _bool(prop: Property, raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower() if isinstance(raw, str | int) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"is neither true nor false: {raw!r:.60}")


_READERS: dict[str, Callable[[Property, object], Value | None]] = {
    Property.Type.STRING: _string,
    Property.Type.NUMBER: _number,
    Property.Type.DATE: _date,
    Property.Type.DATETIME: _datetime,
    Property.Type.ENUMERATION: _enumeration,
    Property.Type.BOOL: _bool,
}
