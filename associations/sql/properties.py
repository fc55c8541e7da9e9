"""Conditions on a record's properties that PostgreSQL has an index for (record_properties_folded)."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from .messages import is_postgresql

_FOLDED = "lower(associations_record.properties::text)::jsonb"


def holds_folded(name: str, values: list[Any]) -> RawSQL | None:
    """Whether a property is one of these values, in whatever letter case; None where no index knows that.

    Names have small letters only, so that a whole document can be folded. An array of documents is one condition.
    """
    if not is_postgresql():
        return None
    marks = ", ".join(["lower(%s)::jsonb"] * len(values))
    documents = [json.dumps({name: value}, ensure_ascii=False) for value in values]
    return RawSQL(f"{_FOLDED} @> ANY (ARRAY[{marks}])", documents, output_field=BooleanField())  # noqa: S611


def by_code() -> str:
    """The collation that orders text by its characters' numbers, the same in both databases."""
    return "C" if is_postgresql() else "BINARY"
