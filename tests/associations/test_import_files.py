"""Files that are no usable table, or not wholly: each one clear line, nothing half-saved."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from associations.models import Record
from tests.processes import manage

from .spreadsheets import write_xlsx

pytestmark = pytest.mark.django_db


def refusal(path: Path, **options: Any) -> str:
    """What the command says of a file that it does not import."""
    with pytest.raises(CommandError) as refused:
        call_command("import_records", "contact", path, quiet=True, **options)
    assert refused.value.returncode == 2
    assert not Record.objects.exists()
    assert not path.with_suffix(".rejects.csv").exists()
    text = str(refused.value)
    assert "\n" not in text
    return text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "contacts.csv"


# The file itself --------------------------------------------------------------------------------


def test_a_file_that_is_not_there(file: Path):
    assert refusal(file) == f"{file}: there is no such file."


def test_a_directory(tmp_path: Path):
    assert refusal(tmp_path) == f"{tmp_path} is not a file."


def test_an_empty_file(file: Path):
    file.touch()
    assert "is empty: its first line should name the columns" in refusal(file)


def test_a_header_without_rows(file: Path):
    file.write_text("email,firstname\n\n")
    assert "has no rows after its header" in refusal(file)


def test_a_spreadsheet_that_is_none(tmp_path: Path):
    path = tmp_path / "contacts.xlsx"
    path.write_text("email\na@example.com\n")
    assert f"{path} cannot be read as a spreadsheet" in refusal(path)


def test_an_archive_that_is_no_spreadsheet(tmp_path: Path):
    path = tmp_path / "contacts.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert f"{path} cannot be read as a spreadsheet" in refusal(path)


def test_a_spreadsheet_that_is_called_csv(file: Path):
    write_xlsx(file, [["email"], ["a@example.com"]])
    assert "looks like a spreadsheet: give it a name that ends in .xlsx" in refusal(file)


def test_on_the_command_line_it_is_one_line_without_a_traceback(file: Path):
    run = manage("import_records", "contact", str(file))
    assert run.returncode == 2
    assert run.stderr == f"CommandError: {file}: there is no such file.\n"


# Encoding ---------------------------------------------------------------------------------------


def test_a_wrong_encoding_is_told_with_line_and_byte(file: Path):
    good = "".join(f"a{number}@example.com,Zoë\n" for number in range(200_000))
    start = f"email,firstname\n{good}".encode()
    file.write_bytes(start + "z@example.com,Zoë\n".encode("cp1252"))
    text = refusal(file)
    assert f"is not utf-8-sig: line 200002, byte {len(start) + len('z@example.com,Zo'):,} cannot be read" in text
    assert "Try the encoding cp1252" in text


def test_utf_16_is_recognized(file: Path):
    file.write_text("email\na@example.com\n", encoding="utf-16")
    assert "line 1, byte 0 cannot be read. It looks like UTF-16: try the encoding utf-16." in refusal(file)


def test_utf_16_without_its_mark_is_recognized(file: Path):
    file.write_text("email\na@example.com\n", encoding="utf-16-le")
    assert "it looks like UTF-16" in refusal(file)


def test_a_file_that_ends_within_a_character(file: Path):
    file.write_bytes("email\na@example.com\nZoë".encode()[:-1])
    assert "line 3, byte 22 cannot be read" in refusal(file)


@pytest.mark.parametrize("encoding", ["klingon", "hex"])
def test_an_encoding_that_does_not_exist(file: Path, encoding: str):
    file.write_text("email\na@example.com\n")
    assert f"There is no encoding '{encoding}'" in refusal(file, encoding=encoding)


# Quotes and delimiters --------------------------------------------------------------------------


def test_a_quote_that_is_never_closed(file: Path):
    rest = "".join(f"b{number}@example.com,Bo\n" for number in range(1000))
    file.write_text(f'email,firstname\na@example.com,"An\nna"\nc@example.com,"Cy\n{rest}')
    assert refusal(file) == f"{file}: the row that begins on line 4 opens a quote that is never closed."


def test_a_quote_that_meets_the_next_one(file: Path):
    file.write_text('email,firstname\na@example.com,"An\nb@example.com,Bo\nc@example.com,"Cy"\n')
    assert "the row that begins on line 2 has a broken quote (noticed on line 4)" in refusal(file)


def test_a_quote_closed_too_early(file: Path):
    file.write_text('email,firstname\na@example.com,"An"na\n')
    assert "the row that begins on line 2 has a broken quote:" in refusal(file)


def test_an_open_quote_does_not_swallow_the_file_into_memory(file: Path):
    with file.open("w") as target:
        target.write('email,firstname\na@example.com,"An\n')
        for _ in range(20):
            target.write("b@example.com,Bo\n" * 65_536)
    assert "begins on line 2 has a cell of over 16,777,216 characters; is a quote left open?" in refusal(file)


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
def test_a_delimiter_that_cannot_be(file: Path, delimiter: str):
    file.write_text("email\na@example.com\n")
    assert "The delimiter should be one character" in refusal(file, delimiter=delimiter)


def test_another_delimiter_than_the_one_given(file: Path):
    file.write_text("email;firstname\na@example.com;Anna\n")
    assert "It has one column only: is the delimiter another one?" in refusal(file)


# Columns ----------------------------------------------------------------------------------------


def test_two_columns_of_one_name(file: Path):
    file.write_text("email,city,city\na@example.com,Rome,Oslo\n")
    assert "has two columns 'city'" in refusal(file)


def test_two_columns_for_one_property(file: Path):
    file.write_text("firstname,First name,email\nAnna,Anna,a@example.com\n")
    assert refusal(file) == "The columns 'firstname' and 'First name' would both fill firstname; map one of them."


def test_no_column_that_is_known(file: Path):
    file.write_text("foo,bar\n1,2\n")
    assert refusal(file) == f"No column of {file} is called like a property of contact."


def test_a_mapped_column_that_does_not_exist(file: Path):
    file.write_text("email\na@example.com\n")
    assert f"{file} has no column 'Mail'; it has: email." in refusal(file, map=["Mail=email"])


def test_a_mapped_property_that_does_not_exist(file: Path):
    file.write_text("Mail\na@example.com\n")
    assert "Contact has no property 'mail'; it has: " in refusal(file, map=["Mail=mail"])


def test_a_mapping_is_checked_before_the_rows_are_read(file: Path):
    file.write_text('Mail\na@example.com\n"never closed')
    assert "Contact has no property 'mail'" in refusal(file, map=["Mail=mail"])


def test_a_mapping_without_a_property(file: Path):
    file.write_text("email\na@example.com\n")
    assert refusal(file, map=["email"]) == "'email' is not COLUMN=PROPERTY."


def test_an_object_type_that_does_not_exist(file: Path):
    with pytest.raises(CommandError, match="There is no object type 'robot'; there are: contact, company, deal,"):
        call_command("import_records", "robot", file)


def test_upsert_by_a_property_that_is_not_unique(file: Path):
    file.write_text("email,city\na@example.com,Rome\n")
    assert refusal(file, upsert_by="city") == "city is no unique property of contact; no record is found by it."


def test_upsert_by_a_property_without_a_column(file: Path):
    file.write_text("firstname\nAnna\n")
    assert refusal(file, upsert_by="email") == "No column fills email, by which the records are to be found."


def test_a_batch_of_no_rows(file: Path):
    assert refusal(file, batch_size=0) == "A batch has at least one row."


def test_the_rejects_never_overwrite_the_file(file: Path):
    file.write_text("email\nnonsense\n")
    with pytest.raises(CommandError, match="is the file to import; name another one for the rejects"):
        call_command("import_records", "contact", file, rejects=file)
    assert file.read_text() == "email\nnonsense\n"


def test_rejects_that_cannot_be_written(file: Path):
    """Nothing of the batch is kept, since nobody would learn what was wrong with the rest."""
    file.write_text("email\nnonsense\na@example.com\n")
    text = refusal(file, rejects=file.parent / "missing" / "rejects.csv")
    assert text.startswith(f"{file.parent / 'missing' / 'rejects.csv'}: No such file or directory.")
