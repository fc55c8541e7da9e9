"""Export of records: what stands in the file, and that it comes back as it left."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from associations.models import ImportRun, Property, Record
from associations.services import archiving, exporting
from associations.services.formulas import shielded, unshielded
from tests.factories import ORIGIN, make_object_type, make_property, make_record, make_records, object_type, save
from tests.processes import MANAGE, environment

from .importing import kept, read_csv, run_import

pytestmark = pytest.mark.django_db


def export(type_name: str, **options: Any) -> list[list[str]]:
    out = io.StringIO(newline="")
    call_command("export_records", type_name, stdout=out, **options)
    return list(csv.reader(io.StringIO(out.getvalue(), newline="")))


def test_all_live_records_in_id_order():
    first, gone, last = make_records("course", [{"hs_course_name": name} for name in ("Zoology", "Gone", "Algebra")])
    archiving.archive_records(object_type("course"), [gone.pk], origin=ORIGIN)
    header, *rows = export("courses")
    assert header == ["id", "hs_course_name", "created_at", "updated_at", "archived_at"]
    assert [row[:2] for row in rows] == [[str(first.pk), "Zoology"], [str(last.pk), "Algebra"]]
    assert [row[2:] for row in rows] == [
        [each.created_at.isoformat(), each.updated_at.isoformat(), ""] for each in (first, last)
    ]


def test_archived_records_if_wanted():
    record, gone = make_records("contact", 2)
    archiving.archive_records(object_type("contact"), [gone.pk], origin=ORIGIN)
    rows = export("contact", archived=True)
    gone.refresh_from_db()
    assert gone.archived_at
    assert [row[0] for row in rows[1:]] == [str(record.pk), str(gone.pk)]
    assert [row[-1] for row in rows[1:]] == ["", gone.archived_at.isoformat()]


def test_chosen_properties_in_the_order_given():
    make_record("contact", email="a@example.com", city="Rome", firstname="Anna")
    [header, row] = export("contact", properties="city, email")
    assert header[1:3] == ["city", "email"]
    assert row[1:3] == ["Rome", "a@example.com"]


def test_a_property_that_does_not_exist(tmp_path: Path):
    path = tmp_path / "out.csv"
    with pytest.raises(CommandError, match="Contact has no property 'mail'; it has: ") as refused:
        call_command("export_records", "contact", path, properties="mail")
    assert refused.value.returncode == 2
    assert not path.exists()


def test_a_property_that_is_called_like_a_column_of_the_export():
    make_property("course", "id")
    assert export("course")[0] == ["_id", "hs_course_name", "id", "created_at", "updated_at", "archived_at"]


def test_a_file_appears_when_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_records("contact", 3)
    path = tmp_path / "out.csv"
    path.write_text("as it was")

    def breaks(*arguments):
        yield ["id"]
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(exporting, "record_rows", lambda *arguments, **options: breaks())
        with pytest.raises(CommandError, match="No space left on device"):
            call_command("export_records", "contact", path)
    assert path.read_text() == "as it was"
    call_command("export_records", "contact", path)
    assert len(read_csv(path)) == 4
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(CommandError, match=r"out\.csv: there is no folder .*missing") as refused:
        call_command("export_records", "contact", tmp_path / "missing" / "out.csv")
    assert refused.value.returncode == 2


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_reader_that_has_seen_enough():
    make_records("contact", [{"firstname": "x" * 1000} for _ in range(300)])
    command = [sys.executable, MANAGE, "export_records", "contact"]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("id,")
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 0


def test_rows_come_one_after_the_other(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries):
    """However many records there are: one statement, whose rows are fetched by the chunk."""
    make_records("contact", 30)
    monkeypatch.setattr(exporting, "CHUNK", 10)
    contact = object_type("contact")
    with django_assert_num_queries(2):  # the properties, the records
        assert len(list(exporting.record_rows(contact))) == 31


# Formulas ---------------------------------------------------------------------------------------

RUNS_IN_A_SPREADSHEET = ["=1+1", "+cmd|'/C calc'!A0", "-2+3+A1", "@SUM(A1)", "＝1+1", "'=1+1"]


@pytest.mark.parametrize("text", RUNS_IN_A_SPREADSHEET)
def test_what_a_spreadsheet_would_run_is_shielded(text: str):
    make_record("contact", firstname=text)
    assert export("contact", properties="firstname")[1][1] == f"'{text}"


@pytest.mark.parametrize("text", ["+1 (617) 555-0199", "-", "-5", "a=b", "'tis", "O'Neil", "'90s"])
def test_what_is_harmless_stays(text: str):
    make_record("contact", firstname=text)
    assert export("contact", properties="firstname")[1][1] == text


@given(st.text(alphabet="'=+-@ab1\t＝", max_size=8))
def test_a_shielded_text_is_the_same_again(text: str):
    assert unshielded(shielded(text)) == text


# There and back ---------------------------------------------------------------------------------

AWKWARD = [
    *RUNS_IN_A_SPREADSHEET,
    "comma, quote \" and 'apostrophe'",
    "two\nlines",
    "two\r\nlines",
    "Zoë 漢字 🙂",
    "\ufeffmark",
    "1e5",
    "true",
    "",
    "x" * 65_536,
]


@pytest.fixture
def pet() -> None:
    make_object_type("pet")
    make_property("pet", "notes", field_type="textarea")
    make_property("pet", "weight", type="number", field_type="number")
    make_property("pet", "born", type="date", field_type="date")
    make_property("pet", "seen", type="datetime", field_type="date")
    make_property("pet", "tame", type="bool", field_type="booleancheckbox")
    options = [{"value": value, "label": value} for value in ("meat", "=fish", "fruit")]
    make_property("pet", "eats", type="enumeration", field_type="checkbox", options=options)


@pytest.mark.parametrize("batch_size", [3, 1000])
def test_what_was_exported_comes_back_as_it_was(pet: None, tmp_path: Path, batch_size: int):
    values: list[dict[str, object]] = [{"name": f"Pet {number}", "notes": text} for number, text in enumerate(AWKWARD)]
    values += [
        {"weight": 2.5, "born": "2020-02-29", "seen": "2026-11-23T08:00:00.123Z", "tame": True, "eats": "meat;=fish"},
        {"weight": -3, "tame": False, "eats": "fruit"},
        {"weight": 1e16},
        {"weight": 0.1 + 0.2},
        {},
    ]
    save("pet", values)
    before, exported = kept("pet"), tmp_path / "pets.csv"
    call_command("export_records", "pet", exported)
    Record.objects.all().delete()

    outcome = run_import("pet", exported, batch_size=batch_size)

    assert outcome.err == ""
    assert "Ignored columns: id, created_at, updated_at, archived_at." in outcome.out
    assert kept("pet") == before
    assert Property.objects.filter(object_type__name="pet").count() == 7
    assert ImportRun.objects.get().created == len(values)


def test_what_was_exported_changes_nothing_where_it_was(tmp_path: Path):
    make_records("contact", 20)
    before, path = kept("contact"), tmp_path / "contacts.csv"
    call_command("export_records", "contact", path)
    assert "20 without a change" in run_import("contact", path, upsert_by="email").out
    assert kept("contact") == before
