"""What happens to one record: from the POST to its associations, through the real web server, queue and workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles

import django_rq

from crmproject.api.tokens import create_token

from . import data, floors
from .backfills import WORKERS, seconds_of
from .load import build_keys, make_triggered
from .report import Report
from .web import FLOOR, Client, web_server
from .workers import wait_until, workers

COMPANIES = 20_000
CHANGES = 300
JOBS = 50
SINGLE = 400  # by each of four clients
EXISTING = 10_000


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
    build_keys()
    workflow = make_triggered("Two", "company", "is_known", [])
    _, token = create_token("benchmark", ["crm.objects.contacts.write", "crm.objects.contacts.read"])
    with workers(WORKERS), web_server() as port:
        report.run("existing base", lambda: report.add(f"an existing base of {EXISTING:,}", seconds_of(workflow), "s"))
        report.run("one change", lambda: _one_change(report, Client(port, token)))
        report.run("throughput", lambda: _throughput(report, lambda: Client(port, token)))
        report.run("batches", lambda: _batches(report, Client(port, token)))


def measure_floors(report: Report) -> None:
    """An empty job, by our worker and by RQ's that forks for each, and an empty view."""
    report.run("empty job", lambda: _empty_jobs(report))
    report.run("empty view", lambda: _empty_view(report))


def _empty_jobs(report: Report) -> None:
    queue = django_rq.get_queue("default")
    options = ("--worker-class", "rq.worker.Worker", "--serializer", "rq.serializers.JSONSerializer")
    for name, chosen in (("our worker", ()), ("RQ's own worker", options)):
        times = []
        with workers(1, *chosen):
            for _ in range(JOBS):
                start = time.monotonic()
                job = queue.enqueue("tests.benchmarks.floor_server.empty_job", result_ttl=60)
                wait_until(lambda job=job: job.get_status(refresh=True) == "finished", 60, 0.0005)  # type: ignore[misc]
                times.append((time.monotonic() - start) * 1000)
        report.add(f"empty job, {name}, p50", median(times), "ms", note="from enqueuing to its end; both fork for it")


def _empty_view(report: Report) -> None:
    with web_server(FLOOR) as port:
        client = Client(port)
        times = [client.milliseconds("/empty") for _ in range(CHANGES)][20:]
    report.add("empty DRF view, p50", median(times), "ms")


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
    with web_server(FLOOR) as port:
        _post_singly(lambda: Client(port, "none"), "/insert", 20_000_000)  # warm
        bare = 4 * SINGLE / _post_singly(lambda: Client(port, "none"), "/insert", 10_000_000)
    last = floors.count("SELECT max(id) FROM associations_record")
    _post_singly(client, "/crm/v3/objects/contacts", 30_000_000)  # warm, too
    wait_until(lambda: associated(last) == 2 * 4 * SINGLE)
    floors.settle()  # as autovacuum does within a minute of such growth
    last, start = floors.count("SELECT max(id) FROM associations_record"), time.monotonic()
    posted = _post_singly(client, "/crm/v3/objects/contacts", 100_000)
    wait_until(lambda: associated(last) == 2 * 4 * SINGLE)
    seconds = time.monotonic() - start
    note = f"POSTs alone {4 * SINGLE / posted:,.0f}/s; the floor is a bare DRF insert"
    report.add("single creates, until associated", 4 * SINGLE / seconds, "records/s", bare, note)


def _post_singly(client: Callable[[], Client], path: str, first: int) -> float:
    """Four clients at once, each one POST after the other; the seconds."""
    start = time.monotonic()

    def some(lane: int) -> None:
        each = client()
        for number in range(SINGLE):
            each.post(path, contact(first * (lane + 1) + number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(some, range(4)))
    return time.monotonic() - start


def _batches(report: Report, client: Client) -> None:
    last, count, start = floors.count("SELECT max(id) FROM associations_record"), 100, time.monotonic()
    for batch in range(count):
        inputs = [contact(1_000_000 + batch * 100 + number) for number in range(100)]
        client.post("/crm/v3/objects/contacts/batch/create", {"inputs": inputs})
    posted = time.monotonic() - start
    wait_until(lambda: associated(last) == 2 * 100 * count)
    seconds = time.monotonic() - start
    report.add("batch create", 100 * count / seconds, "records/s", note=f"POSTs alone {100 * count / posted:,.0f}/s")
