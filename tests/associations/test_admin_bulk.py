"""Lists of very many records: capped, searched by indexes, and what is done to all that they show."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from associations.admin.paging import CappedPaginator
from associations.models import BulkJob, ObjectType, Record
from associations.services import bulk
from tests.factories import make_property, make_records, object_type

from .admin_pages import messages_on, sign_in, submit, url

pytestmark = pytest.mark.django_db


def act(client: Client, action: str, records: list[Record], across: bool = False, **more: Any) -> Any:
    query = more.pop("query", {})
    data = {"action": action, "_selected_action": [each.pk for each in records], "select_across": int(across), **more}
    return client.post(url("record_changelist", object_type="contact", **query), data, follow=True)


def finish(job: BulkJob) -> BulkJob:
    while job.finished_at is None:
        bulk.run(job.pk)
        job.refresh_from_db()
    return job


# The list ---------------------------------------------------------------------------------------


def test_a_long_list_is_counted_to_an_end_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CappedPaginator, "MOST", 3)
    make_records("contact", 5)
    client = sign_in()
    with CaptureQueriesContext(connection) as captured:
        page = client.get(url("record_changelist"))
    assert page.context["cl"].result_count == 3
    assert "3+ contacts; these are the newest of them." in page.content.decode()
    counts = [query["sql"] for query in captured if "COUNT(" in query["sql"] and "associations_record" in query["sql"]]
    assert counts
    assert all("LIMIT" in sql for sql in counts)


def test_a_long_list_is_sorted_by_the_name_and_by_nothing_without_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CappedPaginator, "MOST", 2)
    values = [{"email": f"{name}@example.com", "firstname": first} for name, first in ("cz", "ay", "bx")]
    contacts = make_records("contact", values)
    client = sign_in()
    by_name = client.get(url("record_changelist", object_type="contact", o="1"))
    assert list(by_name.context["cl"].queryset) == [contacts[1], contacts[2], contacts[0]]
    by_first_name = client.get(url("record_changelist", object_type="contact", o="2"))
    assert list(by_first_name.context["cl"].queryset) == contacts[::-1]
    assert "2+ contacts: they are sorted by the first column or not at all." in by_first_name.content.decode()
    monkeypatch.setattr(CappedPaginator, "MOST", 3)
    assert list(client.get(url("record_changelist", object_type="contact", o="2")).context["cl"].queryset) == [
        contacts[2], contacts[1], contacts[0],
    ]  # fmt: skip


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL plans by how much there is")
def test_search_goes_by_indexes() -> None:
    make_records("contact", 3)
    client = sign_in()
    with CaptureQueriesContext(connection) as captured:
        client.get(url("record_changelist", object_type="contact", q="contact"))
    listed = [query["sql"] for query in captured if "name_key" in query["sql"]]
    assert len(listed) == 2  # how many there are, and the first of them
    for statement in listed:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
            plan = [str(row[3]) for row in cursor.fetchall()]
        assert any("record_by_name" in step for step in plan), plan
        assert not [step for step in plan if step.startswith("SCAN associations_record")], plan


def test_records_are_filtered_by_what_a_property_is() -> None:
    make_property("contact", "age", type="number", field_type="number")
    ann, bob, cleo = make_records(
        "contact", [{"city": "Bonn", "age": 30}, {"city": "Bonn"}, {"city": "bonn", "firstname": "=x"}]
    )
    client = sign_in()

    def found(**query: str) -> set[Record]:
        return set(client.get(url("record_changelist", object_type="contact", **query)).context["cl"].result_list)

    assert found(value_of="city", value_is="Bonn") == {ann, bob}
    assert found(value_of="age", value_is="30") == {ann}
    assert found(value_of="city", value_is="Bonn", q=str(bob.pk)) == {bob}
    assert found(value_of="city", value_is="") == {ann, bob, cleo}
    assert found(value_of="nothing", value_is="x") == {ann, bob, cleo}
    assert found(value_of="age", value_is="thirty") == set()
    page = client.get(url("record_changelist", object_type="contact", value_of="age", value_is="thirty"))
    assert "errornote" in page.content.decode()


def test_columns_are_chosen_for_an_object_type() -> None:
    make_records("contact", [{"email": "ann@example.com", "city": "Bonn"}])
    client = sign_in()
    address = url("record_columns", object_type="contact")
    page = submit(client, address, "columns_form", column_0="city", column_1="email", column_2="", column_3="city",
                  **{f"column_{place}": "" for place in range(4, 10)})  # fmt: skip
    assert [column.__name__ for column in page.context["cl"].list_display[1:-1]] == ["property_city", "property_email"]
    assert ObjectType.objects.get(name="contact").columns == ["city", "email"]
    assert ObjectType.objects.get(name="company").columns == []
    assert "city, email" in LogEntry.objects.get().change_message
    assert sign_in("view_record", "change_record").get(address).status_code == 403
    assert client.get(url("record_columns")).status_code == 404


def test_what_is_found_comes_by_name() -> None:
    make_records("contact", [{"email": f"{name}@example.com"} for name in ("anna", "ann", "anne", "bob")])
    client = sign_in()
    page = client.get(url("record_changelist", object_type="contact", q="ann"))
    names = [str(record) for record in page.context["cl"].result_list]
    assert names == ["ann@example.com", "anna@example.com", "anne@example.com"]
    page = client.get(url("record_changelist", object_type="contact", q="ann", o="-1"))
    assert [str(record) for record in page.context["cl"].result_list] == names[::-1]


# All that is listed -----------------------------------------------------------------------------


def test_all_that_is_listed_is_archived_by_a_worker() -> None:
    contacts = make_records("contact", [{"city": "Bonn"}, {"city": "Rome"}, {"city": "Bonn"}])
    page = act(sign_in(), "archive_selected", contacts[:1], across=True, query={"value_of": "city", "value_is": "Bonn"})
    job = BulkJob.objects.get()
    assert page.redirect_chain[-1][0] == url("bulkjob_change", job.pk)
    assert 'data-live="moving"' in page.content.decode()
    assert "waits for a worker" in page.content.decode()
    assert LogEntry.objects.get().object_id == str(job.pk)
    assert finish(job).result == "2 were archived."
    assert list(Record.objects.filter(archived_at=None)) == [contacts[1]]
    page = sign_in().get(url("bulkjob_change", job.pk)).content.decode()
    assert 'data-live="still"' in page
    assert "2 were archived." in page


def test_what_is_selected_on_the_page_is_archived_at_once_and_stands_in_the_log() -> None:
    contacts = make_records("contact", 3)
    act(sign_in(), "archive_selected", contacts[:2])
    assert set(LogEntry.objects.values_list("object_id", "change_message")) == {
        (str(each.pk), "Archived.") for each in contacts[:2]
    }
    assert not BulkJob.objects.exists()


def test_an_export_is_downloaded_by_those_who_may_see_records() -> None:
    contacts = make_records("contact", [{"email": "ann@example.com"}, {"email": "bob@example.com"}])
    client = sign_in("view_record")
    act(client, "export_selected", contacts[:1])
    job = BulkJob.objects.get()
    address = url("bulkjob_file", job.pk)
    assert client.get(address).status_code == 404  # not yet
    finish(job)
    assert address in client.get(url("bulkjob_change", job.pk)).content.decode()
    response = client.get(address)
    content = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert "ann@example.com" in content
    assert "bob@example.com" not in content
    assert content.startswith("id,email,")
    assert sign_in("view_workflow").get(address).status_code == 403
    assert Client().get(address).status_code == 302


def test_jobs_are_listed_with_how_far_they_are() -> None:
    make_records("contact", 2)
    client = sign_in()
    for _ in range(3):
        act(client, "export_selected", [], across=True)
        act(client, "export_selected", list(Record.objects.all()), across=True)
    jobs = list(BulkJob.objects.order_by("id"))
    assert len(jobs) == 3
    finish(jobs[0])
    page = client.get(url("bulkjob_changelist")).content.decode()
    assert page.count("<progress") == 2
    assert "moving" in page
    assert client.post(url("bulkjob_change", jobs[0].pk), {}).status_code == 403
    with CaptureQueriesContext(connection) as few:
        client.get(url("bulkjob_changelist"))
    BulkJob.objects.bulk_create(
        BulkJob(kind="export", title="x", object_type=object_type("contact")) for _ in range(20)
    )
    with CaptureQueriesContext(connection) as many:
        client.get(url("bulkjob_changelist"))
    assert len(many) == len(few)


def test_very_many_are_not_deleted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CappedPaginator, "MOST", 2)
    contacts = make_records("contact", 3)
    page = act(sign_in(), "delete_selected", contacts, across=True, post="yes")
    assert messages_on(page) == ["At most 2 are deleted at once."]
    assert Record.objects.count() == 3
