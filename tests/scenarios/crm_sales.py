"""The public B2B data set as plain Python sees it, and how the scenarios bring it into the CRM.

The expected figures are worked out here from the CSV files alone, with nothing of the product.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests import processes
from tests.factories import make_property, object_type
from workflows.models import Action, Run, Workflow
from workflows.services import lifecycle

FOLDER = Path(settings.BASE_DIR).parent / "shared" / "data" / "crm-sales"
needs_data = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"The data set crm-sales is not at {FOLDER}.")

Row = dict[str, str]


def rows(name: str) -> list[Row]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def import_all(folder: Path) -> None:
    """Bring accounts, opportunities, agents and managers in through the import command, as an operator would."""
    for name in ("year_established", "revenue"):
        make_property("company", name, type="number", field_type="number")
    make_property("company", "subsidiary_of")
    make_property("deal", "opportunity_id", has_unique_value=True)
    for name in ("account_name", "agent_name", "stage", "product"):
        make_property("deal", name)
    make_property("contact", "full_name", has_unique_value=True)
    make_property("contact", "manager_name")
    make_property("contact", "regional_office")

    managers = folder / "managers.csv"
    region_of = {row["manager"]: row["regional_office"] for row in rows("sales_teams.csv")}
    with managers.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("manager", "regional_office"), *sorted(region_of.items())])

    _import("company", FOLDER / "accounts.csv", account="name", sector="industry", employees="numberofemployees",
            office_location="country")  # fmt: skip
    _import("deal", FOLDER / "sales_pipeline.csv", opportunity_id="opportunity_id", account="account_name",
            sales_agent="agent_name", deal_stage="stage", close_value="amount")  # fmt: skip
    _import("contact", FOLDER / "sales_teams.csv", sales_agent="full_name", manager="manager_name")
    _import("contact", managers, manager="full_name")


def _import(type_name: str, file: Path, **columns: str) -> None:
    mapping = [each for column, name in columns.items() for each in ("--map", f"{column}={name}")]
    rejects = ["--rejects", str(Path(settings.DATA_DIR) / "rejects.csv")]
    done = processes.manage("import_records", type_name, str(file), *mapping, *rejects)
    assert done.returncode == 0, done.stderr


def turn_on(name: str, type_name: str, kind: str, **fields: Any) -> Workflow:
    """A workflow of one action that may run again and again."""
    workflow = Workflow.objects.create(name=name, object_type=object_type(type_name), should_re_enroll=True)
    Action.objects.create(workflow=workflow, kind=kind, fields=fields)
    lifecycle.turn_on(workflow)
    return workflow


def enroll(workflow: Workflow) -> dict[str, int]:
    """Enroll every record through the command and the queue; a real worker does it. Pairs (or records) by outcome."""
    done = processes.manage("enroll", workflow.name, "--all", "--wait")
    assert done.returncode == 0, done.stderr
    run = Run.objects.filter(workflow=workflow).latest("id")
    assert run.state == Run.State.FINISHED
    sums: dict[str, int] = {}
    for batch in run.batches.all():
        for action_run in batch.action_runs.all():
            for outcome, counts in action_run.outcomes.items():
                sums[outcome] = sums.get(outcome, 0) + (counts["pairs"] or counts["records"])
    return sums


def only(**counts: int) -> Mapping[str, int]:
    """Outcomes by name, without those that did not occur."""
    return {outcome: count for outcome, count in counts.items() if count}
