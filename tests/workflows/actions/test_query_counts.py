"""An action is a few statements, whatever the size of the set."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import Record
from associations.services import archiving
from associations.types import DirectedType
from tests.factories import ORIGIN, associate_pairs, limit, make_label, make_records, primary, unlabeled
from tests.workflows.making import Step, apply, create, make_workflow, remove, sums, update, work_off
from workflows.models import Run
from workflows.services import enrollment, execution

pytestmark = pytest.mark.django_db
SMALL, LARGE = 3, 300


def queries_of(step: Step, contacts: list[Record]) -> tuple[int, Run]:
    """How many queries the first action of a batch takes (match indexes are there, as after the first run)."""
    workflow = make_workflow("contact", step)
    run = enrollment.enroll_records(workflow, [each.pk for each in contacts])
    batch = run.batches.get()
    with CaptureQueriesContext(connection) as queries:
        execution.run_action(batch.pk, 0)
    # One call may send many statements: what Django reports as "300 times: …" counts as 300.
    return sum(int(sql.split(" times: ")[0]) if " times: " in (sql := each["sql"])[:20] else 1 for each in queries), run


def pairs_of(count: int) -> tuple[list[Record], list[Record]]:
    contacts = make_records("contact", [{"city": f"City {number}"} for number in range(count)])
    return contacts, make_records("company", [{"city": f"City {number}"} for number in range(count)])


def prepared(kind: str) -> tuple[Step, str, DirectedType | None]:
    """The step, the outcome that shows that it did something, and the label that its pairs have before."""
    first, second = make_label("contact", "company", "First"), make_label("contact", "company", "Second")
    by_city = {"enrolled_property": "city", "associated_property": "city"}
    known: dict[str, tuple[Step, str, DirectedType | None]] = {
        "create": (create("company", "city", "city", label=first), "created", None),
        "create primary": (
            create("company", "city", "city", label=primary("contact", "company"), several="oldest"),
            "created",
            None,
        ),
        "apply to all": (apply(second), "label_added", first),
        "apply matching": (apply(second, "matching_property", **by_city), "label_added", first),
        "apply enrolled": (
            apply(second, "enrolled_property", enrolled_property="city", operator="is_not_equal_to", value="x"),
            "label_added",
            first,
        ),
        "apply associated": (
            apply(second, "associated_property", associated_property="city", operator="is_not_equal_to", value="x"),
            "label_added",
            first,
        ),
        "append": (update(first, second), "label_added", first),
        "replace": (update(first, second, "replace"), "label_removed", first),
        "remove": (remove(first), "label_removed", first),
        "remove associations": (remove(first, associations=True), "association_removed", first),
    }
    return known[kind]


@pytest.mark.parametrize("limited", [False, True], ids=["free", "limited"])
@pytest.mark.parametrize(
    "kind",
    [
        "create",
        "create primary",
        "apply to all",
        "apply matching",
        "apply enrolled",
        "apply associated",
        "append",
        "replace",
        "remove",
        "remove associations",
    ],
)
def test_the_number_of_queries_does_not_grow_with_the_set(kind: str, limited: bool) -> None:
    step, outcome, label_before = prepared(kind)
    if limited:
        limit(unlabeled("contact", "company"), to=1, inverse=1)
    counts = []
    for size in (1, SMALL, LARGE):  # the first builds the match indexes
        contacts, companies = pairs_of(size)
        if label_before:
            associate_pairs(zip(contacts, companies, strict=True), label_before)
        count, run = queries_of(step, contacts)
        assert sums(run)[outcome]["pairs"] == size
        counts.append(count)
        for records in (contacts, companies):  # the next ones shall not match them
            archiving.archive_records(records[0].object_type, [each.pk for each in records], origin=ORIGIN)
    assert counts[1] == counts[2], counts


def test_refusing_many_pairs_takes_no_more_queries_than_refusing_a_few() -> None:
    limit(unlabeled("contact", "company"), to=None, inverse=1)
    counts = []
    for size in (1, SMALL, LARGE):
        city = f"City {size}"
        contacts = make_records("contact", [{"city": city}] * size)
        make_records("company", [{"city": city}])
        count, run = queries_of(create("company", "city", "city"), contacts)
        assert sums(run).get("limit_reached", {"pairs": 0})["pairs"] == size - 1
        counts.append(count)
    assert counts[1] == counts[2], counts


def test_enrolling_takes_no_more_queries_for_many_records_than_for_a_few() -> None:
    workflow = make_workflow("contact", create("company", "city", "city"))
    counts = []
    for size in (SMALL, LARGE):
        contacts, _ = pairs_of(size)
        with CaptureQueriesContext(connection) as queries:
            enrollment.enroll_records(workflow, [each.pk for each in contacts])
        counts.append(len(queries))
        work_off()
    assert counts[0] == counts[1], counts
