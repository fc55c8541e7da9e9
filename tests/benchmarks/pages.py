"""What people open while the records of the run are there, through the real web server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import quantiles
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Count
from django.test import Client as Session
from django.urls import reverse

from associations.models import AssociationEnd, ObjectType
from workflows.models import Run, Workflow

from . import floors
from .data import company_name
from .report import Report
from .web import Client, web_server

TIMES, WARM = 30, 3
IDLE = 46
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
    contact = ObjectType.objects.get(name="contact")
    idle = Workflow.objects.bulk_create(Workflow(name=f"Idle {n}", object_type=contact) for n in range(IDLE))
    floors.settle()
    client_of, (record, count) = signed_in(), crowded()
    records, run = reverse("admin:associations_record_changelist"), Run.objects.latest("pk")
    workflows = reverse("admin:workflows_workflow_changelist")
    enrollments = reverse("admin:workflows_enrollment_changelist")
    page_of_record = reverse("admin:associations_record_change", args=[record])
    pages: list[tuple[str, str, Callable[[int], str]]] = [
        ("record list", "", lambda n: f"{records}?object_type=contact"),
        ("filtered list", "", lambda n: f"{records}?object_type=contact&value_of=city&value_is=City+{n}"),
        ("search", "", lambda n: f"{records}?object_type=contact&q=contact{n % 10}%40example.com"),
        ("search of companies", "", lambda n: f"{records}?object_type=company&q={quote(company_name(n % 10))}"),
        ("record page", f"{count:,} associations", lambda n: page_of_record),
        ("workflow list", f"{Workflow.objects.count()} workflows", lambda n: workflows),
        ("enrollments of a workflow", "none of them", lambda n: f"{enrollments}?workflow__id__exact={idle[n].pk}"),
        ("list of changes", "", lambda n: reverse("admin:associations_changeset_changelist")),
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
