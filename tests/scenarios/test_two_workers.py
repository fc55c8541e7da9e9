"""Two real workers on the same limits: never one association too many, and none too few."""

from __future__ import annotations

from collections.abc import Iterator
from subprocess import Popen

import pytest
from django.db import connection

from associations.models import AssociationEnd
from tests.factories import limit, make_label, make_records, unlabeled
from tests.processes import start_worker, wait_until
from tests.workflows.making import create, make_workflow
from workflows.models import ActionOutcome, ActionRun, Run
from workflows.services.enrollment import enroll_records

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time: nothing to meet."),
]


@pytest.fixture
def two_workers(transactional_db: None) -> Iterator[None]:
    workers: list[Popen[bytes]] = [start_worker() for _ in range(2)]
    yield
    for each in workers:
        each.kill()
        each.wait()


@pytest.mark.usefixtures("two_workers")
def test_a_limit_holds_when_two_workers_fill_it_at_once() -> None:
    colleague = limit(make_label("company", "contact", "Colleague"), to=50)
    limit(unlabeled("contact", "company"), to=2)
    companies = make_records("company", [{"name": "Alder Foods"} for _ in range(3)])
    contacts = make_records("contact", [{"company": "Alder Foods"} for _ in range(400)])
    workflow = make_workflow("contact", create("company", "company", "name", label=colleague.reverse))

    for start in range(0, 400, 25):
        enroll_records(workflow, [each.pk for each in contacts[start : start + 25]])
    wait_until(lambda: not Run.objects.exclude(state=Run.State.FINISHED).exists(), seconds=180)

    assert ActionRun.objects.count() == 16
    ends = AssociationEnd.objects.filter(type_id=colleague.type_id)
    assert [ends.filter(record=each).count() for each in companies] == [50, 50, 50]
    pairs = AssociationEnd.objects.filter(type_id=unlabeled("contact", "company").type_id)
    per_contact = [pairs.filter(record=each).count() for each in contacts]
    assert max(per_contact) <= 2
    assert sum(per_contact) == 150
    outcomes = ActionOutcome.objects.values_list("outcome", "count")
    assert sum(count for outcome, count in outcomes if outcome == "created") == 150
    assert sum(count for outcome, count in outcomes if outcome == "limit_reached") == 400 * 3 - 150
