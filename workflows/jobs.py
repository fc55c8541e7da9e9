"""What workers run. Thin: each loads by id and calls its service; arguments are ids only."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection

from crmproject import queues

from . import sql
from .services import enrollment, events, execution, isolation, preview, scheduling, sweeping, undo
from .services.faults import passes, reason

T = TypeVar("T")
logger = logging.getLogger(__name__)
PAUSES = (0.1, 0.5, 2.0, 5.0)  # seconds
# How often whoever looks at the outbox does so before another one takes over.
MOST_LOOKS = 100
# For how long it waits for more before it answers the bell, and how often it asks, in seconds.
LINGERING, PAUSE = 0.02, 0.001
# So many changes during a look come faster than one looks at each.
MANY = 4


def process_events() -> None:
    """Look at what happened, also at what comes of it, until there is nothing more to look at.

    Only before the last look the bell is answered: what happens meanwhile is taken up by one worker, all at once, and
    does not have all others start with a record each.
    """
    bell = settings.RECORD_EVENTS_JOB
    try:
        is_done = _look_until_done(bell)
    except BaseException:
        queues.answer(bell)
        raise
    if not is_done:
        queues.answer(bell)
        queues.ring(bell)


def _look_until_done(bell: str) -> bool:
    is_answered = False
    with queues.kept_back(bell):
        for _ in range(MOST_LOOKS):
            if _look() or (not is_answered and _more_comes()):
                continue
            if is_answered:
                return True
            queues.answer(bell)
            is_answered = True
    return False


def _more_comes() -> bool:
    """Whether something happens in the next moment. Where one record is saved after the other, to be rung for each
    takes a worker longer than to look at it; where many are saved at once, a look at more of them takes little longer
    than at one, and leaves that time to those who save."""
    if not queues.has_time():
        return False
    end = time.monotonic() + LINGERING
    while not (waiting := _patiently(lambda: sql.count_waiting(MANY))) and time.monotonic() < end:
        time.sleep(PAUSE)
    if waiting == MANY:
        time.sleep(LINGERING)
    return waiting > 0


def _look() -> bool:
    """Look once; whether there is to be another look."""
    try:
        return _patiently(lambda: events.process_events(at_once=True))
    except Exception as error:
        if passes(error):
            raise  # they still wait, and the sweep rings for them
        logger.exception("Failed; each workflow looks for itself now, and leaves all actions to the queue")
        return _patiently(lambda: events.process_events(apart=True))


def prepare_run(run_id: int) -> None:
    try:
        _patiently(lambda: enrollment.prepare_run(run_id))
    except Exception as error:
        if passes(error):
            raise  # the run still waits, and the sweep rings for it
        logger.exception("Failed", extra={"run": run_id})
        enrollment.give_up(run_id, reason(error))


def run_action(batch_id: int, position: int) -> None:
    try:
        _patiently(lambda: execution.run_action(batch_id, position))
    except Exception as error:
        if passes(error):
            raise  # the batch still waits, and the sweep rings for it
        logger.exception("Failed", extra={"batch": batch_id, "action": position})
        # A definition that can no longer be read fails for every record: there is no bad one to look for.
        put_aside = isolation.put_aside if isinstance(error, ValidationError) else isolation.isolate
        put_aside(batch_id, position, reason(error))


def count_preview(preview_id: int) -> None:
    try:
        _patiently(lambda: preview.count(preview_id))
    except Exception as error:
        logger.exception("Failed", extra={"preview": preview_id})
        preview.give_up(preview_id, reason(error))


def undo_part(part_id: int) -> None:
    try:
        _patiently(lambda: undo.work(part_id))
    except Exception as error:
        if passes(error):
            raise  # the part still waits, and the sweep rings for it
        logger.exception("Failed", extra={"undo_part": part_id})
        undo.put_aside(part_id, reason(error))


def sweep() -> None:
    sweeping.sweep()


def ring_schedules() -> None:
    scheduling.ring_schedules()


def _patiently(work: Callable[[], T]) -> T:
    """Try again, with growing pauses, what failed for a passing reason: a deadlock, a database that restarts."""
    for pause in PAUSES:
        try:
            return work()
        except Exception as error:
            if not passes(error):
                raise
            logger.warning("Trying again in %s s: %s", pause, error)
            connection.close()
            time.sleep(pause)
    return work()
