"""The scopes that a token may have, in HubSpot's names, and what a request needs.

A token needs one of the scopes that a view names; a person with a session needs the Django permission that stands
for the same thing in the admin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CUSTOM = "custom"
# What HubSpot calls the object types in its scopes; every type of one's own is "custom".
FAMILIES = (
    "contacts", "companies", "deals", "tickets", "appointments", "courses", "listings", "services", CUSTOM,
)  # fmt: skip
AUTOMATION = "automation"
TICKETS = "tickets"  # HubSpot's older scope: records and definitions of tickets, to read and to write
OWNERS = "crm.objects.owners.read"
SCOPES = (
    *(f"crm.objects.{family}.{verb}" for family in FAMILIES for verb in ("read", "write")),
    *(f"crm.schemas.{family}.{verb}" for family in FAMILIES for verb in ("read", "write")),
    TICKETS,
    OWNERS,
    AUTOMATION,
    "oauth",
)


@dataclass(frozen=True)
class Needs:
    """What a request takes: a token one of `scopes` (none: any token will do), a person the `permission`."""

    scopes: tuple[str, ...] = ()
    permission: str = ""


def of_family(what: str, family: str, verb: str) -> tuple[str, ...]:
    """The scopes of which one lets a token read or write the `objects` or `schemas` of a family of object types."""
    scope = f"crm.{what}.{family}.{verb}"
    return (scope, TICKETS) if family == TICKETS else (scope,)


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    return [scope for scope in scopes if scope not in SCOPES]
