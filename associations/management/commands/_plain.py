"""What the commands of this app share: a mistake of the person or the machine is one line, not a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from associations.errors import Refused


@contextmanager
def plain_errors(hint: str = "") -> Iterator[None]:
    """Exit status 2 and one line; `hint` says how to go on where the input is not to blame."""
    try:
        yield
    except Refused as error:
        raise CommandError(str(error), returncode=2) from error
    except KeyboardInterrupt as error:
        raise CommandError(f"Stopped.{hint}", returncode=130) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise CommandError(f"{where}{error.strerror or error}.{hint}", returncode=2) from error
    except DatabaseError as error:
        reason = str(error).strip().partition("\n")[0]
        raise CommandError(f"The database refuses: {reason}.{hint}", returncode=2) from error
