"""A run undone and redone in the admin and by the command: first what it would do, then done, then what was left."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from associations.models import Record
from tests.associations.admin_pages import sign_in
from tests.factories import associate, make_label, make_record, words
from workflows.models import Run

from . import making
from .admin_workflows import text, url

pytestmark = pytest.mark.django_db


def made() -> tuple[Run, Record, Record]:
    contact, company = make_record("contact", company="Alder"), make_record("company", name="alder")
    return making.do(making.create("company", "company", "name"), [contact]), contact, company


def test_the_page_shows_what_would_go_and_undoes_and_redoes_it(run_jobs: Callable[[], None]) -> None:
    run, contact, company = made()
    client = sign_in("view_run", "run_workflow")
    assert url("run_undo", run.pk) in text(client.get(url("run_change", run.pk)))
    page = client.get(url("run_undo", run.pk))
    assert page.context["preview"].counts.associations_removed == 1
    assert "goes" in text(page) and "Undo this run" in text(page)
    assert "unlabeled" in words(contact, company)  # looking changes nothing
    client.post(url("run_undo", run.pk), {"undo": "1"})
    run_jobs()
    assert words(contact, company) == set()
    page = client.get(url("run_undo", run.pk))
    assert page.context["counts"].associations_removed == 1 and "Redo this run" in text(page)
    client.post(url("run_undo", run.pk), {"redo": "1"})
    run_jobs()
    assert "unlabeled" in words(contact, company)


def test_pairs_that_were_left_alone_are_listed_with_who_changed_them(run_jobs: Callable[[], None]) -> None:
    run, contact, company = made()
    associate(contact, company, make_label("contact", "company", "Friend"))
    client = sign_in()
    assert "left alone: Changed since (System a test)" in text(client.get(url("run_undo", run.pk)))
    client.post(url("run_undo", run.pk), {"undo": "1"})
    run_jobs()
    page = text(client.get(url("run_undo", run.pk)))
    assert "Left alone: 1" in page and "Changed since" in page and "Undo once more" in page


@pytest.mark.parametrize("permission", ["view_run", "run_workflow"])
def test_only_who_may_run_workflows_and_see_runs_may_undo(permission: str) -> None:
    run, contact, company = made()
    client = sign_in(permission)
    assert client.get(url("run_undo", run.pk)).status_code == 403
    assert client.post(url("run_undo", run.pk), {"undo": "1"}).status_code == 403
    assert "unlabeled" in words(contact, company)


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("undo_run", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_command_looks_undoes_and_redoes() -> None:
    run, contact, company = made()
    assert "1 associations and 1 labels would be removed" in command(str(run.pk), "--preview")
    assert "unlabeled" in words(contact, company)
    assert "1 associations and 1 labels were removed" in command(str(run.pk))
    assert words(contact, company) == set()
    assert "were put back" in command(str(run.pk), "--redo")
    assert "unlabeled" in words(contact, company)


def test_the_command_says_what_cannot_be() -> None:
    run, _, _ = made()
    with pytest.raises(CommandError, match="There is no run"):
        command("999")
    with pytest.raises(CommandError, match="not undone"):
        command(str(run.pk), "--redo")
