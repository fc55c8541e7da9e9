"""Which errors pass by themselves, so that the same work may well be done a moment later.

Called by jobs, which then try again, and by services.events, which looks for what does not pass.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError

_PROGRAM_LIMIT = "54"  # the class of SQLSTATE that says: too large, too deep, too many


def passes(error: Exception) -> bool:
    """A deadlock, a database that restarts or is cut off; not a statement that the database will never accept."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    told = error.__cause__
    state, name = getattr(told, "sqlstate", None) or "", getattr(told, "sqlite_errorname", "")
    return not state.startswith(_PROGRAM_LIMIT) and name != "SQLITE_ERROR"


def reason(error: Exception) -> str:
    """What went wrong, for the person who reads the run."""
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    return f"{type(error).__name__}: {error}"
