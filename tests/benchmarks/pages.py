"""What people open while the records of the run are there, through the real web server; and `why`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from statistics import median, quantiles
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Count
from django.test import Client as Session
from django.urls import reverse

from associations.models import Association, AssociationEnd, Record
from workflows.models import Run, Workflow
from workflows.services import why

from . import floors
from .data import company_name
from .report import Report
from .web import Client, web_server

TIMES, WARM = 30, 3
PAIRS = 200
CROWDED = 10_000


def signed_in() -> str:
    """The session of a person who may do everything."""
    user, _ = get_user_model().objects.get_or_create(username="benchmark", is_staff=True, is_superuser=True)
    session = Session()
    session.force_login(user)
    return session.cookies[settings.SESSION_COOKIE_NAME].value


def crowded() -> tuple[int, int]:
    """The record with the number of associations nearest to CROWDED, and that number."""
    ends = AssociationEnd.objects.values("record_id").annotate(count=Count("other_id", distinct=True))
    enough = ends.filter(count__gte=CROWDED).order_by("count").first() or ends.order_by("-count").first()
    if enough is None:
        raise RuntimeError("nothing is associated")
    return enough["record_id"], enough["count"]


def measure_pages(report: Report) -> None:
    floors.settle()
    client_of, (record, count) = signed_in(), crowded()
    records, run = reverse("admin:associations_record_changelist"), Run.objects.latest("pk")
    page_of_record = reverse("admin:associations_record_change", args=[record])
    pages: list[tuple[str, str, Callable[[int], str]]] = [
        ("record list", "", lambda n: f"{records}?object_type=contact"),
        ("filtered list", "", lambda n: f"{records}?object_type=contact&value_of=city&value_is=City+{n}"),
        ("search", "", lambda n: f"{records}?object_type=contact&q=contact{n % 10}%40example.com"),
        ("search of companies", "", lambda n: f"{records}?object_type=company&q={quote(company_name(n % 10))}"),
        ("record page", f"{count:,} associations", lambda n: page_of_record),
        ("run page", "", lambda n: reverse("admin:workflows_run_change", args=[run.pk])),
        ("dashboard", "", lambda n: reverse("admin:index")),
    ]  # fmt: skip
    with web_server() as port:
        client = Client(port, session=client_of)
        for name, note, address in pages:
            report.run(f"page: {name}", partial(_page, report, client, name, note, address), within="pages")


def _page(report: Report, client: Client, name: str, note: str, address: Callable[[int], str]) -> None:
    lists = b'id="result_list"' if "?object_type=" in address(0) else b""  # there is none where nothing is found
    times = [client.milliseconds(address(n), lists) for n in range(WARM + TIMES)][WARM:]
    report.add(f"{name}, p95", quantiles(times, n=20)[18], "ms", note=note)


def measure_preview(report: Report, workflow: Workflow) -> None:
    """What opening the page does: the first figures, from a sample where there are many records."""
    with web_server() as port:
        client = Client(port, session=signed_in())
        client.milliseconds(reverse("admin:index"))
        page = reverse("admin:workflows_workflow_preview", args=[workflow.pk])
        times = [client.milliseconds(page) / 1000 for _ in range(5)]
    report.add("preview, first figures", max(times), "s", note=f"the slowest of 5, the first {times[0]:.2f}")


def measure_why(report: Report) -> None:
    """Of pairs from all over the ledger."""
    dice, records = random.Random(2), Record.objects.select_related("object_type")
    most = floors.count("SELECT max(source_id) FROM associations_association")
    ledger = floors.count("SELECT count(*) FROM associations_associationchange")
    times: list[float] = []
    while len(times) < PAIRS:
        found = Association.objects.filter(source_id__gte=dice.randint(0, most)).order_by("source_id").first()
        assert found is not None
        record, other = records.get(pk=found.source_id), records.get(pk=found.target_id)
        start = time.monotonic()
        assert why.of_pair(record, other).there
        times.append((time.monotonic() - start) * 1000)
    report.add("why of a pair, p50", median(times), "ms", note=f"{ledger:,} rows in the ledger")
    report.add("why of a pair, p95", quantiles(times, n=20)[18], "ms")
