"""Numbers for association types and custom object types, each given once for all time.

Called by services.schema and services.labels, under their lock of the object types.
"""

from __future__ import annotations

from associations.models import HighestNumber


def give_numbers(kind: str, count: int, *, above: int) -> int:
    """The first of `count` numbers in a row that were never given before and are above what is there."""
    highest, _ = HighestNumber.objects.get_or_create(kind=kind, defaults={"number": above})
    first = max(highest.number, above) + 1
    highest.number = first + count - 1
    highest.save(update_fields=["number"])
    return first
