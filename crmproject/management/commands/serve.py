"""Everything from one command: the queue, its workers, the scheduler and the web server as one supervised tree.

`make run` calls this. First it asks whether all is there (preflight.py), then it migrates, then it runs the children
(supervision.py) until Ctrl-C. The first start ends when the administrator exists; one that was cut off begins anew.
"""

import http.client
import os
import secrets
import shlex
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, call_command
from django.db import DatabaseError, connection, connections
from redis.exceptions import RedisError

from ... import preflight
from ...preflight import NotReady
from ...supervision import Program, Stopped, Supervisor

ADMIN = "admin"
CRON_MODULE = "workflows.cron"
QUEUES = ("default", "bulk")  # in this order: a worker takes from the second when the first is empty
PATIENCE = 60  # seconds for a child to answer for the first time


class Command(BaseCommand):
    help = "Runs the whole product: queue, workers, scheduler and web server, until Ctrl-C"
    requires_system_checks: list[str] = []  # a start should be quick; `manage.py check` and the tests run them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.epilog = "The environment steers it: PORT, HOST, WORKERS, DEMO, DATA_DIR, DATABASE_URL, REDIS_URL."

    def handle(self, **options: Any) -> None:
        try:
            with Supervisor() as supervisor:
                self.serve(supervisor)
        except Stopped:
            self.say("Stopped.")
        except NotReady as problem:
            sys.exit(f"Cannot start: {problem}")

    def serve(self, supervisor: Supervisor) -> None:
        host = os.environ.get("HOST") or "127.0.0.1"
        port = preflight.number("PORT", 8000, 1, 65535)
        workers = preflight.number("WORKERS", 2, 1, 64)
        with preflight.lock(settings.DATA_DIR), preflight.listen(host, port) as listener:
            preflight.check_database()
            if settings.QUEUE_SOCKET is None:
                preflight.check_queue()
            first = self.migrate()
            if settings.QUEUE_SOCKET is not None:
                self.start_queue(supervisor, settings.QUEUE_SOCKET)
            supervisor.start(
                [
                    Program("web", web_command(listener), files=[listener.fileno()]),
                    *(Program(f"worker-{n}", worker_command(n)) for n in range(1, workers + 1)),
                    Program("scheduler", manage("rqcron", CRON_MODULE, "--logging-level", "WARNING")),
                ]
            )
            if first and settings.DEMO:
                self.say("Loading the demo ...")
                if supervisor.run(Program("demo", manage("load_demo"))) != 0:
                    raise NotReady("the demo could not be loaded (see above); DEMO=no starts without it.")
            if not supervisor.wait_until(lambda: answers(reachable(host), port), PATIENCE):
                raise NotReady(f"the web server does not answer within {PATIENCE} s (see above).")
            self.welcome(f"http://{reachable(host)}:{port}/admin/", self.create_admin())
            supervisor.wait_until(lambda: False)

    def migrate(self) -> bool:
        """Bring the database up to date; whether nobody has worked with it yet."""
        self.say("Preparing the database ...")
        try:
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
            first = not get_user_model().objects.exists()
        except (DatabaseError, OSError) as error:
            raise NotReady(f"the database could not be brought up to date ({preflight.reason(error)}).") from error
        connections.close_all()  # we sit and wait from here on
        return first

    def start_queue(self, supervisor: Supervisor, queue_socket: Path) -> None:
        supervisor.start([Program("queue", preflight.queue_command(queue_socket, settings.DATA_DIR))])
        if not supervisor.wait_until(queue_answers, PATIENCE):
            raise NotReady(f"the queue server does not answer; see {settings.DATA_DIR / 'valkey.log'}.")

    def create_admin(self) -> str:
        """The administrator's password, if this is the moment at which it is made; else nothing."""
        users = get_user_model().objects
        try:
            if users.exists():
                return ""
            password = secrets.token_urlsafe(12)
            users.create_superuser(username=ADMIN, email="", password=password)
        except DatabaseError as error:
            raise NotReady(f"the administrator could not be created ({preflight.reason(error)}).") from error
        finally:
            connections.close_all()
        return password

    def welcome(self, address: str, password: str) -> None:
        line = "-" * 72
        self.say(f"\n{line}\n  Address    {address}")
        if password:
            self.say(f"  User       {ADMIN}\n  Password   {password}   (shown this once)")
        else:
            python, script = (os.path.relpath(path) for path in manage())
            self.say("  User and password as shown at the first start; for a new password:")
            self.say("    " + shlex.join([python, script, "changepassword", ADMIN]))
        self.say(f"\n  Ctrl-C ends everything.\n{line}")

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()  # a pipe or a log file should show it now as well


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def worker_command(number: int) -> list[str]:
    """Of the workers, numbered from 1. With SQLite, which has one writer at a time, only the first takes what comes in
    many parts: so it finds in its memory what it has just written, and the others are free for what has just happened.
    """
    queues = QUEUES if number == 1 or connection.vendor != "sqlite" else QUEUES[:1]
    return manage("rqworker", *queues, "-v0")


def web_command(listener: socket.socket) -> list[str]:
    options = "--preload --workers=2 --threads=4 --graceful-timeout=2 --log-level=warning --no-control-socket"
    application = ["--pythonpath", str(settings.BASE_DIR), "crmproject.wsgi"]
    return [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", *options.split(), *application]


def queue_answers() -> bool:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1) as queue:
            return bool(queue.ping())
    except RedisError:
        return False


def answers(host: str, port: int) -> bool:
    """Whether the web server gives a page, be it one that sends us elsewhere."""
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/admin/login/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def reachable(host: str) -> str:
    """The address at which a browser on this machine finds a server that listens at `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)  # noqa: S104 - not bound here
