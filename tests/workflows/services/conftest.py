"""What tests of previews share: contacts of which two match a company, a draft that associates them, many more."""

from __future__ import annotations

import pytest

from associations.models import Record
from tests.factories import make_label, make_record, make_records
from tests.workflows.making import apply, create, make_workflow
from workflows.models import Workflow
from workflows.services import preview
from workflows.services.preview_figures import Figures

STEP = ("company", "company", "name")


def records_of(figures: Figures, position: int = 0) -> dict[str, int]:
    return {each["outcome"]: each["records"] for each in figures["actions"][position]["outcomes"]}


@pytest.fixture
def contacts() -> list[Record]:
    make_record("company", name="Alder Foods")
    return make_records("contact", [{"company": name} for name in ("Alder Foods", "alder foods", "Birch", "")])


@pytest.fixture
def draft(contacts: list[Record]) -> Workflow:
    """It was never turned on."""
    label = make_label("contact", "company", "Employer")
    return make_workflow(
        "contact", create(*STEP, label=label), apply(make_label("contact", "company", "Local")), on=False
    )


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "SAMPLE", 20)
    make_records("contact", [{"company": "Alder Foods"}] * 100)
