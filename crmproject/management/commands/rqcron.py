"""Django-RQ's command `rqcron` with our scheduler, whose jobs our workers can read."""

import logging
import sys
from typing import Any

from django_rq.management.commands import rqcron
from redis.exceptions import RedisError

from ...workers import JSONCronScheduler


class Command(rqcron.Command):
    help = "Starts the scheduler of the periodic jobs"

    def handle(self, *args: Any, **options: Any) -> None:
        scheduler = JSONCronScheduler(logging_level=getattr(logging, options["logging_level"]))
        scheduler.load_config_from_file(options["config_path"])
        try:
            scheduler.start()  # type: ignore[no-untyped-call]
        except RedisError as error:  # who runs us starts us again; the traceback would say no more
            sys.exit(f"The queue does not answer: {error}")
