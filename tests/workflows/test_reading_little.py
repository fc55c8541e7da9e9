"""However much workflows have done, a list and an undo read what they are about and not all there is."""

from __future__ import annotations

from copy import copy

import pytest
from django.urls import reverse

from associations.models import Association
from tests.associations.admin_pages import sign_in
from tests.factories import make_record, make_records
from tests.plans import indexes, on_postgresql, on_sqlite, plans, walks
from tests.workflows.making import create, enroll_all, make_workflow
from workflows.models import Enrollment, Run
from workflows.services import undo

pytestmark = pytest.mark.django_db
LEDGER = {"associations_association", "associations_formerassociation"}


@pytest.fixture
def run() -> Run:
    make_record("company", name="Alder Foods")
    make_records("contact", [{"company": "Alder Foods"}] * 3)
    return enroll_all(make_workflow("contact", create("company", "company", "name")))


def addresses() -> list[str]:
    """Of the list of workflows, and of the enrollments of one that has none."""
    idle = make_workflow("contact", create("company", "company", "name"))
    of_idle = f"?workflow__id__exact={idle.pk}"
    return [reverse("admin:workflows_workflow_changelist"), reverse("admin:workflows_enrollment_changelist") + of_idle]


@on_postgresql
def test_who_is_enrolled_in_a_workflow_is_found_by_its_index(run: Run) -> None:
    others, one = list[Enrollment](), Enrollment.objects.filter(workflow=run.workflow)[0]
    for number in range(2_000):  # as many as it takes for the planner to care
        one.pk, one.record_id = None, 10**6 + number
        others.append(copy(one))
    Enrollment.objects.bulk_create(others)
    client = sign_in()
    for address in addresses():
        with plans() as found:
            client.get(address)
        used = {name for plan in found for name in indexes(plan)}
        assert "enrollment_by_workflow" in used
        assert "enrolled_once_at_a_time" not in used, "which begins with the record: all of it would be read"


@on_sqlite
def test_no_list_walks_through_all_enrollments_or_the_whole_ledger(run: Run) -> None:
    client = sign_in()
    for address in [*addresses(), reverse("admin:associations_changeset_changelist")]:
        with walks() as walked:
            client.get(address)
        assert not walked & {"workflows_enrollment", *LEDGER}, address


@on_sqlite
def test_neither_undo_nor_redo_walks_through_the_whole_ledger(run: Run) -> None:
    for redo in (False, True):
        begun = undo.start(run, redo=redo)
        with walks() as walked:
            for part in begun.parts.all():
                undo.work(part.pk)
        assert not walked & LEDGER
        assert Association.objects.exists() is redo
