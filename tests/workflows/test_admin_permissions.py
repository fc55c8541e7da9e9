"""Who may see and do what with workflows in the admin: Django's permissions, on pages and behind them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import django_rq
import pytest
from django.test import Client

from tests.associations.admin_pages import record_url, sign_in, submit
from tests.factories import make_label, make_record
from workflows.models import Action, Run, Workflow
from workflows.services import lifecycle

from .admin_workflows import page_of, text, turn_on, url
from .making import apply, create, enroll, is_, make_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    employer = make_label("contact", "company", "Employer", "Employee")
    steps = create("company", "company", "name"), apply(employer)
    return make_workflow("contact", *steps, triggers=[[is_("city", "Rome")]])


def every_page(workflow: Workflow) -> dict[str, str]:
    """The pages below a workflow, by what they are for."""
    pages = ("turn_on", "turn_off", "enroll", "enroll_existing", "duplicate", "revisions", "compare_revisions")
    return {
        "restore": url("workflow_restore", workflow.pk, 1),
        **{page: url(f"workflow_{page}", workflow.pk, old=1, new=1) for page in pages},
    }


def state(workflow: Workflow) -> tuple[object, ...]:
    fresh = Workflow.objects.get(pk=workflow.pk)
    return (
        fresh.is_enabled,
        fresh.revision_id,
        Run.objects.count(),
        list(Action.objects.values_list("position", "fields")),
    )


def test_nothing_is_seen_without_a_permission(workflow: Workflow) -> None:
    stranger, somebody = Client(), sign_in("view_user")
    before = state(workflow)
    for address in [url("workflow_changelist"), page_of(workflow), *every_page(workflow).values()]:
        for ask in (Client.get, Client.post):
            assert ask(stranger, address).status_code == 302, address
            assert ask(somebody, address).status_code in (403, 405), address
    assert state(workflow) == before


def test_who_may_only_look_sees_everything_and_changes_nothing(workflow: Workflow) -> None:
    client, pages, before = sign_in("view_workflow"), every_page(workflow), state(workflow)
    shown = client.get(page_of(workflow))
    content = text(shown)
    for told in ("City is any of Rome", "Associate each enrolled contact", "Apply the label Employer", "revision 1"):
        assert told in content
    assert "<form" not in content.partition('id="content-main"')[2]
    for link in ("Turn off", "Remove", "Move", "Save", "Duplicate"):
        assert link not in content.partition('id="content-main"')[2], link
    readable = {"revisions", "compare_revisions"}
    revisions = text(client.get(pages["revisions"]))
    assert "Revision 1: what runs now" in revisions
    assert "Restore" not in revisions + text(client.get(pages["compare_revisions"]))
    for name in pages.keys() - readable:
        assert client.get(pages[name]).status_code in (403, 405), name
        assert client.post(pages[name], {"whom": "all"}).status_code == 403, name
    assert client.post(page_of(workflow), {"_save": "1", "name": "Mine"}).status_code == 403
    assert state(workflow) == before


def test_who_may_change_may_not_turn_on_or_enroll(workflow: Workflow) -> None:
    client, pages = sign_in("view_workflow", "change_workflow"), every_page(workflow)
    assert client.get(pages["restore"]).status_code == 200
    for name in ("turn_on", "turn_off", "enroll", "enroll_existing"):
        assert client.get(pages[name]).status_code == 403
        assert client.post(pages[name], {"whom": "all"}).status_code == 403
    content = text(client.get(page_of(workflow)))
    assert "Turn off" not in content
    assert "Enroll records<" not in content
    assert Workflow.objects.get().is_enabled


def test_who_may_turn_on_enrolls_those_who_meet_the_triggers_only_with_the_other_permission(workflow: Workflow) -> None:
    lifecycle.turn_off(workflow)
    client = sign_in("view_workflow", "enable_workflow")
    assert 'name="enroll"' not in text(client.get(url("workflow_turn_on", workflow.pk)))
    turn_on(client, workflow, enroll="yes")
    assert Workflow.objects.get().is_enabled
    assert not Run.objects.exists()
    client = sign_in("view_workflow", "run_workflow")
    assert client.post(url("workflow_turn_off", workflow.pk)).status_code == 403
    page = submit(client, url("workflow_enroll", workflow.pk), "enroll_form", whom="all")
    assert Run.objects.count() == 1
    assert page.redirect_chain[-1][0] == page_of(workflow)  # who may not see runs is not sent there


def test_a_workflow_that_ran_cannot_be_deleted_and_one_that_never_was_on_can(workflow: Workflow) -> None:
    client = sign_in()
    assert client.post(url("workflow_delete", workflow.pk), {"post": "yes"}).status_code == 403
    draft = make_workflow("contact", create("company", "company", "name"), triggers=[[is_("city", "Rome")]], on=False)
    client.post(url("workflow_delete", draft.pk), {"post": "yes"})
    assert list(Workflow.objects.all()) == [workflow]
    assert "delete_selected" not in text(client.get(url("workflow_changelist")))


@pytest.mark.parametrize("model", ["run", "enrollment"])
def test_what_the_engine_wrote_can_only_be_read(workflow: Workflow, model: str) -> None:
    run = enroll(workflow, [make_record("contact", city="Rome")])
    row = run if model == "run" else run.batches.get().enrollments.get()
    client = sign_in()
    assert client.get(url(f"{model}_change", row.pk)).status_code == 200
    assert client.post(url(f"{model}_change", row.pk), {"state": "waiting"}).status_code == 403
    assert client.post(url(f"{model}_delete", row.pk), {"post": "yes"}).status_code == 403
    assert client.get(url(f"{model}_add")).status_code == 403
    assert sign_in("view_workflow").get(url(f"{model}_changelist")).status_code == 403
    assert sign_in(f"view_{model}").get(url(f"{model}_changelist")).status_code == 200


LINK = re.compile(r'<a [^>]*href="(/admin/[^"#]+)')


@pytest.mark.parametrize(
    "permissions",
    [
        ("view_workflow",),
        ("view_run",),
        ("view_record",),
        ("view_record", "change_record"),
        ("view_record", "view_enrollment"),
        ("view_workflow", "change_workflow", "run_workflow"),
    ],
    ids=" ".join,
)
def test_no_link_leads_where_one_may_not_go(workflow: Workflow, permissions: tuple[str, ...]) -> None:
    make_record("company", name="Acme")
    contact = make_record("contact", city="Rome", company="Acme")
    run = enroll(workflow, [contact])
    client = sign_in(*permissions)
    pages = ["/admin/", record_url(contact), page_of(workflow), url("run_change", run.pk)]
    pages += [url("workflow_changelist"), url("run_changelist")]
    shown = [page for page in pages if client.get(page).status_code == 200]
    assert len(shown) > 1
    for page in shown:
        for link in set(LINK.findall(text(client.get(page)))):
            assert client.get(html.unescape(link), follow=True).status_code == 200, f"{page} leads to {link}"


# The queue's pages ------------------------------------------------------------------------------

QUEUE = "/admin/django_rq/dashboard/"


def test_the_queue_is_reached_from_the_admin_s_front_by_whom_it_is_for(run_jobs: Callable[[], None]) -> None:
    for client in (sign_in(), sign_in("admin")):
        assert QUEUE in text(client.get("/admin/"))
        assert client.get(QUEUE).status_code == 200
    assert QUEUE not in text(sign_in("view_workflow").get("/admin/"))


def test_only_whom_the_queue_is_for_sees_and_empties_it() -> None:
    queue = django_rq.get_queue("default")
    job = queue.enqueue_call("workflows.jobs.sweep")
    pages = ["", "stats.json", "queues/0/", "queues/1/", f"queues/1/{job.id}/", "queues/1/failed/", "workers/0/"]
    operator = sign_in()
    for page in pages:
        response = operator.get(f"{QUEUE}{page}", follow=True)
        assert response.status_code == 200, page
        if "json" not in page:
            assert "default-src 'self'" in response["Content-Security-Policy"]
            for inline in ("<style", " style=", " onclick=", "<script>", '<script type="text/javascript">'):
                assert inline not in text(response), page
    assert job.id in text(operator.get(f"{QUEUE}queues/1/"))
    for stranger, status in ((sign_in("view_workflow"), 403), (Client(), 302)):
        for page in pages:
            assert stranger.get(f"{QUEUE}{page}").status_code == status, page
        assert stranger.post(f"{QUEUE}queues/1/empty/").status_code == status
    assert queue.count == 1
    operator.post(f"{QUEUE}queues/1/empty/")
    assert queue.count == 0
    assert operator.get("/admin/queues/").status_code == 404  # the door that all of the staff could open
