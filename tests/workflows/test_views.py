"""What machines ask: alive, ready, and the figures."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from associations.models import ChangeSet
from crmproject import queues
from tests.factories import make_record, make_records
from tests.processes import wait_until
from tests.servers import Valkey
from tests.workflows.making import create, is_, make_workflow
from workflows.services.enrollment import enroll_matching

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def figures(client: Client) -> dict[str, float]:
    text = client.get("/metrics").content.decode()
    return {name: float(value) for name, value in re.findall(r"^(crm_\S+) (\S+)$", text, re.MULTILINE)}


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_user("operator", is_staff=True))
    return client


def test_it_is_alive_whoever_asks(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_it_is_not_ready_without_a_worker_and_says_what_to_do(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "rqworker default bulk" in answer.json()["problems"]["workers"]


@pytest.mark.usefixtures("worker")
def test_it_is_ready_with_a_worker_until_events_pile_up(client: Client) -> None:
    wait_until(lambda: queues.worker_count() == 1)
    assert client.get("/readyz").json() == {"status": "ok"}
    ChangeSet.objects.create(source=ChangeSet.Source.SYSTEM)
    ChangeSet.objects.update(at=timezone.now() - dt.timedelta(hours=1), processed_at=None)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "waited for 3600 seconds" in answer.json()["problems"]["events"]


def test_it_is_not_ready_without_the_queue(client: Client, queue_server: Valkey) -> None:
    queue_server.kill()
    try:
        assert "does not answer" in client.get("/readyz").json()["problems"]["queue"]
    finally:
        queue_server.start()


def test_the_figures_are_for_staff_and_for_the_token(client: Client, staff: Client, settings: Settings) -> None:
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 403
    settings.METRICS_TOKEN = "a token of this test"
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 403
    assert client.get("/metrics", headers={"authorization": "Bearer a token of this test"}).status_code == 200
    assert staff.get("/metrics").status_code == 200


def test_the_figures_tell_what_waits_and_what_was_done(staff: Client, run_worker_until_idle: object) -> None:
    make_record("company", name="Alder Foods")
    make_records("contact", [{"company": "Alder Foods"} for _ in range(3)] + [{"company": "Nobody"}])
    assert figures(staff)["crm_events_waiting"] == 2
    workflow = make_workflow(
        "contact", create("company", "company", "name"), triggers=[[is_("company", operator="is_known")]]
    )
    enroll_matching(workflow)
    run_worker_until_idle()  # type: ignore[operator]
    now = figures(staff)
    assert now["crm_events_waiting"] == 0
    assert now["crm_enrollments_total"] == 4
    assert now['crm_outcomes_total{action="create_associations",outcome="created"}'] == 3
    assert now['crm_outcomes_total{action="create_associations",outcome="no_match"}'] == 1
    assert now['crm_batch_seconds_bucket{le="+Inf"}'] == now["crm_batch_seconds_count"] == 1
    assert now["crm_batch_seconds_sum"] > 0
