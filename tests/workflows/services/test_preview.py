"""What a preview counts and shows, that it leaves nothing behind and holds nobody up, and the job that counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import ChangeSet, Record
from associations.services import match_keys
from crmproject import queues
from tests.factories import associate, limit, make_label, make_record, make_records, unlabeled
from tests.workflows.making import (
    create,
    enroll_all,
    everything,
    is_,
    make_workflow,
    remove,
    set_steps,
    set_triggers,
)
from workflows.models import Preview, Run, Workflow
from workflows.services import lifecycle, preview, rehearsal

from .conftest import STEP, records_of

pytestmark = pytest.mark.django_db


def test_it_says_who_enrolls_and_what_each_action_would_do(draft: Workflow, contacts: list[Record]) -> None:
    figures = preview.first_figures(draft)
    assert (figures["looked_at"], figures["of"], figures["enrolled"]) == (4, 4, 4)
    first, second = figures["actions"]
    assert records_of(figures) == {"created": 2, "no_match": 1, "no_value": 1}
    assert first["changes"] == [
        {"label": "", "added": 2, "removed": 0},
        {"label": "Employer", "added": 2, "removed": 0},
        {"label": "Primary", "added": 2, "removed": 0},
    ]
    assert records_of(figures, 1) == {"label_added": 2, "not_associated": 2}, "it works on what the first would create"
    assert second["changes"] == [{"label": "Local", "added": 2, "removed": 0}]
    row = next(each for each in first["rows"] if each["record"]["id"] == contacts[1].pk)
    company = Record.objects.get(object_type__name="company")
    assert row["value"] == "alder foods"
    assert {(each["label"], each["other"]["id"], each["other_value"]) for each in row["changes"]} == {
        (label, company.pk, "Alder Foods") for label in ("", "Employer", "Primary")
    }
    missed = next(each for each in first["rows"] if each["outcome"] == "no_match")
    assert (missed["record"]["id"], missed["value"], missed["changes"]) == (contacts[2].pk, "Birch", [])


def test_the_edited_workflow_counts_not_the_one_that_runs(draft: Workflow) -> None:
    lifecycle.turn_on(draft)
    lifecycle.turn_off(draft)
    set_triggers(draft, [[is_("company", "Birch")]])
    assert preview.first_figures(draft)["enrolled"] == 1
    set_triggers(draft, [])
    set_steps(draft)
    with pytest.raises(ValidationError, match="at least one action"):
        preview.first_figures(draft)


def test_who_was_enrolled_before_is_left_out_as_in_a_run(draft: Workflow) -> None:
    lifecycle.turn_on(draft)
    enroll_all(draft)
    assert preview.first_figures(draft)["enrolled"] == preview.exact_figures(draft)["enrolled"] == 0


def test_a_limit_is_shared_by_all_batches(draft: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_keys, "CHUNK", 1)
    limit(unlabeled("contact", "company"), to=None, inverse=1)
    figures = preview.exact_figures(draft)
    assert records_of(figures) == {"created": 1, "limit_reached": 1, "no_match": 1, "no_value": 1}


@pytest.mark.parametrize("count", [preview.first_figures, preview.exact_figures])
def test_nothing_is_left_behind(count: Callable[[Workflow], object], draft: Workflow) -> None:
    before = everything(), ChangeSet.objects.count(), Run.objects.count()
    waiting = list(connection.run_on_commit)
    count(draft)
    assert (everything(), ChangeSet.objects.count(), Run.objects.count()) == before
    assert [each for each in connection.run_on_commit if each not in waiting] == []
    draft.refresh_from_db()
    assert not draft.is_enabled
    assert draft.revision is None
    assert not draft.revisions.exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_nobody_is_held_up_while_all_records_are_counted(draft: Workflow) -> None:
    limit(unlabeled("contact", "company"), to=None, inverse=5)
    with rehearsal.rehearsed_all(draft, lifecycle.definition_json(draft), lambda done, steps: None) as run:
        assert run.batches.exists()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
                    " WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'public'::regnamespace"
                    " AND l.mode <> 'AccessShareLock'"
                )
                assert cursor.fetchall() == [], "only read"
        else:
            other = sqlite3.connect(settings.DATABASES["default"]["TEST"]["NAME"], timeout=0)
            other.execute("BEGIN IMMEDIATE")
            other.rollback()
            other.close()


def test_the_number_of_queries_does_not_grow_with_the_records(draft: Workflow) -> None:
    counts = []
    for size in (0, 20, 200):  # the first builds the match indexes
        make_records("contact", [{"company": f"Alder {number}"} for number in range(size)])
        for count in (preview.first_figures, preview.exact_figures):
            with CaptureQueriesContext(connection) as queries:
                count(draft)
            counts.append(len(queries))
    assert counts[2:4] == counts[4:6], counts


def test_a_job_counts_exactly_and_keeps_the_rows(draft: Workflow, many: None, run_jobs: Callable[[], None]) -> None:
    asked = preview.request(draft)
    assert asked.figures["looked_at"] < 104
    assert preview.latest(draft) == asked
    assert preview.progress_of(asked) == (0, 0)
    run_jobs()
    asked.refresh_from_db()
    assert asked.state == Preview.State.FINISHED
    assert preview.progress_of(asked) == (2, 2)
    assert asked.figures == preview.exact_figures(draft)
    kept = b"".join(preview.csv_of(asked)).decode().splitlines()
    assert len(kept) == 1 + 102 * 3 + 2 + 102 + 2
    assert kept[0].startswith("action,record_id,record,outcome,")
    preview.count(asked.pk)
    assert preview.request(draft) == Preview.objects.get(), "the new one takes the place of the old"
    preview.count(asked.pk)

    set_triggers(draft, [[is_("company", "Birch")]])
    assert preview.latest(draft) is None, "it was of another definition"


def test_a_counting_that_fails_says_why(draft: Workflow, run_jobs: Callable[[], None]) -> None:
    asked = preview.request(draft)
    asked.definition["actions"][0]["fields"]["label"] = "4711"
    asked.save()
    run_jobs()
    asked.refresh_from_db()
    assert asked.state == Preview.State.FAILED
    assert "4711" in asked.note


def test_text_that_a_spreadsheet_would_run_is_shielded(contacts: list[Record]) -> None:
    make_record("contact", firstname="=cmd()", company="=cmd()")
    workflow = make_workflow("contact", create(*STEP), on=False)
    texts = [text for row in preview.exact_rows(workflow) for text in row]
    assert "'=cmd()" in texts
    assert "=cmd()" not in texts


def test_what_would_be_removed_is_counted(contacts: list[Record]) -> None:
    label, company = make_label("contact", "company", "Old"), Record.objects.get(object_type__name="company")
    associate(contacts[0], company, label)
    workflow = make_workflow("contact", remove(label, associations=True), on=False)
    figures = preview.first_figures(workflow)
    assert records_of(figures) == {"association_removed": 1, "not_associated": 3}
    assert [(each["label"], each["removed"]) for each in figures["actions"][0]["changes"]] == [
        ("", 1),
        ("Old", 1),
        ("Primary", 1),
    ]


def test_progress_is_no_more_than_a_note(draft: Workflow) -> None:
    steps: list[tuple[int, int]] = []
    preview.exact_figures(draft, lambda done, of: steps.append((done, of)))
    assert steps == [(1, 2), (2, 2)]
    queues.note_progress("something", 3, 4)
    assert queues.progress("something") == (3, 4)
    assert queues.progress("nothing") is None
