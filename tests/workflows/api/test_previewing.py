"""The API's preview, test, warnings and coverage: the services' answers, and nothing is changed."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest

from associations.models import Record
from tests.asking import Asking
from tests.factories import make_label, make_record, make_records
from tests.workflows.making import create, everything, is_, make_workflow, set_steps
from workflows.models import Workflow
from workflows.services import preview
from workflows.services.preview_figures import COLUMNS

pytestmark = pytest.mark.django_db


@pytest.fixture
def asking() -> Asking:
    return Asking.with_token("automation")


@pytest.fixture
def workflow() -> Workflow:
    make_record("company", name="Alder Foods")
    make_records("contact", [{"company": "alder foods"}, {"company": "Birch"}, {}])
    label = make_label("contact", "company", "Employer")
    known = is_("company", operator="is_known")
    return make_workflow("contact", create("company", "company", "name", label=label), triggers=[[known]], on=False)


def path(workflow: Workflow, what: str) -> str:
    return f"/automation/v4/flows/{workflow.pk}/{what}"


def test_a_preview_says_what_would_be_done(asking: Asking, workflow: Workflow, run_jobs: Callable[[], None]) -> None:
    before = everything()
    answer = asking.get(path(workflow, "preview")).json()
    assert (answer["state"], answer["lookedAt"], answer["of"], answer["enrolled"]) == ("EXACT", 3, 3, 2)
    [action] = answer["actions"]
    assert {each["outcome"]: each["records"] for each in action["outcomes"]} == {"created": 1, "no_match": 1}
    assert {"label": "Employer", "added": 1, "removed": 0} in action["changes"]
    assert action["rows"][0]["changes"][0]["otherValue"] == "Alder Foods"
    asked = asking.post(path(workflow, "preview"))
    assert (asked.status_code, asked.json()["state"]) == (202, "WAITING")
    run_jobs()
    counted = asking.get(path(workflow, "preview")).json()
    assert (counted["state"], counted["percent"]) == ("EXACT", 100)
    assert counted["actions"] == answer["actions"]
    assert everything() == before


def test_all_rows_are_there_as_csv(
    asking: Asking, workflow: Workflow, monkeypatch: pytest.MonkeyPatch, run_jobs: Callable[[], None]
) -> None:
    def rows() -> list[list[str]]:
        answer = asking.get(path(workflow, "preview.csv"))
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
        return list(csv.reader(b"".join(answer.streaming_content).decode().splitlines()))

    header, *few = rows()
    assert header == COLUMNS
    assert [row for row in few if "Alder Foods" in row]
    monkeypatch.setattr(preview, "SAMPLE", 2)
    early = asking.get(path(workflow, "preview.csv"))
    assert early.status_code == 400
    assert "counted exactly first" in early.json()["message"]
    asking.post(path(workflow, "preview"))
    run_jobs()
    assert rows() == [header, *few]
    assert Asking.with_token("oauth").get(path(workflow, "preview.csv")).status_code == 403


def test_one_record_is_tested(asking: Asking, workflow: Workflow) -> None:
    contact = Record.objects.filter(properties__company="alder foods").get()
    answer = asking.post(path(workflow, "test"), {"id": str(contact.pk)}).json()
    assert answer["meets"] is True
    assert answer["groups"] == [[{"filter": "Company name is known", "met": True, "value": "alder foods"}]]
    assert answer["actions"][0]["rows"][0]["outcome"] == "created"
    assert asking.post(path(workflow, "test"), {"id": "x"}).status_code == 400
    missing = asking.post(path(workflow, "test"), {"id": "4711"})
    assert missing.status_code == 400
    assert "There is no contact 4711" in missing.json()["message"]


def test_coverage_and_warnings(asking: Asking, workflow: Workflow) -> None:
    assert asking.get(path(workflow, "coverage")).json() == {
        "results": [
            {
                "position": 0,
                "enrolled": {"no_value": 0, "no_match": 1, "one_match": 1, "several": 0},
                "associated": {"no_value": 0, "duplicate": 0, "single": 1},
            }
        ]
    }
    assert asking.get(path(workflow, "warnings")).json() == {"results": []}


@pytest.mark.parametrize("what", ["preview", "warnings", "coverage"])
def test_it_takes_a_token_with_the_scope(what: str, workflow: Workflow) -> None:
    assert Asking.with_token("oauth").get(path(workflow, what)).status_code == 403


def test_what_could_not_be_turned_on_says_why(asking: Asking, workflow: Workflow) -> None:
    set_steps(workflow)
    answer = asking.get(path(workflow, "preview"))
    assert answer.status_code == 400
    assert "at least one action" in answer.json()["message"]
