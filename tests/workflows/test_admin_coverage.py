"""How well values match: the coverage of create actions with its lists, and the box to try two values in."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.comparison import compare
from associations.services import archiving
from tests.associations.admin_pages import record_url, sign_in
from tests.factories import ORIGIN, make_record, make_records
from tests.workflows.admin_workflows import text, url
from tests.workflows.making import create, is_, make_workflow
from workflows.services import coverage

pytestmark = pytest.mark.django_db
STEP = ("company", "company", "name")


@pytest.fixture
def client() -> Any:
    return sign_in("view_workflow", "view_record")


def numbers(*steps: Any, type_name: str = "contact", **more: Any) -> tuple[Any, Any]:
    [found] = coverage.coverage_of(make_workflow(type_name, *steps, on=False, **more))
    return found.own, found.other


def test_values_are_counted_on_both_sides() -> None:
    make_records("company", [{"name": name} for name in ("Alder", "ALDER ", "Birch", "Cedar", "")])
    make_records("contact", [{"company": name} for name in ("alder", "Alder", "Birch", "Oak", "", "")])
    gone = make_record("company", name="Oak")
    archiving.archive_records(gone.object_type, [gone.pk], origin=ORIGIN)
    assert numbers(create(*STEP)) == (
        {"no_value": 2, "no_match": 1, "one_match": 1, "several": 2},
        {"no_value": 1, "duplicate": 2, "single": 2},
    )
    own, _ = numbers(create(*STEP), triggers=[[is_("company", "Oak", "Birch")]])
    assert own == {"no_value": 0, "no_match": 1, "one_match": 1, "several": 0}


def test_a_record_is_no_match_of_its_own() -> None:
    make_records("contact", [{"city": city} for city in ("Rome", "rome", "Oslo")])
    own, other = numbers(create("contact", "city", "city"))
    assert own == {"no_value": 0, "no_match": 1, "one_match": 2, "several": 0}
    assert other == {"no_value": 0, "duplicate": 2, "single": 1}


def test_each_number_opens_its_list(client: Any) -> None:
    make_records("company", [{"name": "<Alder>"}, {"name": "<alder>"}])
    contacts = make_records("contact", [{"company": "<alder>"}, {"company": "Oak"}])
    workflow = make_workflow("contact", create(*STEP), on=False)
    page = text(client.get(url("workflow_coverage", workflow.pk)))
    address = url("workflow_coverage_list", workflow.pk, 0, "own", "several")
    assert address in page
    listed = text(client.get(address))
    assert record_url(contacts[0]) in listed
    assert record_url(contacts[1]) not in listed
    assert "<td>&lt;alder&gt;</td>" in listed
    twins = text(client.get(url("workflow_coverage_list", workflow.pk, 0, "other", "duplicate")))
    assert twins.count("&lt;lder&gt;") + twins.lower().count("<td>&lt;alder&gt;</td>") == 2
    for wrong in ((0, "own", "duplicate"), (5, "own", "several"), (0, "x", "several")):
        assert client.get(url("workflow_coverage_list", workflow.pk, *wrong)).status_code == 404
    assert sign_in("view_workflow").get(address).status_code == 403


def test_long_lists_come_page_by_page(client: Any) -> None:
    contacts = make_records("contact", [{"company": "Oak"}] * 51)
    workflow = make_workflow("contact", create(*STEP), on=False)
    address = url("workflow_coverage_list", workflow.pk, 0, "own", "no_match")
    first = text(client.get(address))
    assert f'href="?after={contacts[49].pk}"' in first
    second = text(client.get(address, {"after": contacts[49].pk}))
    assert record_url(contacts[50]) in second
    assert record_url(contacts[49]) not in second


def test_many_values_that_were_never_read_are_not_read_by_a_page(monkeypatch: pytest.MonkeyPatch, client: Any) -> None:
    monkeypatch.setattr(coverage, "MOST_READ", 1)
    make_records("contact", [{"company": "Oak"}] * 2)
    workflow = make_workflow("contact", create(*STEP), on=False)
    assert coverage.coverage_of(workflow)[0].own is None
    assert "were never read before" in text(client.get(url("workflow_coverage", workflow.pk)))


def test_counting_takes_no_more_queries_for_many_records() -> None:
    workflow = make_workflow("contact", create(*STEP), on=False)
    counts = []
    for size in (1, 10, 200):  # the first builds the match indexes
        make_records("contact", [{"company": f"Oak {number}"} for number in range(size)])
        with CaptureQueriesContext(connection) as queries:
            coverage.coverage_of(workflow)
        counts.append(len(queries))
    assert counts[1] == counts[2]


# Two values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("ALDER  Foods ", "alder foods", {"normalized"}),
        ("Alder", "Alder", {"normalized", "exact"}),
        ("+1 617 555 0123", "(617) 555-0123", {"phone"}),
        ("ada@alder.com", "https://www.alder.com/about", {"domain"}),
        ("", "", set()),
    ],
)
def test_two_values_are_compared_in_every_way(one: str, other: str, equal: set[str]) -> None:
    assert {str(each.comparison) for each in compare(one, other) if each.is_equal} == equal


def test_the_box_answers_without_scripts(client: Any) -> None:
    page = text(client.get(url("workflow_compare"), {"one": "<B> ", "other": "<b>"}))
    assert "<td>&lt;b&gt;</td><td>&lt;b&gt;</td><td>yes</td>" in page
    assert "<td>&lt;B&gt;</td><td>&lt;b&gt;</td><td>no</td>" in page
    assert sign_in("view_record").get(url("workflow_compare")).status_code == 403


def test_the_box_stands_below_actions_that_compare() -> None:
    workflow = make_workflow("contact", create(*STEP), on=False)
    page = text(sign_in().get(url("workflow_change", workflow.pk)))
    assert f'action="{url("workflow_compare")}"' in page
