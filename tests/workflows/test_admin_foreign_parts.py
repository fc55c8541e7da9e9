"""A workflow that came from HubSpot with parts that cannot run here, on the admin's pages."""

from typing import Any

import pytest
from django.urls import reverse

from tests.workflows.flows.hubspot import EMAIL, all_of, any_of, create, flow, list_based
from workflows.models import Workflow
from workflows.services import flows

pytestmark = pytest.mark.django_db
FORM = {"filterType": "FORM_SUBMISSION", "operator": "FILLED_OUT", "formId": "x"}


def test_its_pages_show_plainly_what_cannot_run(admin_client):
    criteria = list_based(all_of(FORM, any_of("city", "a")))
    more: dict[str, Any] = {"goalFilterBranch": all_of(any_of("city", "b")), "enrollmentSchedule": {"type": "YEARLY"}}
    workflow = flows.create_flow(flow(EMAIL, create(), enrollmentCriteria=criteria, **more))
    page = admin_client.get(reverse("admin:workflows_workflow_change", args=[workflow.pk]))
    assert page.status_code == 200
    for words in ("Send a marketing email (0-4)", "FORM_SUBMISSION"):
        assert words in page.content.decode()
    assert admin_client.get(reverse("admin:workflows_workflow_changelist")).status_code == 200
    asked = admin_client.get(reverse("admin:workflows_workflow_turn_on", args=[workflow.pk]), follow=True)
    assert asked.status_code == 200 and "cannot be turned on" in asked.content.decode()
    assert not Workflow.objects.get().is_enabled
