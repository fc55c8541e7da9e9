"""A spreadsheet to import, written without a library: as little of the format as a reader needs."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

OOXML = "http://schemas.openxmlformats.org"
OFFICE = f"{OOXML}/officeDocument/2006/relationships"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
DATE_STYLE = 1


class ExcelDate(int):
    """A day as spreadsheets count them, shown as a date."""


def write_xlsx(path: Path, rows: Sequence[Sequence[object]], *, first_row: int = 1) -> None:
    data = "".join(_row(number, row) for number, row in enumerate(rows, first_row))
    main = f'xmlns="{OOXML}/spreadsheetml/2006/main"'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{OOXML}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{TYPES}.styles+xml"/>'
        f'<Override PartName="/xl/sheet.xml" ContentType="{TYPES}.worksheet+xml"/></Types>',
        "_rels/.rels": _relations(("1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{OFFICE}">'
        '<sheets><sheet name="Sheet" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(("1", "worksheet", "sheet.xml"), ("2", "styles", "styles.xml")),
        "xl/styles.xml": f'<styleSheet {main}><cellXfs count="2">'
        '<xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/sheet.xml": f"<worksheet {main}><sheetData>{data}</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)


def _row(number: int, values: Sequence[object]) -> str:
    cells = "".join(_cell(f"{chr(65 + place)}{number}", value) for place, value in enumerate(values))
    return f'<row r="{number}">{cells}</row>'


def _cell(place: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{value:d}</v></c>'
    if isinstance(value, int | float):
        style = f' s="{DATE_STYLE}"' if isinstance(value, ExcelDate) else ""
        return f'<c r="{place}"{style}><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def _relations(*relations: tuple[str, str, str]) -> str:
    inner = "".join(
        f'<Relationship Id="r{id_}" Type="{OFFICE}/{kind}" Target="{target}"/>' for id_, kind, target in relations
    )
    return f'<Relationships xmlns="{OOXML}/package/2006/relationships">{inner}</Relationships>'
