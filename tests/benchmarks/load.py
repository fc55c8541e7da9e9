"""Saves that come at a steady rate, however long the product takes, with many workflows on: is it still at once?"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles

from django.db import connection

from associations.models import ObjectType
from associations.services import match_keys
from crmproject.api.tokens import create_token
from workflows.models import EnrollmentTrigger, Workflow
from workflows.services import lifecycle

from . import data, floors
from .backfills import WORKERS, make_workflow
from .report import Report
from .web import Client, web_server
from .workers import workers

WORKFLOWS, RATE, SAVES, NAMES, CLIENTS = 50, 100, 1_000, 500, 16
PATIENCE = 60


def make_triggered(name: str, prop: str, operator: str, values: list[str]) -> Workflow:
    """A workflow that is on, for contacts of which a property is or becomes so."""
    workflow = make_workflow(name, "create_associations", enrolled_property="company", associated_property="name")
    lifecycle.turn_off(workflow)
    fields = {"property": prop, "operator": operator, "values": values}
    EnrollmentTrigger.objects.create(workflow=workflow, group=1, kind="property", fields=fields)
    lifecycle.turn_on(workflow)
    return workflow


def build_keys() -> None:
    """Read anew, for records are written past the services that keep them."""
    for type_name, name in (("contact", "company"), ("company", "name")):
        prop = ObjectType.objects.get(name=type_name).properties.get(name=name)
        match_keys.rebuild(match_keys.ensure_match_index(prop, "normalized"))


def measure(report: Report) -> None:
    """Each save matches two companies. One of the workflows wants it; the others must find that they do not."""
    data.write("company", ({"name": f"Loaded {n % NAMES} Ltd", "domain": f"l{n}.example"} for n in range(2 * NAMES)))
    build_keys()
    make_triggered("Wanted", "company", "is_known", [])
    for number in range(WORKFLOWS - 1):
        make_triggered(f"Elsewhere {number}", "city", "is_any_of", [f"Elsewhere {number}"])
    floors.settle()
    _, token = create_token("load", ["crm.objects.contacts.write", "crm.objects.contacts.read"])
    with workers(WORKERS), web_server() as port:
        _send(port, token, 100)  # warm
        rate, times = _send(port, token, SAVES)
    cuts = quantiles(times, n=100)
    note = f"{rate:.1f} saves/s sent of {RATE}; {WORKFLOWS} workflows on"
    report.add("one change under load, p50", cuts[49], "ms", note=note)
    report.add("one change under load, p99", cuts[98], "ms")


def _send(port: int, token: str, saves: int) -> tuple[float, list[float]]:
    """How many a second were sent, and milliseconds from when each was due until both associations were visible."""
    last = floors.count("SELECT coalesce(max(id), 0) FROM associations_record")
    start, clients = time.monotonic() + 0.5, threading.local()
    sent: list[float] = []

    def save(number: int) -> tuple[int, float]:
        if not hasattr(clients, "one"):
            clients.one = Client(port, token)
        due = start + number / RATE
        time.sleep(max(due - time.monotonic(), 0))
        sent.append(time.monotonic())
        properties = {"email": f"load{last}-{number}@example.com", "company": f"LOADED {number % NAMES} ltd"}
        answer = clients.one.post("/crm/v3/objects/contacts", {"properties": properties})
        return int(str(answer["id"])), due

    with ThreadPoolExecutor(CLIENTS) as pool:
        posted = [pool.submit(save, number) for number in range(saves)]
        seen = _watch(last, saves, start + saves / RATE + PATIENCE)
        due = dict(each.result() for each in posted)
    return (saves - 1) / (max(sent) - min(sent)), [(seen[id_] - at) * 1000 for id_, at in due.items()]


def _watch(last: int, records: int, end: float) -> dict[int, float]:
    """When each record made since was first seen with both associations."""
    seen: dict[int, float] = {}
    while len(seen) < records:
        if time.monotonic() > end:
            raise TimeoutError(f"only {len(seen)} of {records} are associated")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT source_id FROM associations_association WHERE type_id = 279 AND source_id > %s"
                " GROUP BY source_id HAVING count(*) = 2",
                [last],
            )
            found = cursor.fetchall()
        now = time.monotonic()
        for (id_,) in found:
            seen.setdefault(id_, now)
        while last + 1 in seen:  # not looked at again, for that would take time from what is measured
            last += 1
        time.sleep(0.005)
    return seen
