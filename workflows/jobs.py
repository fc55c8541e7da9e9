"""What workers run. Thin: each loads by id and calls its service; arguments are ids only."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import OperationalError

from crmproject import queues

from .services import enrollment, events, execution, sweeping

logger = logging.getLogger(__name__)


def process_events() -> None:
    queues.answer(settings.RECORD_EVENTS_JOB)
    while events.process_events():
        pass


def prepare_run(run_id: int) -> None:
    enrollment.prepare_run(run_id)


def run_action(batch_id: int, position: int) -> None:
    try:
        execution.run_action(batch_id, position)
    except OperationalError:
        raise  # a deadlock, a database that went away: the batch still waits, and the sweep rings again
    except Exception as error:
        logger.exception("Batch %s, action %s", batch_id, position)
        execution.fail_batch(batch_id, f"{type(error).__name__}: {error}")


def sweep() -> None:
    sweeping.sweep()
