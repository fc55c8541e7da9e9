"""Text that a spreadsheet would run as a formula, in the CSV files that people open with one.

A value such as =HYPERLINK(…) may come from a web form and would run on the machine of whoever opens the export.
The export puts an apostrophe before it, which spreadsheets understand as "text follows"; the import takes it off
again, so that a file comes back as it left. Numbers and phone numbers, such as +1 (555) 010-99, stay as they are:
they have no letter to name a function or a cell with.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_NUMBER = re.compile(r"[+-][\d\s().-]*")


def shielded(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unshielded(text: str) -> str:
    """The text that `shielded` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
