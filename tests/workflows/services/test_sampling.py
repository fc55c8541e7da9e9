"""The sample of many records in a preview: as exact as of match keys that are kept, and it locks nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import MatchIndex, MatchKey, Record
from associations.services import match_keys
from tests.factories import make_label, make_record
from tests.workflows.making import apply, create, make_workflow
from workflows.models import Workflow
from workflows.services import lifecycle, preview, rehearsal, trial

from .conftest import STEP, records_of

pytestmark = pytest.mark.django_db


def test_of_many_records_a_sample_is_looked_at(draft: Workflow, many: None) -> None:
    figures = preview.first_figures(draft)
    assert figures["of"] == 104
    assert 5 <= figures["looked_at"] == figures["enrolled"] <= 40
    assert records_of(figures)["created"] > 0


def make_anything() -> None:
    """Contacts and companies that match in every way, and some that do not."""
    towns, numbers = ["Rome", "rome ", "Bern", ""], ["+49 30 901820", "030 901820", "+44 20 7946 0018", "nothing"]
    for number in range(40):
        given = {"city": towns[number % 4], "phone": numbers[number % 3], "company": f"Town {number % 5}"}
        make_record("contact", **given, lastname=towns[number % 3], website=f"www.firm{number % 7}.example")
    for number in range(8):
        phone, place = numbers[number % 4], towns[number % 4]
        make_record("company", name=f"TOWN {number}", city=place, phone=phone, domain=f"firm{number}.example")


MATCHED = [
    ("company", "company", "name", {}),
    ("company", "city", "city", {}),
    ("company", "city", "city", {"several": "newest"}),
    ("company", "city", "city", {"several": "review"}),
    ("company", "city", "city", {"cap": 1}),
    ("company", "phone", "phone", {}),
    ("company", "website", "domain", {"comparison": "domain"}),
    ("contact", "city", "city", {}),
    ("contact", "city", "lastname", {}),
]


@pytest.mark.parametrize(("other", "own", "theirs", "more"), MATCHED)
@pytest.mark.parametrize("built", [None, "own", "other"])
def test_the_sample_of_values_that_were_never_read_is_as_exact_as_of_those_that_are(
    other: str, own: str, theirs: str, more: dict[str, Any], built: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_anything()
    draft = make_workflow("contact", create(other, own, theirs, **more), on=False)
    [references] = rehearsal.read_complete(lifecycle.definition_json(draft), draft).references
    if built:
        match_keys.ensure_match_index(*references.match_indexes[built == "other"])
    before = list(MatchIndex.objects.values_list("pk", "built_at")), MatchKey.objects.count()
    monkeypatch.setattr(preview, "SAMPLE", 15)
    unread = preview.first_figures(draft)
    assert (list(MatchIndex.objects.values_list("pk", "built_at")), MatchKey.objects.count()) == before
    for index in references.match_indexes:
        match_keys.ensure_match_index(*index)
    assert unread == preview.first_figures(draft)
    assert unread["of"] == 40 and 5 < unread["looked_at"] < 40
    assert records_of(unread).keys() - {"no_match", "no_value"}


def test_of_an_action_that_labels_those_that_match_as_well(many: None, contacts: list[Record]) -> None:
    draft = make_workflow(
        "contact",
        create(*STEP),
        apply(
            make_label("contact", "company", "Same"),
            "matching_property",
            enrolled_property="city",
            associated_property="city",
        ),
        on=False,
    )
    unread = preview.first_figures(draft)
    preview.exact_figures(draft)
    assert unread == preview.first_figures(draft)


def test_there_are_no_first_figures_where_reading_the_values_takes_too_long(
    draft: Workflow, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "READ_WITHIN", -1)
    waiting = preview.first_figures(draft)
    assert (waiting["looked_at"], waiting["of"], waiting["actions"]) == (0, 104, [])
    preview.exact_figures(draft)
    assert preview.first_figures(draft)["looked_at"] > 0, "they are read"


@pytest.mark.parametrize("built", [False, True])
def test_the_sample_is_smaller_where_each_record_matches_very_many(
    many: None, built: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "MOST_PAIRS", 200)
    draft = make_workflow("contact", create("contact", "company", "company"), on=False)
    if built:
        preview.exact_figures(draft)
    figures = preview.first_figures(draft)
    assert 1 <= figures["looked_at"] <= 4
    assert records_of(figures)["created"] == figures["looked_at"]


def test_values_that_were_never_read_are_read_without_locking_a_record(draft: Workflow, contacts: list[Record]) -> None:
    with CaptureQueriesContext(connection) as queries:
        preview.first_figures(draft)
        trial.try_record(draft, contacts[0].pk)
    assert not [each["sql"] for each in queries.captured_queries if "FOR NO KEY UPDATE" in each["sql"]]
    assert not MatchIndex.objects.exists()
