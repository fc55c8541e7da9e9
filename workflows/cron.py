"""The clock: which jobs RQ's scheduler rings regularly (`manage.py rqcron workflows.cron`)."""

from rq import cron

from workflows import jobs

cron.register(jobs.sweep, queue_name="default", interval=30)
cron.register(jobs.ring_schedules, queue_name="default", interval=60)
