"""A run undone and redone in the admin and by the command: first what it would do, then done, then what was left."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from associations.models import Record
from tests.associations.admin_pages import sign_in
from tests.factories import associate, make_label, make_record, make_records, words
from workflows.models import Run
from workflows.services import enrollment

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
    [line] = page.context["sample"]
    assert (line["source"], line["target"], line["what"]) == (contact, company, "the association, Primary")
    assert "<td>go</td>" in text(page) and "Undo this run" in text(page)
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


def test_a_run_that_was_refused_is_not_offered_to_be_undone() -> None:
    run, _, _ = made()
    refused = enrollment.refused_for_depth(run.workflow, run.revision, 1, 16)
    assert url("run_undo", refused.pk) not in text(sign_in().get(url("run_change", refused.pk)))


def test_of_a_big_run_the_page_shows_an_estimate_and_has_it_counted_exactly(
    run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("associations.services.match_keys.CHUNK", 2)
    monkeypatch.setattr("workflows.admin.undoing.SECONDS", 0)
    contacts, company = make_records("contact", [{"company": "a"}] * 5), make_record("company", name="a")
    run = making.enroll_all(making.make_workflow("contact", making.create("company", "company", "name")))
    associate(contacts[0], company, make_label("contact", "company", "Friend"))
    client = sign_in("view_run", "run_workflow")
    page = client.get(url("run_undo", run.pk))
    assert "An estimate from the first 1 of 3 batches" in text(page) and "Count exactly" in text(page)
    page = client.post(url("run_undo", run.pk), {"count": "1"}, follow=True)
    assert "0 of 3 batches are counted" in text(page) and 'data-live="moving"' in text(page)
    run_jobs()
    page = client.get(url("run_undo", run.pk))
    assert "Counted exactly" in text(page) and "Count again" in text(page) and 'data-live="still"' in text(page)
    assert page.context["preview"].counts.associations_removed == 4
    assert "Would be left alone: 1" in text(page) and "Changed since" in text(page)
    assert "unlabeled" in words(contacts[1], company)


@pytest.mark.parametrize("permission", ["view_run", "run_workflow"])
def test_only_who_may_run_workflows_and_see_runs_may_undo(permission: str) -> None:
    run, contact, company = made()
    client = sign_in(permission)
    assert client.get(url("run_undo", run.pk)).status_code == 403
    for button in ("undo", "count"):
        assert client.post(url("run_undo", run.pk), {button: "1"}).status_code == 403
    assert not run.undos.exists()
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
