"""Jobs that only the tests put on the queue."""

import os
import time

from django.contrib.auth import get_user_model


def rename(user_id: int) -> None:
    """Proof of work: the worker read the job, and reaches the test's database."""
    get_user_model().objects.filter(pk=user_id).update(first_name="seen")


def sleep_as(user_id: int) -> None:
    """A job that does not end by itself; it leaves its process number behind."""
    get_user_model().objects.filter(pk=user_id).update(first_name=str(os.getpid()))
    time.sleep(600)
