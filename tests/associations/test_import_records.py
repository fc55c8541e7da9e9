"""Import: what is kept, what is rejected and why, and how columns become properties."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import ChangeSet, ImportRun, Record, RecordEvent
from tests.factories import make_property

from .importing import kept, read_csv, run_import, write_csv
from .spreadsheets import ExcelDate, write_xlsx

pytestmark = pytest.mark.django_db

SALES = Path(__file__).resolve().parents[3] / "shared" / "data" / "crm-sales"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


@pytest.fixture
def rejects(tmp_path: Path) -> Path:
    return tmp_path / "file.rejects.csv"


# Columns ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["contact", "contacts", "Contact", "0-1"])
def test_columns_map_by_the_name_or_label_of_a_property(file: Path, word: str):
    write_csv(file, [["EMAIL", "First name", "Shoe size"], ["a@example.com", "Anna", 38]])
    outcome = run_import(word, file)
    assert outcome.status == 0
    assert "Ignored columns: Shoe size." in outcome.out
    assert f"{file}: 1 created, 0 changed, 0 without a change, 0 rejected." in outcome.out
    assert kept("contact") == [{"email": "a@example.com", "firstname": "Anna"}]


def test_a_given_mapping_goes_before_names(file: Path):
    write_csv(file, [["Mail", "email", "city", "state"], ["a@example.com", "b@example.com", "Rome", "Lazio"]])
    outcome = run_import("contact", file, map=["Mail=email", "state="])
    assert kept("contact") == [{"email": "a@example.com", "city": "Rome"}]
    assert "Ignored columns: email, state." in outcome.out


def test_a_column_name_may_contain_an_equals_sign(file: Path):
    write_csv(file, [["mail=work"], ["a@example.com"]])
    run_import("contact", file, map=["mail=work=email"])
    assert kept("contact") == [{"email": "a@example.com"}]


def test_other_encodings_and_delimiters(file: Path):
    write_csv(file, [["email", "firstname"], ["a@example.com", "Zoë"]], encoding="cp1252", delimiter=";")
    assert run_import("contact", file, encoding="cp1252", delimiter=";").status == 0
    write_csv(file, [["email", "firstname"], ["b@example.com", "Zoë"]], encoding="utf-16", delimiter="\t")
    assert run_import("contact", file, encoding="utf-16", delimiter="tab").status == 0
    assert [each["firstname"] for each in kept("contact")] == ["Zoë", "Zoë"]


def test_a_spreadsheet(tmp_path: Path):
    make_property("contact", "born", type="date", field_type="date")
    make_property("contact", "vip", type="bool", field_type="booleancheckbox")
    make_property("contact", "score", type="number", field_type="number")
    path = tmp_path / "contacts.xlsx"
    header = ["email", "born", "vip", "score", "zip"]
    rows: list[list[object]] = [
        ["a@example.com", ExcelDate(36526), True, 2.5, 1234],
        [None] * 5,
        ["bad", None, None, None, None],
    ]
    make_property("contact", "zip")
    write_xlsx(path, [header, *rows], first_row=3)
    outcome = run_import("contact", path)
    assert kept("contact") == [
        {"email": "a@example.com", "born": "2000-01-01", "vip": True, "score": 2.5, "zip": "1234"}
    ]
    assert outcome.err == "line 6: email is not an e-mail address: 'bad'\n"
    assert read_csv(path.with_suffix(".rejects.csv"))[1][:3] == ["6", "email is not an e-mail address: 'bad'", "bad"]


# What is written --------------------------------------------------------------------------------


def test_each_batch_is_one_change_of_the_import(file: Path):
    write_csv(file, [["email"], *([f"{number}@example.com"] for number in range(5))])
    run_import("contact", file, batch_size=2)
    run = ImportRun.objects.get()
    change_sets = ChangeSet.objects.filter(source="import", source_id=run.pk, note="file.csv")
    assert [each.record_events.count() for each in change_sets.order_by("id")] == [2, 2, 1]
    assert set(RecordEvent.objects.values_list("kind", "before__email")) == {("created", None)}


def test_the_number_of_queries_does_not_grow_with_the_batch(file: Path):
    counts = []
    for size in (10, 100):
        rows = [[f"{size}-{number}@example.com" if number % 5 else "bad", number] for number in range(size)]
        twice = [[f"{size}-1@example.com", "again"]]
        write_csv(file, [["email", "firstname"], *rows, *twice])
        with CaptureQueriesContext(connection) as queries:
            assert run_import("contact", file).status == 1
        counts.append(len(queries))
    assert counts[0] == counts[1]


# What is wrong ----------------------------------------------------------------------------------


def test_bad_rows_are_told_and_the_good_ones_kept(file: Path, rejects: Path):
    header = ["dealname", "closedate", "dealstage", "amount"]
    bad = {
        "date": ["Impossible", "2026-02-30", "", ""],
        "option": ["Unknown", "", "someday", ""],
        "number": ["Words", "", "", "a lot"],
        "two": ["Both", "yesterday", "someday", ""],
        "few": ["Few", ""],
        "many": ["Many", "", "", "", "5"],
        "long": ["x" * 10_000_000, "", "", ""],
        "nul": ["a\x00b", "", "", ""],
    }
    good = [[f"Deal {number}", "2026-02-28", "closedwon", number] for number in range(len(bad))]
    write_csv(file, [header, *(row for pair in zip(good, bad.values(), strict=True) for row in pair)])

    outcome = run_import("deal", file)

    reasons = [
        (3, "closedate is not a date and time like 2026-11-23T08:00:00Z: '2026-02-30'"),
        (5, "dealstage has no option 'someday'; the options are: appointmentscheduled, qualifiedtobuy,"),
        (7, "amount is not a number: 'a lot'"),
        (9, "closedate is not a date and time like 2026-11-23T08:00:00Z: 'yesterday'; dealstage has no option"),
        (11, "has 2 cells, and the header has 4"),
        (13, "has 5 cells, and the header has 4"),
        (15, "dealname is 10,000,000 characters long; at most 65,536 are kept"),
        (17, "dealname contains a NUL character"),
    ]
    told = outcome.err.splitlines()
    assert len(told) == len(bad)
    for line, (number, reason) in zip(told, reasons, strict=True):
        assert line.startswith(f"line {number}: {reason}")
    assert outcome.status == 1
    assert outcome.error == f"8 of 16 rows were rejected; they are in {rejects}."
    assert [each["dealname"] for each in kept("deal")] == [row[0] for row in good]
    first, *rest = read_csv(rejects)
    assert first == ["rejected_line", "rejected_reason", *header]
    assert [row[2:] for row in rest] == list(bad.values())
    assert [int(row[0]) for row in rest] == [number for number, _ in reasons]


def test_lines_count_as_the_file_does(file: Path):
    file.write_text('email,address\na@example.com,"One\nTwo\nThree"\n\nbad,"Four\nFive"\nworse,\n')
    make_property("contact", "address", field_type="textarea")
    assert [line.partition(":")[0] for line in run_import("contact", file).err.splitlines()] == ["line 6", "line 8"]
    assert kept("contact") == [{"email": "a@example.com", "address": "One\nTwo\nThree"}]


def test_rows_without_content_are_no_rows(file: Path):
    file.write_text("email,city\n,\n\na@example.com,\n")
    assert run_import("contact", file).status == 0
    assert kept("contact") == [{"email": "a@example.com"}]


def test_twenty_are_shown_the_others_counted(file: Path, rejects: Path):
    write_csv(file, [["email"], *([f"bad {number}"] for number in range(50))])
    outcome = run_import("contact", file, batch_size=7)
    *shown, last = outcome.err.splitlines()
    assert [line.partition(":")[0] for line in shown] == [f"line {number}" for number in range(2, 22)]
    assert last == "… and 30 more rows."
    assert len(read_csv(rejects)) == 51


def test_rejects_go_where_they_are_wanted(file: Path, rejects: Path, tmp_path: Path):
    write_csv(file, [["email"], ["bad"]])
    elsewhere = tmp_path / "elsewhere.csv"
    run_import("contact", file, rejects=elsewhere)
    assert elsewhere.exists()
    assert not rejects.exists()


def test_rejects_are_written_as_the_file_was_and_can_be_imported_once_corrected(file: Path, rejects: Path):
    write_csv(file, [["email", "firstname"], ["bad", "Zoë"], ["worse", "Éva"]], encoding="cp1252", delimiter=";")
    options = {"encoding": "cp1252", "delimiter": ";"}
    run_import("contact", file, batch_size=1, **options)
    corrected = rejects.read_text(encoding="cp1252").replace("bad;", "good@example.com;")
    rejects.write_text(corrected, encoding="cp1252")
    outcome = run_import("contact", rejects, **options)
    assert outcome.status == 1
    assert kept("contact") == [{"email": "good@example.com", "firstname": "Zoë"}]
    again = read_csv(rejects.with_suffix(".rejects.csv"), **options)
    assert again[0] == ["rejected_line", "rejected_reason", "email", "firstname"]
    assert again[1] == ["3", "email is not an e-mail address: 'worse'", "worse", "Éva"]


def test_quiet_tells_only_what_is_wrong(file: Path):
    write_csv(file, [["email", "?"], ["a@example.com", ""], ["bad", ""]])
    outcome = run_import("contact", file, quiet=True)
    assert outcome.out == ""
    assert outcome.err == "line 3: email is not an e-mail address: 'bad'\n"


# Trying it out ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_dry_run_tells_all_and_keeps_nothing(file: Path, rejects: Path):
    write_csv(file, [["email"], ["a@example.com"], ["bad"], ["a@example.com"]])
    tried = run_import("contact", file, dry_run=True, batch_size=1)
    assert "1 created, 0 changed, 0 without a change, 2 rejected. Nothing was kept: this was a dry run." in tried.out
    assert tried.status == 1
    assert not Record.objects.exists()
    assert not ChangeSet.objects.exists()
    assert not ImportRun.objects.exists()
    assert len(read_csv(rejects)) == 3
    assert run_import("contact", file).err.count("\n") == 2
    assert len(read_csv(rejects)) == 3
    assert kept("contact") == [{"email": "a@example.com"}]


# Real data --------------------------------------------------------------------------------------


@pytest.mark.skipif(not SALES.exists(), reason="the crm-sales data set is not beside this repository")
def test_real_accounts_and_opportunities(tmp_path: Path):
    rejects = tmp_path / "rejects.csv"
    accounts, pipeline = SALES / "accounts.csv", SALES / "sales_pipeline.csv"
    mapping = ["account=name", "sector=industry", "employees=numberofemployees", "office_location=country"]
    assert run_import("companies", accounts, map=mapping, rejects=rejects).status == 0
    names = [row[0] for row in read_csv(accounts)[1:]]
    assert [each["name"] for each in kept("company")] == names

    mapping = ["opportunity_id=dealname", "close_value=amount"]
    assert run_import("deals", pipeline, map=mapping, rejects=rejects, batch_size=1000).status == 0
    header, *rows = read_csv(pipeline)
    place = header.index("close_value")
    assert [each.get("amount") for each in kept("deal")] == [int(row[place]) if row[place] else None for row in rows]
    assert not rejects.exists()
