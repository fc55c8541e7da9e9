"""What a preview counts and shows, that it leaves nothing behind and holds nobody up, and the job that counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import ChangeSet, MatchIndex, MatchKey, Record
from associations.services import match_keys
from crmproject import queues
from tests.factories import associate, limit, make_label, make_record, make_records, unlabeled
from tests.workflows.making import (
    apply,
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
from workflows.services import lifecycle, preview, rehearsal, trial
from workflows.services.preview_figures import Figures

pytestmark = pytest.mark.django_db
STEP = ("company", "company", "name")


@pytest.fixture
def contacts() -> list[Record]:
    make_record("company", name="Alder Foods")
    return make_records("contact", [{"company": name} for name in ("Alder Foods", "alder foods", "Birch", "")])


@pytest.fixture
def draft(contacts: list[Record]) -> Workflow:
    """It was never turned on."""
    label = make_label("contact", "company", "Employer")
    return make_workflow(
        "contact", create(*STEP, label=label), apply(make_label("contact", "company", "Local")), on=False
    )


def records_of(figures: Figures, position: int = 0) -> dict[str, int]:
    return {each["outcome"]: each["records"] for each in figures["actions"][position]["outcomes"]}


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


# Many records -----------------------------------------------------------------------------------


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "SAMPLE", 20)
    make_records("contact", [{"company": "Alder Foods"}] * 100)


def test_of_many_records_a_sample_is_looked_at(draft: Workflow, many: None) -> None:
    figures = preview.first_figures(draft)
    assert figures["of"] == 104
    assert 5 <= figures["looked_at"] == figures["enrolled"] <= 40
    assert records_of(figures)["created"] > 0


def make_anything() -> None:
    """Contacts and companies that match in every way, and some that do not."""
    towns, numbers = ["Rome", "rome ", "Bern", ""], ["+49 30 901820", "030 901820", "+44 20 7946 0018", "nothing"]
    for number in range(40):
        given = {"city": towns[number % 4], "phone": numbers[number % 3], "company": f"Town {number % 5}"}
        make_record("contact", **given, lastname=towns[number % 3], website=f"www.firm{number % 7}.example")
    for number in range(8):
        phone, place = numbers[number % 4], towns[number % 4]
        make_record("company", name=f"TOWN {number}", city=place, phone=phone, domain=f"firm{number}.example")


MATCHED = [
    ("company", "company", "name", {}),
    ("company", "city", "city", {}),
    ("company", "city", "city", {"several": "newest"}),
    ("company", "city", "city", {"several": "review"}),
    ("company", "city", "city", {"cap": 1}),
    ("company", "phone", "phone", {}),
    ("company", "website", "domain", {"comparison": "domain"}),
    ("contact", "city", "city", {}),
    ("contact", "city", "lastname", {}),
]


@pytest.mark.parametrize(("other", "own", "theirs", "more"), MATCHED)
@pytest.mark.parametrize("built", [None, "own", "other"])
def test_the_sample_of_values_that_were_never_read_is_as_exact_as_of_those_that_are(
    other: str, own: str, theirs: str, more: dict[str, Any], built: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_anything()
    draft = make_workflow("contact", create(other, own, theirs, **more), on=False)
    [references] = rehearsal.read_complete(lifecycle.definition_json(draft), draft).references
    if built:
        match_keys.ensure_match_index(*references.match_indexes[built == "other"])
    before = list(MatchIndex.objects.values_list("pk", "built_at")), MatchKey.objects.count()
    monkeypatch.setattr(preview, "SAMPLE", 15)
    unread = preview.first_figures(draft)
    assert (list(MatchIndex.objects.values_list("pk", "built_at")), MatchKey.objects.count()) == before
    for index in references.match_indexes:
        match_keys.ensure_match_index(*index)
    assert unread == preview.first_figures(draft)
    assert unread["of"] == 40 and 5 < unread["looked_at"] < 40
    assert records_of(unread).keys() - {"no_match", "no_value"}


def test_of_an_action_that_labels_those_that_match_as_well(many: None, contacts: list[Record]) -> None:
    draft = make_workflow(
        "contact",
        create(*STEP),
        apply(
            make_label("contact", "company", "Same"),
            "matching_property",
            enrolled_property="city",
            associated_property="city",
        ),
        on=False,
    )
    unread = preview.first_figures(draft)
    preview.exact_figures(draft)
    assert unread == preview.first_figures(draft)


def test_there_are_no_first_figures_where_reading_the_values_takes_too_long(
    draft: Workflow, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "READ_WITHIN", -1)
    waiting = preview.first_figures(draft)
    assert (waiting["looked_at"], waiting["of"], waiting["actions"]) == (0, 104, [])
    preview.exact_figures(draft)
    assert preview.first_figures(draft)["looked_at"] > 0, "they are read"


@pytest.mark.parametrize("built", [False, True])
def test_the_sample_is_smaller_where_each_record_matches_very_many(
    many: None, built: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "MOST_PAIRS", 200)
    draft = make_workflow("contact", create("contact", "company", "company"), on=False)
    if built:
        preview.exact_figures(draft)
    figures = preview.first_figures(draft)
    assert 1 <= figures["looked_at"] <= 4
    assert records_of(figures)["created"] == figures["looked_at"]


def test_values_that_were_never_read_are_read_without_locking_a_record(draft: Workflow, contacts: list[Record]) -> None:
    with CaptureQueriesContext(connection) as queries:
        preview.first_figures(draft)
        trial.try_record(draft, contacts[0].pk)
    assert not [each["sql"] for each in queries.captured_queries if "FOR NO KEY UPDATE" in each["sql"]]
    assert not MatchIndex.objects.exists()


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
