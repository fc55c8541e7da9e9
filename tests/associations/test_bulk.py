"""Bulk jobs: what is done to many records is done chunk by chunk, once each, and says how far it is."""

from __future__ import annotations

import csv
import io
import zlib
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils import timezone

from associations.errors import Refused
from associations.models import BulkJob, ChangeSet, Record
from associations.services import archiving, bulk, bulk_records
from associations.services.selecting import Selection
from tests.factories import make_label, make_property, make_records, object_type

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    user = User.objects.create_user("ann", is_staff=True)
    codenames = ("view_record", "change_record")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def start(kind: str, user: User, selection: Selection, **fields: object) -> BulkJob:
    return bulk.start(kind, kind, user=user, object_type=selection.object_type, selection=selection.to_json(), **fields)


def finish(job: BulkJob) -> list[tuple[int, int | None]]:
    """Run a job to its end; how far it was after each chunk."""
    seen = []
    while job.finished_at is None:
        bulk.run(job.pk)
        job.refresh_from_db()
        seen.append((job.done, job.total))
    return seen


def live() -> QuerySet[Record]:
    return Record.objects.filter(archived_at=None)


def contacts() -> Selection:
    return Selection(object_type("contact"))


def test_a_job_goes_chunk_by_chunk_and_says_how_far_it_is(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_records.Archive, "chunk", 2)
    make_records("contact", 5), make_records("company", 1)
    job = start("archive", user, contacts())
    assert finish(job) == [(2, 5), (4, 5), (5, 5), (5, 5)]
    assert (job.state, job.result) == ("finished", "5 were archived.")
    assert live().count() == 1
    change_set = ChangeSet.objects.latest("id")
    assert (change_set.source, change_set.user) == (ChangeSet.Source.USER, user)
    bulk.run(job.pk)
    assert ChangeSet.objects.latest("id") == change_set  # a job that comes twice finds nothing to do


def test_a_chunk_that_fails_is_undone_and_the_job_says_why(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_records.Archive, "chunk", 2)
    make_records("contact", 4)
    job = start("archive", user, contacts())
    bulk.run(job.pk)

    def break_down(*args: object, **more: object) -> int:
        archive(*args, **more)  # type: ignore[arg-type]
        raise Refused("Not these.")

    archive = archiving.archive_records
    monkeypatch.setattr(archiving, "archive_records", break_down)
    bulk.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result, job.done) == ("failed", "Not these.", 2)
    assert live().count() == 2


def test_the_permission_is_asked_when_a_job_starts_and_again_when_it_is_done(user: User) -> None:
    make_records("contact", 1)
    job = start("archive", user, contacts())
    user.user_permissions.clear()
    finish(job)
    assert job.state == "failed"
    assert "associations.change_record" in job.result
    assert live().count() == 1
    with pytest.raises(PermissionDenied):
        start("archive", User.objects.get(), contacts())


def test_a_job_that_nobody_moves_on_is_rung_for_again(user: User) -> None:
    job = start("archive", user, contacts())
    assert bulk.ring_for_waiting(3_600) == 0
    assert bulk.ring_for_waiting(0) == 1
    finish(job)
    assert bulk.ring_for_waiting(0) == 0


def test_archived_records_are_restored(user: User) -> None:
    records = make_records("contact", 3)
    finish(start("archive", user, contacts()))
    ids = tuple(record.pk for record in records[:2])
    finish(start("restore", user, Selection(object_type("contact"), ids=ids, archived=True)))
    assert set(live()) == set(records[:2])


@pytest.mark.parametrize("chunk", [2, 100])
def test_an_export_is_one_file_however_many_parts_it_has(
    user: User, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_records.Export, "chunk", chunk)
    records = make_records("contact", [{"firstname": f"Ann {n}", "city": "=1+1"} for n in range(5)])
    job = start("export", user, contacts(), properties=["firstname", "city"])
    finish(job)
    assert job.parts.count() == (3 if chunk == 2 else 1)
    rows = list(csv.DictReader(io.StringIO(b"".join(bulk_records.file_of(job)).decode())))
    assert [int(row["id"]) for row in rows] == [record.pk for record in records]
    assert [(row["firstname"], row["city"]) for row in rows] == [(f"Ann {n}", "'=1+1") for n in range(5)]
    assert zlib.decompress(bytes(job.parts.first().content))  # type: ignore[union-attr]


def test_an_export_of_nothing_names_its_columns(user: User) -> None:
    job = start("export", user, contacts(), properties=["firstname"])
    finish(job)
    assert b"".join(bulk_records.file_of(job)) == b"id,firstname,created_at,updated_at,archived_at\r\n"


def test_a_job_whose_property_is_gone_says_so(user: User) -> None:
    prop = make_property("contact", "age", type="number", field_type="number")
    job = start("archive", user, Selection(object_type("contact"), values={"age": 3}))
    prop.delete()
    finish(job)
    assert (job.state, job.result) == ("failed", "Contact has no property 'age' any more.")


def test_the_files_of_exports_are_kept_for_some_days(user: User) -> None:
    make_records("contact", 1)
    jobs = [start("export", user, contacts(), properties=["firstname"]) for _ in range(2)]
    for job in jobs:
        finish(job)
    BulkJob.objects.filter(pk=jobs[0].pk).update(finished_at=timezone.now() - timedelta(days=7, hours=1))
    assert bulk_records.forget_files() == 1
    assert [job.parts.count() for job in jobs] == [0, 1]
    assert BulkJob.objects.count() == 2


def test_a_selection_read_again_means_the_same() -> None:
    options = [{"value": value, "label": value} for value in ("a", "b")]
    make_property("contact", "letter", type="enumeration", field_type="select", options=options)
    make_property("contact", "age", type="number", field_type="number")
    make_property("contact", "vip", type="bool", field_type="booleancheckbox")
    make_label("contact", "company", "Employer")
    ann, bob, cleo = make_records(
        "contact",
        [
            {"email": "ann@example.com", "letter": "a", "age": 30, "vip": True, "city": "Bonn"},
            {"email": "bob@example.com", "letter": "b", "age": 30, "vip": False},
            {"email": "cleo@example.com", "age": 30.5},
        ],
    )
    contact = object_type("contact")
    expected = [
        (Selection(contact), {ann, bob, cleo}),
        (Selection(contact, ids=(bob.pk,)), {bob}),
        (Selection(contact, search="BOB"), {bob}),
        (Selection(contact, search=str(ann.pk)), {ann}),
        (Selection(contact, choices={"letter": "a"}), {ann}),
        (Selection(contact, choices={"letter": "_none"}), {cleo}),
        (Selection(contact, choices={"vip": "false"}), {bob}),
        (Selection(contact, values={"age": 30}), {ann, bob}),
        (Selection(contact, values={"age": 30.5}), {cleo}),
        (Selection(contact, values={"city": "Bonn"}, search="a"), {ann}),
        (Selection(contact, archived=True), set()),
    ]
    for selection, found in expected:
        again = Selection.from_json(contact, selection.to_json())
        assert set(again.records()) == found, selection
