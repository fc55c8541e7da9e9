"""Statements that go out together: in their order, each seeing what the one before it did, and none forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from associations import sql
from associations.models import ChangeSet, Record
from associations.services import archiving
from tests.factories import ORIGIN, make_record, make_records
from tests.workflows.making import create, make_workflow
from workflows.models import Batch, Run

pytestmark = pytest.mark.django_db


def rename(record: Record, name: str) -> sql.Statement:
    return "UPDATE associations_record SET properties = %s WHERE id = %s", [f'{{"city": "{name}"}}', record.pk]


def city(record: Record) -> object:
    return Record.objects.get(pk=record.pk).properties.get("city")


@pytest.fixture
def record() -> Record:
    return make_record("contact", city="Oslo")


def test_what_is_said_goes_out_before_the_next_statement_whoever_runs_it(record: Record) -> None:
    with sql.gathering(), CaptureQueriesContext(connection) as captured:
        sql.send(rename(record, "Lima"))
        sql.send(rename(record, "Rome"))
        assert city(record) == "Rome", "by the ORM"
        sql.send(rename(record, "Paris"))
        assert sql.fetch("SELECT count(*) FROM associations_record WHERE id = %s", [record.pk]) == [(1,)]
        sql.send(rename(record, "100 %"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT '50 %'")
            assert cursor.fetchone() == ("50 %",), "which has no parameters"
        assert city(record) == "100 %"
    assert len(captured) == (4 if sql.is_postgresql() else 8)


def test_what_nothing_follows_goes_out_at_the_end(record: Record) -> None:
    with sql.gathering():
        sql.send(rename(record, "Lima"))
    assert city(record) == "Lima"


def test_rows_written_and_read_in_other_ways_come_after_it_too(record: Record) -> None:
    others = make_records("contact", [{"city": "Oslo"}] * 3)
    with transaction.atomic(), sql.gathering():
        sql.send(rename(record, "Lima"))
        read: Iterator[Record] = Record.objects.order_by("pk").iterator(2)  # a cursor of the server's
        assert [each.properties["city"] for each in read] == ["Lima", *["Oslo"] * 3]
        sql.send(rename(record, "Rome"))
        with connection.cursor() as cursor:
            cursor.executemany(rename(record, "")[0], [rename(each, "Bonn")[1] for each in others])
        assert {city(each) for each in others} == {"Bonn"}
        assert city(record) == "Rome"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL copies")
def test_a_copy_comes_after_it_too(record: Record) -> None:
    with transaction.atomic(), sql.gathering():
        sql.send(("INSERT INTO associations_matchkey (index_id, record_id, key) VALUES (7, 7, 'a')", ()))
        with pytest.raises(DatabaseError), transaction.atomic():
            sql.insert_match_keys(7, [(7, b"b")])
        sql.send(("DELETE FROM associations_matchkey WHERE index_id = %s", [7]))
        sql.insert_match_keys(7, [(7, b"c")])
    assert sql.fetch("SELECT convert_from(key, 'utf8') FROM associations_matchkey WHERE index_id = 7") == [("c",)]


def test_what_fails_takes_back_the_savepoint_in_which_the_next_statement_stands(record: Record) -> None:
    with sql.gathering():
        with pytest.raises(DatabaseError), transaction.atomic():
            sql.send(("UPDATE associations_record SET object_type_id = NULL WHERE id = %s", [record.pk]))
            city(record)
        sql.send(rename(record, "Lima"))
    assert city(record) == "Lima"


def test_outside_such_a_block_it_goes_out_at_once(record: Record) -> None:
    with CaptureQueriesContext(connection) as captured:
        sql.send(rename(record, "Lima"))
    assert len(captured) == 1


def test_new_rows_get_their_ids_and_refer_to_the_one_before() -> None:
    workflow = make_workflow("contact", create("company", "city", "city"))
    assert workflow.revision is not None
    run = Run(workflow=workflow, revision=workflow.revision, criteria=[[]])
    batch = Batch(run=run, first_record_id=1, last_record_id=2)
    with CaptureQueriesContext(connection) as captured:
        sql.insert(run, batch)
    assert len(captured) == (1 if sql.is_postgresql() else 2)
    assert batch.run is run
    kept = Batch.objects.select_related("run").get()
    assert (kept.pk, kept.run_id, kept.updated_at) == (batch.pk, run.pk, batch.updated_at)
    assert (kept.run.criteria, kept.run.created_at, kept.run.undone_at) == ([[]], run.created_at, None)
    run.note = "saved again"
    run.save()
    assert Run.objects.get().note == "saved again"


def test_ids_go_on_where_rows_stand_before_others() -> None:
    """As in a rehearsal: the id is the one that the shadow gives."""
    workflow = make_workflow("contact", create("company", "city", "city"))
    assert workflow.revision is not None
    first = Run(workflow=workflow, revision=workflow.revision)
    sql.insert(first)
    with transaction.atomic():
        sql.stand_before(Run)
        sql.stand_before(Batch)
        run = Run(workflow=workflow, revision=workflow.revision)
        batch = Batch(run=run, first_record_id=1, last_record_id=2)
        sql.insert(run, batch)
        assert run.pk == first.pk + 1
        assert Batch.objects.get(pk=batch.pk).run_id == run.pk
        transaction.set_rollback(True)
    assert list(Run.objects.all()) == [first]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one table of all sequences")
@pytest.mark.parametrize("model", [ChangeSet, Record, Run])
def test_what_numbers_the_rows_is_called_as_the_database_calls_it(model: type[Model]) -> None:
    [[(name,)], [(given,)], [(last,)]] = sql.together(
        ("SELECT pg_get_serial_sequence(%s, 'id')", [model._meta.db_table]),
        sql.new_ids(model, 1),
        (f"SELECT {sql.last_id(model)}", ()),
    )
    assert name == f"public.{model._meta.db_table}_id_seq"
    assert given == last


def test_an_id_is_never_given_again(record: Record) -> None:
    archiving.delete_records(record.object_type, [record.pk], origin=ORIGIN)
    assert make_record("contact").pk > record.pk
