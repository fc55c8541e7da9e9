"""The clock: which jobs RQ's scheduler rings regularly (`manage.py rqcron workflows.cron`)."""

from django.conf import settings
from rq import cron

from workflows import jobs

cron.register(jobs.sweep, queue_name="default", interval=settings.SWEEP_SECONDS)
cron.register(jobs.ring_schedules, queue_name="default", interval=60)
