"""How a run is undone: in parts, by few statements whose number does not grow, without reading what it need not."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations import sql
from associations.services.reversal import Counts
from tests.factories import associate, disassociate, make_label, make_record, make_records, words
from tests.plans import on_postgresql
from tests.workflows import making
from workflows import jobs
from workflows.models import Undo, UndoPart
from workflows.services import undo, undo_preview

from .test_undo import do, employed, rows

pytestmark = pytest.mark.django_db


def test_the_number_of_queries_does_not_grow_with_the_pairs() -> None:
    step = making.create("company", "company", "name")

    def count(pairs: int, name: str) -> int:
        contacts = make_records("contact", [{"company": name}] * pairs)
        make_record("company", name=name)
        run = making.do(step, contacts)
        part = undo.start(run).parts.get()
        with CaptureQueriesContext(connection) as asked:
            undo.work(part.pk)
        return len(asked)

    assert count(2, "few") == count(40, "many")


def test_row_by_row_only_those_pairs_are_looked_at_that_somebody_else_touched() -> None:
    friend = make_label("contact", "company", "Friend")
    contacts, company = make_records("contact", [{"company": "a"}] * 5), make_record("company", name="a")
    run = making.do(making.create("company", "company", "name"), contacts)
    associate(contacts[1], company, friend)
    disassociate(contacts[3], company)
    said = undo_preview.look(run)
    assert sql.fetch("SELECT first_id FROM reversed_pair") == [(contacts[1].pk,)]
    assert said.counts == Counts(3, 3, left={"changed": 1})
    part = undo.start(run).parts.get()
    undo.work(part.pk)
    assert [len(words(contact, company)) for contact in contacts] == [0, 3, 0, 0, 0]
    assert undo.counts_of(part.undo) == said.counts


def test_a_part_that_nobody_else_touched_takes_few_statements() -> None:
    run, contact, company = employed(label=True)
    part = undo.start(run).parts.get()
    with CaptureQueriesContext(connection) as asked:
        undo.work(part.pk)
    assert words(contact, company) == set()
    assert not [each["sql"] for each in asked if each["sql"].startswith("INSERT INTO reversed_row")]


@on_postgresql
def test_no_table_is_read_whole_for_it_whatever_the_planner_knows() -> None:
    friend = make_label("contact", "company", "Friend")
    contacts, company = make_records("contact", [{"company": "a"}] * 4), make_record("company", name="a")
    run = making.do(making.create("company", "company", "name"), contacts)
    associate(contacts[1], company, friend)
    run.refresh_from_db()
    for redo in (False, True):
        part = undo.start(run, redo=redo).parts.get()
        before = scans()
        undo.work(part.pk)
        assert scans() == before
        run.refresh_from_db()
    assert words(contacts[0], company) == {"unlabeled", "Primary"}


def scans() -> dict[str, int]:
    """How often each table that grows was read from its beginning, in this transaction."""
    tables = ("associations_association", "associations_formerassociation", "associations_record")
    found = sql.fetch(f"SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relname IN {tables}")
    return dict(found)


def test_big_runs_are_undone_in_parts_and_the_sweep_rings_for_lost_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("associations.services.match_keys.CHUNK", 2)
    make_records("contact", [{"company": "a"}] * 5)
    make_record("company", name="a")
    workflow = making.make_workflow("contact", making.create("company", "company", "name"))
    run = making.enroll_all(workflow)
    assert run.batches.count() == 3
    look = undo_preview.look(run, seconds=0)
    assert (look.seen, look.parts, look.is_exact) == (1, 3, False)
    started = undo.start(run)
    assert started.parts.count() == 3
    first = started.parts.first()
    assert first is not None
    jobs.undo_part(first.pk)
    started.refresh_from_db()
    assert started.state == Undo.State.RUNNING
    assert undo.ring_for_waiting(-1) == 2
    for part in started.parts.all():
        jobs.undo_part(part.pk)
    started.refresh_from_db()
    assert started.state == Undo.State.FINISHED and rows() == set()


def test_a_part_that_cannot_be_done_says_why_and_the_rest_is_done_when_it_is_started_again() -> None:
    run, contact, company = employed()
    started = undo.start(run)
    part = started.parts.get()
    undo.put_aside(part.pk, "the disk is full")
    started.refresh_from_db()
    assert started.state == Undo.State.FAILED and UndoPart.objects.get().error == "the disk is full"
    do(run)
    assert words(contact, company) == set()
