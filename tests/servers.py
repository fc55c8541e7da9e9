"""Real servers for the tests, each in a temporary folder and gone at the end.

Used by the fixtures in conftest.py, and from the command line to run something on a PostgreSQL of its own:

    python -m tests.servers postgres -- pytest -n 2
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import psycopg.conninfo
import redis
from redis.exceptions import RedisError

from crmproject.preflight import OLDEST_POSTGRESQL, queue_command
from crmproject.supervision import end_with_parent

PATIENCE = 30
STOP = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class ServerError(RuntimeError):
    """A server did not start; the text is what it said."""


class Server:
    """One process of a server; `command` starts it, `answers` says whether it serves."""

    def __init__(self, command: list[str], folder: Path, answers: Callable[[], object], account: Mapping[str, Any]):
        self.command, self.folder, self.answers, self.account = command, folder, answers, account
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        parent = os.getpid()
        log = self.folder / "server.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the tests; they end their servers
                preexec_fn=lambda: end_with_parent(parent),
                **self.account,
            )
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.answers()
                return
            except (psycopg.OperationalError, RedisError) as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.kill()
                    raise ServerError(f"{self.command[0]}: {log.read_text(errors='replace')[-2000:]}") from error
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by a signal and wait for it, as long as it takes."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None

    def kill(self) -> None:
        """As if the machine had lost it."""
        self.stop(signal.SIGKILL)


class PostgreSQL(Server):
    url: str
    socket_url: str  # the same from here, wherever it runs

    def restart(self, mode: str = "fast") -> None:
        """`immediate` is a crash: the server recovers from its log at the start."""
        self.stop(STOP[mode])
        self.start()


class Valkey(Server):
    url: str


@contextmanager
def postgres_server(
    *, durable: bool = False, address: str = "127.0.0.1", within: Sequence[str] = (), settings: Sequence[str] = ()
) -> Iterator[PostgreSQL]:
    """A fresh PostgreSQL; with `durable` it writes as carefully as in production, else as fast as it can.

    `within` is what a command is put behind to run on another host (see hosts.py), whose `address` it then has.
    """
    programs = find_postgresql()
    if programs is None:
        raise ServerError(f"No server programs of PostgreSQL {OLDEST_POSTGRESQL} or newer were found.")
    with temporary_folder() as folder:
        account = unprivileged_account()
        if account:
            shutil.chown(folder, account["user"], account["group"])
        data, locale = folder / "data", "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
        initdb = f"-D {data} -U postgres -A trust -E UTF8 --locale {locale} --no-sync"
        made = subprocess.run(
            [programs / "initdb", *initdb.split()], cwd=folder, capture_output=True, text=True, **account
        )
        if made.returncode:
            raise ServerError(f"initdb: {made.stderr.strip()}")
        port = free_port()
        if within:
            with (data / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {address}/24 trust\n")
            if account:
                within = [*within, "setpriv", f"--reuid={account['user']}", f"--regid={account['group']}"]
                within, account = [*within, "--clear-groups"], {}
        options = [f"listen_addresses={address}", f"unix_socket_directories={folder}", *(() if durable else QUICK)]
        options += settings
        server = PostgreSQL(
            [
                *within,
                str(programs / "postgres"),
                "-D",
                str(data),
                "-p",
                str(port),
                *(f"-c{option}" for option in options),
            ],
            folder,
            lambda: psycopg.connect(maintenance).close(),
            account,
        )
        maintenance = f"postgres:///postgres?user=postgres&host={folder}&port={port}"
        server.url = f"postgres://postgres@{address}:{port}/crm"
        server.socket_url = maintenance.replace("/postgres?", "/crm?")
        server.start()
        try:
            with psycopg.connect(maintenance, autocommit=True) as connection:
                connection.execute("CREATE DATABASE crm")
            yield server
        finally:
            server.stop(STOP["immediate"])


@contextmanager
def pgbouncer(server: PostgreSQL) -> Iterator[str]:
    """The url of a PgBouncer in front of a server, which lends its few connections for a transaction at a time."""
    with temporary_folder() as folder:
        account, port = unprivileged_account(), free_port()
        local = psycopg.conninfo.conninfo_to_dict(server.socket_url)
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\ncrm = host={local['host']} port={local['port']} user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
        )
        if account:
            shutil.chown(folder, account["user"], account["group"])
        url = f"postgres://postgres@127.0.0.1:{port}/crm"
        program = shutil.which("pgbouncer") or "pgbouncer"
        pooler = Server([program, "-q", "pgbouncer.ini"], folder, lambda: psycopg.connect(url).close(), account)
        pooler.start()
        try:
            yield url
        finally:
            pooler.stop()


@contextmanager
def valkey_server(*, address: str = "", within: Sequence[str] = ()) -> Iterator[Valkey]:
    """The embedded queue server, started as the product starts it; with an `address` it is for other hosts, too."""
    with temporary_folder() as folder:
        path = folder / "valkey.sock"
        command = [*within, *queue_command(path, folder)]
        if address:
            port = free_port()
            command += f"--port {port} --bind {address} --protected-mode no".split()
        server = Valkey(command, folder, lambda: redis.Redis.from_url(f"unix://{path}").ping(), {})
        server.url = f"redis://{address}:{port}/0" if address else f"unix://{path}"
        server.start()
        try:
            yield server
        finally:
            server.kill()  # it has nothing to lose


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Directly in /tmp: a socket's path must be short, and another account must be able to get there."""
    folder = Path(tempfile.mkdtemp(prefix="crm-test-", dir=os.environ.get("CRM_TEST_FOLDERS", "/tmp")))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_postgresql() -> Path | None:
    """The folder of the newest server programs on this machine that are new enough."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    with suppress(OSError, subprocess.CalledProcessError):
        folders.append(Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip()))
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    versions = {folder: postgresql_version(folder) for folder in folders if (folder / "initdb").exists()}
    best = max(versions, key=lambda folder: versions[folder], default=None)
    return best if best is not None and versions[best] >= OLDEST_POSTGRESQL else None


def postgresql_version(folder: Path) -> int:
    try:
        found = re.search(r"\d+", subprocess.check_output([folder / "postgres", "--version"], text=True))
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(found.group()) if found else 0


def unprivileged_account() -> dict[str, Any]:
    """Arguments for subprocess: PostgreSQL refuses to run as root, so root lends it another account."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise ServerError("PostgreSQL does not run as root, and there is neither an account 'postgres' nor 'nobody'.")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def main(arguments: list[str]) -> int:
    if arguments[:2] != ["postgres", "--"] or len(arguments) < 3:
        sys.exit("Usage: python -m tests.servers postgres -- COMMAND ...")
    if find_postgresql() is None:
        missing = f"PostgreSQL {OLDEST_POSTGRESQL} or newer is not on this machine"
        if os.environ.get("CI"):
            sys.exit(f"{missing}, and CI must not do without it.")
        print(f"{missing}: the PostgreSQL half of the tests is skipped.")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server ends and its folder goes
    with postgres_server() as server:
        try:
            return subprocess.run(arguments[2:], env=os.environ | {"DATABASE_URL": server.url}).returncode
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
