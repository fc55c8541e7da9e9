"""A web server as `make run` starts it, with the product or with the floors behind it, and who asks it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from crmproject.management.commands.serve import web_command
from crmproject.supervision import end_with_parent

from .workers import wait_until

FLOOR = "tests.benchmarks.floor_wsgi"


@contextmanager
def web_server(application: str = "crmproject.wsgi") -> Iterator[int]:
    """The product's web server, until the block is left; its port."""
    parent = os.getpid()
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port, files = listener.getsockname()[1], [listener.fileno()]
        command = [*web_command(listener)[:-1], application]
        running = subprocess.Popen(
            command, pass_fds=files, preexec_fn=lambda: end_with_parent(parent), cwd=settings.BASE_DIR
        )
        try:
            wait_until(lambda: Client(port).get("/healthz") == 200, 60, 0.2)
            yield port
        finally:
            running.terminate()
            running.wait(20)


class Client:
    """One connection that stays open."""

    def __init__(self, port: int, token: str = "", session: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} if token else {}
        self.said = b""
        if session:
            self.headers["Cookie"] = f"{settings.SESSION_COOKIE_NAME}={session}"

    def get(self, path: str) -> int:
        """The status; 0 where nobody answers."""
        try:
            self.connection.request("GET", path, headers=self.headers)
            response = self.connection.getresponse()
            self.said = response.read()
            return response.status
        except OSError:
            return 0

    def milliseconds(self, path: str, expected: bytes = b"") -> float:
        """Until the whole answer is there; one without what is expected in it would be no measure."""
        start = time.monotonic()
        status = self.get(path)
        taken = (time.monotonic() - start) * 1000
        if status != 200 or expected not in self.said:
            raise RuntimeError(f"{path}: {status}, or not what is expected in it")
        return taken

    def post(self, path: str, body: object) -> dict[str, object]:
        self.connection.request("POST", path, json.dumps(body), self.headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        if response.status >= 300:
            raise RuntimeError(f"{path}: {response.status} {answer}")
        return dict(answer)
