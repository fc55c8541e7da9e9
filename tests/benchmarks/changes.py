"""What happens to one record: from the POST to its associations, through the real web server, queue and workers."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import quantiles

from django.conf import settings

from associations.models import ObjectType
from associations.services import match_keys
from crmproject.api.tokens import create_token
from crmproject.management.commands.serve import web_command
from crmproject.supervision import end_with_parent
from workflows.models import EnrollmentTrigger
from workflows.services import lifecycle

from . import data, floors
from .backfills import WORKERS, make_workflow, seconds_of
from .report import Report
from .workers import wait_until, workers

COMPANIES = 20_000
CHANGES = 300
EXISTING = 10_000


@contextmanager
def web_server() -> Iterator[int]:
    """The product's web server, until the block is left; its port."""
    parent = os.getpid()
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port, files = listener.getsockname()[1], [listener.fileno()]
        running = subprocess.Popen(
            web_command(listener), pass_fds=files, preexec_fn=lambda: end_with_parent(parent), cwd=settings.BASE_DIR
        )
        try:
            wait_until(lambda: Client(port, "").get("/healthz") == 200, 60, 0.2)
            yield port
        finally:
            running.terminate()
            running.wait(20)


class Client:
    """One connection that stays open."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def get(self, path: str) -> int:
        try:
            self.connection.request("GET", path)
            response = self.connection.getresponse()
            response.read()
            return response.status
        except OSError:
            return 0

    def post(self, path: str, body: object) -> dict[str, object]:
        self.connection.request("POST", path, json.dumps(body), self.headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        if response.status >= 300:
            raise RuntimeError(f"{path}: {response.status} {answer}")
        return dict(answer)


def contact(number: int) -> dict[str, object]:
    """One that matches two companies."""
    name = data.company_name(number % (COMPANIES // 2))
    return {"properties": {"email": f"new{number}@example.com", "company": name.upper()}}


def associated(number: int) -> int:
    """How many associations the contacts made since a moment have."""
    return floors.count(f"SELECT count(*) FROM associations_association WHERE type_id = 279 AND source_id > {number:d}")


def measure(report: Report) -> None:
    twice = ({"name": data.company_name(n % (COMPANIES // 2)), "domain": f"c{n}.example"} for n in range(COMPANIES))
    data.write("company", twice)
    data.write("contact", (dict(contact(n)["properties"]) for n in range(EXISTING)))  # type: ignore[call-overload]
    floors.settle()
    workflow = make_workflow("Two", "create_associations", enrolled_property="company", associated_property="name")
    lifecycle.turn_off(workflow)
    EnrollmentTrigger.objects.create(
        workflow=workflow,
        group=1,
        kind="property",
        fields={"property": "company", "operator": "is_known", "values": []},
    )
    for type_name, name in (("contact", "company"), ("company", "name")):
        prop = ObjectType.objects.get(name=type_name).properties.get(name=name)
        match_keys.ensure_match_index(prop, "normalized")
    lifecycle.turn_on(workflow)
    _, token = create_token("benchmark", ["crm.objects.contacts.write", "crm.objects.contacts.read"])
    with workers(WORKERS), web_server() as port:
        with report.part("existing base"):
            report.add(f"an existing base of {EXISTING:,}", seconds_of(workflow), "s")
        with report.part("one change"):
            _one_change(report, Client(port, token))
        with report.part("throughput"):
            _throughput(report, lambda: Client(port, token))
        with report.part("batches"):
            _batches(report, Client(port, token))


def _one_change(report: Report, client: Client) -> None:
    milliseconds = []
    for number in range(EXISTING, EXISTING + CHANGES):
        last = floors.count("SELECT max(id) FROM associations_record")
        start = time.monotonic()
        client.post("/crm/v3/objects/contacts", contact(number))
        wait_until(lambda last=last: associated(last) == 2, 60, 0.0005)  # type: ignore[misc]
        milliseconds.append((time.monotonic() - start) * 1000)
    cuts = quantiles(milliseconds[20:], n=100)
    report.add("one change, p50", cuts[49], "ms", note="from the POST to both associations")
    report.add("one change, p99", cuts[98], "ms")


def _throughput(report: Report, client: Callable[[], Client]) -> None:
    last, count, start = floors.count("SELECT max(id) FROM associations_record"), 400, time.monotonic()

    def some(lane: int) -> None:
        each = client()
        for number in range(count):
            each.post("/crm/v3/objects/contacts", contact(100_000 * (lane + 1) + number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(some, range(4)))
    posted = time.monotonic() - start
    wait_until(lambda: associated(last) == 2 * 4 * count)
    seconds = time.monotonic() - start
    report.add(
        "single creates, 4 at a time", 4 * count / seconds, "records/s", note=f"POSTs alone {4 * count / posted:,.0f}/s"
    )


def _batches(report: Report, client: Client) -> None:
    last, count, start = floors.count("SELECT max(id) FROM associations_record"), 100, time.monotonic()
    for batch in range(count):
        inputs = [contact(1_000_000 + batch * 100 + number) for number in range(100)]
        client.post("/crm/v3/objects/contacts/batch/create", {"inputs": inputs})
    posted = time.monotonic() - start
    wait_until(lambda: associated(last) == 2 * 100 * count)
    seconds = time.monotonic() - start
    report.add("batch create", 100 * count / seconds, "records/s", note=f"POSTs alone {100 * count / posted:,.0f}/s")
