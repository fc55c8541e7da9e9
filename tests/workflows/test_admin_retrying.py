"""What failed is tried again from its run's page."""

from __future__ import annotations

import pytest

from tests.associations.admin_pages import messages_on, sign_in
from tests.factories import make_record, words
from workflows.actions import ACTIONS
from workflows.models import Run
from workflows.services import enrollment

from .admin_workflows import text, url
from .making import create, make_workflow, work_off

pytestmark = pytest.mark.django_db


def test_failed_batches_are_tried_again_by_whom_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, acme = make_record("contact", company="Acme"), make_record("company", name="Acme")
    workflow = make_workflow("contact", create("company", "company", "name"))
    run = enrollment.enroll_records(workflow, [ann.pk])

    def fail(*args: object) -> None:
        raise ValueError("no luck")

    with monkeypatch.context() as broken:
        broken.setattr(type(ACTIONS["create_associations"]), "run", fail)
        work_off()
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    page, address = url("run_change", run.pk), url("run_retry", run.pk)
    looker = sign_in("view_run", "view_workflow")
    assert "no luck" in text(looker.get(page))
    assert address not in text(looker.get(page))
    assert looker.post(address).status_code == 403
    client = sign_in()
    assert address in text(client.get(page))
    assert client.get(address).status_code == 405
    assert messages_on(client.post(address, follow=True)) == ["1 failed batch is tried again."]
    work_off()
    assert words(ann, acme) == {"unlabeled", "Primary"}
    assert messages_on(client.post(address, follow=True)) == ["Nothing of this run has failed."]
