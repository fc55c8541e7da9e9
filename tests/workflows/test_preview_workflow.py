"""The command `preview_workflow`: figures, a sample, a file, and one record."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_label, make_record, make_records
from tests.workflows.making import create, everything, is_, make_workflow, set_steps
from workflows.models import Workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def workflow() -> Workflow:
    make_record("company", name="Alder Foods")
    make_records("contact", [{"company": "alder foods", "email": "ada@example.com"}, {"company": "Birch"}, {}])
    label = make_label("contact", "company", "Employer")
    known = is_("company", operator="is_known")
    return make_workflow("contact", create("company", "company", "name", label=label), triggers=[[known]], on=False)


def said(*arguments: object) -> list[str]:
    out = StringIO()
    call_command("preview_workflow", *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("how", [[], ["--estimate"]])
def test_it_says_what_would_be_done_and_does_none_of_it(how: list[str], workflow: Workflow) -> None:
    before = everything()
    assert said(workflow.pk, *how) == [
        f"{workflow}: 2 of 3 contacts enroll",
        "  1. Associate each enrolled contact with every company whose Company name equals the contact's Company name,"
        " labelled Employer.",
        "     Association created: 1 records, 1 associations",
        "     No record matches: 1 records",
        "     Associations: +1 −0",
        "     Employer: +1 −0",
        "     Primary: +1 −0",
    ]
    assert everything() == before


def test_the_whole_goes_into_a_file(workflow: Workflow, tmp_path: Path) -> None:
    path = tmp_path / "preview.csv"
    assert said(workflow.name, "--csv", path) == [f"4 rows are in {path}."]
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(each["outcome"], each["label"], each["value"], each["other"]) for each in rows[-2:]] == [
        ("label_added", "Employer", "alder foods", "Alder Foods"),
        ("no_match", "", "Birch", ""),
    ]


def test_one_record_is_told_filter_by_filter(workflow: Workflow) -> None:
    lines = said(workflow.pk, "--record", "ada@example.com")
    assert "    yes Company name is known [alder foods]" in lines
    assert "+Employer Alder Foods" in lines[-1]
    assert "looked for 'alder foods'" in lines[-1]


def test_what_cannot_be_previewed_says_why(workflow: Workflow) -> None:
    with pytest.raises(CommandError, match="There is no workflow 'Nothing'"):
        said("Nothing")
    with pytest.raises(CommandError, match="There is no contact 'Zoe'"):
        said(workflow.pk, "--record", "Zoe")
    set_steps(workflow)
    with pytest.raises(CommandError, match=r"could not be turned on\. A workflow needs at least one action"):
        said(workflow.pk)
