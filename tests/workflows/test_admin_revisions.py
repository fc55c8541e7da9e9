"""Revisions in the admin: compared with each other, and restored."""

from __future__ import annotations

import pytest

from associations.services import labels
from tests.associations.admin_pages import messages_on, sign_in
from tests.factories import make_label
from workflows.models import Workflow
from workflows.services import lifecycle

from .admin_workflows import page_of, save, text, url
from .making import apply, create, is_, make_workflow, set_steps

pytestmark = pytest.mark.django_db


def two_revisions() -> Workflow:
    workflow = make_workflow("contact", create("company", "company", "name"), triggers=[[is_("city", "Rome")]])
    save(sign_in(), workflow, **{"enroll-0-filter-0-values": "Oslo", "should_re_enroll": "on"})
    return workflow


def test_two_revisions_say_what_is_different_and_what_is_not() -> None:
    workflow = two_revisions()
    for old, new in ((1, 2), (2, 1)):
        page = text(sign_in().get(url("workflow_compare_revisions", workflow.pk, old=old, new=new)))
        gone, added = page.partition("<ins>")[0], page.partition("<ins>")[2]
        assert "City is any of Rome" in gone
        assert "City is any of Oslo" in added
        assert "Re-enrollment is on" in added
        assert '<li class="same">Create associations: Associate each enrolled contact' in page
    for query in ({"old": "1", "new": "9"}, {"old": "x", "new": "1"}, {}):
        assert sign_in().get(url("workflow_compare_revisions", workflow.pk, **query)).status_code == 404


def test_a_restored_revision_runs_as_a_new_one() -> None:
    workflow = two_revisions()
    client = sign_in()
    assert "City is any of Rome" in text(client.get(url("workflow_restore", workflow.pk, 1)))
    page = client.post(url("workflow_restore", workflow.pk, 1), follow=True)
    assert page.redirect_chain[-1][0] == page_of(workflow)
    workflow.refresh_from_db()
    first = workflow.revisions.get(number=1)
    assert workflow.revision is not None
    assert (workflow.revision.number, workflow.revision.definition) == (3, first.definition)
    assert "Restored revision 1." in text(client.get(url("workflow_history", workflow.pk)))


def test_a_revision_whose_label_is_gone_cannot_be_restored() -> None:
    local = make_label("contact", "company", "Local")
    workflow = make_workflow("contact", apply(local), triggers=[[is_("city", "Rome")]])
    set_steps(workflow, create("company", "company", "name"))
    lifecycle.edited(workflow)
    labels.delete_label(local.type)
    page = sign_in().post(url("workflow_restore", workflow.pk, 1), follow=True)
    assert "Revision 1 cannot be restored. Action 1 (Apply association label)" in messages_on(page)[0]
    assert lifecycle.definition_json(workflow)["actions"][0]["kind"] == "create_associations"
