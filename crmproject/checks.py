"""What `manage.py migrate` and `check --database default` say about the database. Found by apps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import DEFAULT_DB_ALIAS

from crmproject import sql

COMPILES = checks.Warning(
    "The database compiles large statements (jit is on): a workflow over many records takes twice as long.",
    hint="Behind a pooler only the role can be told: ALTER ROLE … SET jit TO off, and let the pooler connect anew.",
    id="crmproject.W001",
)


@checks.register(checks.Tags.database)
def statements_are_not_compiled(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """Connections of our own ask for it to be off (see settings); a pooler's are not asked."""
    return [COMPILES] if DEFAULT_DB_ALIAS in (databases or ()) and sql.compiles_statements() else []
