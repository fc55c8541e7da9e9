"""What workers run for this app. Thin: loads by id and calls its service."""

from __future__ import annotations

from .services import bulk


def run_bulk(job_id: int) -> None:
    bulk.run(job_id)
