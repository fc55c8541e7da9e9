"""A file as a table: the rows of a CSV or spreadsheet, one after the other, with their line numbers.

Rows without any content are left out.
Reading it through once (`row_count`) tells whether the whole file is usable: encoding, broken quotes. Memory does
not grow with the file, except for spreadsheets, which come unpacked as a whole.
Called by services.importing; it knows nothing of records.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import python_calamine

from associations.errors import Refused

# The longest cell and line that are read at all. A cell beyond what a property keeps is the row's own problem;
# one beyond this is a quote that nobody closed.
MAX_CELL = 16 * 2**20
MAX_LINE = 4 * MAX_CELL
SPREADSHEETS = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}


class BadFile(Refused):
    """A file that is no usable table; nothing of it was kept."""


class Row(NamedTuple):
    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """`rows()` starts from the first row after the header each time; lines and cells are as they stand in the file."""

    path: Path
    header: list[str]
    encoding: str
    delimiter: str
    read: Callable[[], Iterator[Row]]

    def rows(self) -> Iterator[Row]:
        rows = self.read()
        next(rows)
        return rows

    @cached_property
    def row_count(self) -> int:
        """How many rows follow the header: reads the file through. Raises BadFile where it stops being a table."""
        return sum(1 for _ in self.rows())

    @cached_property
    def digest(self) -> str:
        """The same for the same content, whatever the file is called."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, partial(hashlib.blake2b, digest_size=16)).hexdigest()


def open_table(path: Path, *, encoding: str = "utf-8-sig", delimiter: str = ",") -> Table:
    """Read the header. Raises BadFile if there is none."""
    if not path.exists():
        raise BadFile(f"{path}: there is no such file.")
    if not path.is_file():
        raise BadFile(f"{path} is not a file.")
    _check_dialect(encoding, delimiter)
    if path.suffix.lower() in SPREADSHEETS:
        read = partial(_spreadsheet_rows, path)
    else:
        read = partial(_csv_rows, path, encoding, delimiter)
    header = [cell.strip() for cell in next(read(), Row(0, [])).cells]
    _check_header(path, header)
    return Table(path, header, encoding, delimiter, read)


def _check_header(path: Path, header: list[str]) -> None:
    if not any(header):
        raise BadFile(f"{path} is empty: its first line should name the columns.")
    if "\x00" in "".join(header):
        raise BadFile(f"{path}: line 1 contains NUL characters; it looks like UTF-16, so try the encoding utf-16-le.")
    if twice := [name for name, count in Counter(filter(None, header)).items() if count > 1]:
        raise BadFile(f"{path} has two columns {twice[0]!r}; rename one of them.")


# CSV --------------------------------------------------------------------------------------------


def _check_dialect(encoding: str, delimiter: str) -> None:
    try:
        "".encode(encoding)
    except LookupError:
        raise BadFile(
            f"There is no encoding {encoding!r}; common ones are utf-8, cp1252, latin-1 and utf-16."
        ) from None
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise BadFile(f"The delimiter should be one character such as , or ;, not {delimiter!r}.")


def _csv_rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL)
    line = 1
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(iter(partial(file.readline, MAX_LINE), ""), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if any(cells):
                    yield Row(line, cells)
                line = reader.line_num + 1
        except csv.Error as error:
            raise BadFile(f"{path}: {_broken_row(line, reader.line_num, str(error))}") from None
        except UnicodeError as error:
            raise BadFile(_not_decodable(path, encoding, error)) from None


def _broken_row(began: int, noticed: int, error: str) -> str:
    if "field limit" in error:
        return f"the row that begins on line {began} has a cell of over {MAX_CELL:,} characters; is a quote left open?"
    if "unexpected end" in error:
        return f"the row that begins on line {began} opens a quote that is never closed."
    where = f" (noticed on line {noticed})" if noticed > began else ""
    return f"the row that begins on line {began} has a broken quote{where}: {error}."


def _not_decodable(path: Path, encoding: str, error: UnicodeError) -> str:
    """Where the file stops being of the encoding: read anew from the start, for a reader's own count is of a chunk."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, end = 1, 0
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        for chunk in iter(partial(file.read, 2**20), b""):
            end += len(chunk)
            try:
                line += decoder.decode(chunk, final=len(chunk) < 2**20).count("\n")
            except UnicodeDecodeError as problem:
                line += problem.object[: problem.start].decode(encoding, "ignore").count("\n")
                byte = end - len(problem.object) + problem.start
                return f"{path} is not {encoding}: line {line}, byte {byte:,} cannot be read. {_suggestion(start)}"
            except UnicodeError:
                break
    return f"{path} is not {encoding} ({error}). {_suggestion(start)}"


def _suggestion(start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "It looks like UTF-16: try the encoding utf-16."
    if start.startswith(b"PK\x03\x04"):
        return "It looks like a spreadsheet: give it a name that ends in .xlsx."
    return "Try the encoding cp1252, which older programs on Windows write."


# Spreadsheets -----------------------------------------------------------------------------------


def _spreadsheet_rows(path: Path) -> Iterator[Row]:
    """The rows of the first sheet, their cells as a CSV would have them; lines count as the sheet does."""
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            sheet = book.get_sheet_by_index(0)
            for line, values in enumerate(sheet.iter_rows(), 1):
                cells = [_cell_text(value) for value in values]
                if any(cells):
                    yield Row(line, cells)
    except (python_calamine.CalamineError, OSError) as error:
        raise BadFile(f"{path} cannot be read as a spreadsheet: {error}.") from None


def _cell_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return str(value)
