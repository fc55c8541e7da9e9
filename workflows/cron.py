"""The clock: which jobs RQ's scheduler rings regularly (`manage.py rqcron workflows.cron`)."""

from rq import cron

cron.register("workflows.jobs.sweep", queue_name="default", interval=30)
