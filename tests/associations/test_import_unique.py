"""Import of unique values: each is kept once, and an upsert finds its record by it, whatever the batches."""

from __future__ import annotations

from pathlib import Path

import pytest

from associations.services import derived
from associations.services import records as record_services
from tests.factories import make_property, make_record

from .importing import kept, read_csv, run_import, write_csv

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


@pytest.fixture
def rejects(tmp_path: Path) -> Path:
    return tmp_path / "file.rejects.csv"


# Unique values ----------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_a_unique_value_is_kept_once(file: Path, batch_size: int):
    holder = make_record("contact", email="taken@example.com")
    emails = ["a@example.com", "TAKEN@example.com", "b@example.com", " A@Example.com", "a@example.com", "c@example.com"]
    write_csv(file, [["email"], *([email] for email in emails)])
    outcome = run_import("contact", file, batch_size=batch_size)
    told = outcome.err.splitlines()
    assert told[0] == f"line 3: email must be unique, but 'TAKEN@example.com' belongs to contact {holder.pk}"
    assert [line.partition(":")[0] for line in told] == ["line 3", "line 5", "line 6"]
    if batch_size == 100:
        assert told[1] == "line 5: email must be unique, but line 2 has the same value"
    assert [each["email"] for each in kept("contact")[1:]] == ["a@example.com", "b@example.com", "c@example.com"]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_a_rejected_row_holds_no_value(file: Path, batch_size: int):
    """A later row may have what a row lost that was rejected for something else."""
    make_property("contact", "code", has_unique_value=True)
    make_record("contact", email="taken@example.com", code="1")
    rows = [
        ["a@example.com", "1"],
        ["a@example.com", "2"],
        ["bad", "3"],
        ["b@example.com", "3"],
        ["c@example.com", "2"],
    ]
    write_csv(file, [["email", "code"], *rows])
    outcome = run_import("contact", file, batch_size=batch_size)
    assert [(each["email"], each["code"]) for each in kept("contact")[1:]] == [
        ("a@example.com", "2"),
        ("b@example.com", "3"),
    ]
    assert [line.partition(":")[0] for line in outcome.err.splitlines()] == ["line 2", "line 4", "line 6"]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_value_that_somebody_else_takes_in_the_same_moment(
    file: Path, rejects: Path, monkeypatch: pytest.MonkeyPatch
):
    """The look at who holds a value comes too early, and the constraint turns the batch away: it is done once more."""
    holder = make_record("contact", email="taken@example.com")
    look = derived.refuse_taken_values
    looks = []

    def too_early(*arguments):
        looks.append(arguments)
        if len(looks) > 1:
            look(*arguments)

    monkeypatch.setattr(record_services, "refuse_taken_values", too_early)
    write_csv(file, [["email"], ["bad"], ["a@example.com"], ["taken@example.com"], ["b@example.com"]])

    outcome = run_import("contact", file)

    assert len(looks) == 3  # too early; finds the holder; without that row
    assert [each["email"] for each in kept("contact")[1:]] == ["a@example.com", "b@example.com"]
    assert [row[0] for row in read_csv(rejects)[1:]] == ["2", "4"]
    assert f"belongs to contact {holder.pk}" in outcome.err


# Update or create -------------------------------------------------------------------------------


def test_upsert_changes_the_record_that_has_the_value(file: Path):
    make_record("contact", email="a@example.com", firstname="Anna", city="Rome")
    make_record("contact", email="b@example.com", firstname="Bo")
    rows = [["A@EXAMPLE.COM", "Anne", ""], ["b@example.com", "Bo", ""], ["c@example.com", "Cy", "Oslo"]]
    write_csv(file, [["email", "firstname", "city"], *rows])
    outcome = run_import("contact", file, upsert_by="email")
    assert "1 created, 1 changed, 1 without a change, 0 rejected" in outcome.out
    assert kept("contact") == [
        {"email": "A@EXAMPLE.COM", "firstname": "Anne", "city": "Rome"},  # an empty cell leaves a value
        {"email": "b@example.com", "firstname": "Bo"},
        {"email": "c@example.com", "firstname": "Cy", "city": "Oslo"},
    ]


def test_upsert_needs_the_value(file: Path):
    write_csv(file, [["email", "firstname"], ["", "Anna"]])
    outcome = run_import("contact", file, upsert_by="email")
    assert outcome.err == "line 2: email has no value, and records are found by it\n"


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_upsert_of_the_same_record_twice_is_as_if_one_came_after_the_other(file: Path, batch_size: int):
    make_record("contact", email="a@example.com", city="Rome")
    rows = [
        ["a@example.com", "Anna", ""],
        ["new@example.com", "Neo", "Zion"],
        ["bad", "", ""],
        ["A@example.com", "", "Oslo"],
        ["NEW@example.com", "Trinity", ""],
    ]
    write_csv(file, [["email", "firstname", "city"], *rows])
    outcome = run_import("contact", file, upsert_by="email", batch_size=batch_size)
    assert kept("contact") == [
        {"email": "A@example.com", "firstname": "Anna", "city": "Oslo"},
        {"email": "NEW@example.com", "firstname": "Trinity", "city": "Zion"},
    ]
    assert outcome.err == "line 4: email is not an e-mail address: 'bad'\n"
