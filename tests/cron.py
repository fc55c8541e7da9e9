"""A clock for the tests of the scheduler."""

from rq import cron

from .jobs import rename

cron.register(rename, queue_name="default", args=(1,), interval=60)
