"""What `import_flows` and `export_flows` share: flows in files, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from crmproject.api.errors import ApiError
from crmproject.api.parsers import read_json


def flows_in(path: Path) -> Iterator[Any]:
    """The flows of a file: one, a list of them, or an answer of the API with `results`. Raises CommandError."""
    try:
        content = read_json(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except ApiError as error:
        raise CommandError(f"{path}: {error.message}") from error
    if isinstance(content, dict) and isinstance(content.get("results"), list):
        content = content["results"]
    yield from content if isinstance(content, list) else [content]


def as_text(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
