"""Beyond HubSpot: undo and redo of runs, and the records put up for review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.asking import Asking
from tests.factories import associate, make_label, make_record, make_records, words
from tests.workflows import making

pytestmark = pytest.mark.django_db


def test_a_run_is_looked_at_undone_and_redone(ask: Any, run_jobs: Callable[[], None]) -> None:
    contact, company = make_record("contact", company="a"), make_record("company", name="a")
    run = making.do(making.create("company", "company", "name"), [contact])
    address = f"/automation/v4/runs/{run.pk}"
    look = ask.get(f"{address}/undo").json()
    assert look["exact"] and look["counts"]["associationsRemoved"] == 1 and "unlabeled" in words(contact, company)
    started = ask.post(f"{address}/undo")
    assert started.status_code == 201 and started.json()["state"] == "RUNNING"
    run_jobs()
    [told] = ask.get(f"{address}/undos").json()["results"]
    assert (told["kind"], told["state"], told["done"], told["left"]) == ("UNDO", "FINISHED", 1, [])
    assert words(contact, company) == set()
    assert ask.post(f"{address}/undo").status_code == 400
    assert ask.get(f"{address}/redo").json()["counts"]["associationsRestored"] == 1
    assert ask.post(f"{address}/redo").status_code == 201
    run_jobs()
    assert "unlabeled" in words(contact, company)


def test_a_big_run_is_counted_exactly_before_it_is_undone(
    ask: Any, run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("associations.services.match_keys.CHUNK", 2)
    monkeypatch.setattr("workflows.api.undoing.SECONDS", 0)
    make_records("contact", [{"company": "a"}] * 5)
    make_record("company", name="a")
    run = making.enroll_all(making.make_workflow("contact", making.create("company", "company", "name")))
    address = f"/automation/v4/runs/{run.pk}"
    look = ask.get(f"{address}/undo").json()
    assert (look["state"], look["exact"], look["seen"], look["parts"], look["countedAt"]) == (
        "ESTIMATE",
        False,
        1,
        3,
        None,
    )
    asked = ask.post(f"{address}/undo/preview")
    assert asked.status_code == 202 and (asked.json()["state"], asked.json()["seen"]) == ("WAITING", 0)
    assert ask.post(f"{address}/redo/preview").status_code == 400
    run_jobs()
    look = ask.get(f"{address}/undo").json()
    assert (look["state"], look["exact"], look["seen"]) == ("EXACT", True, 3) and look["countedAt"]
    assert look["counts"]["associationsRemoved"] == 5
    assert ask.get(f"{address}/undos").json()["results"] == []


def test_what_was_left_alone_is_listed(ask: Any, run_jobs: Callable[[], None]) -> None:
    contact, company = make_record("contact", company="a"), make_record("company", name="a")
    run = making.do(making.create("company", "company", "name"), [contact])
    associate(contact, company, make_label("contact", "company", "Friend"))
    ask.post(f"/automation/v4/runs/{run.pk}/undo")
    run_jobs()
    [told] = ask.get(f"/automation/v4/runs/{run.pk}/undos").json()["results"]
    assert told["counts"]["left"] == {"CHANGED": 1}
    assert told["left"] == [
        {"recordIds": [str(contact.pk), str(company.pk)], "reason": "CHANGED", "by": "System a test"}
    ]


def test_a_question_is_read_and_answered(ask: Any) -> None:
    contact = make_record("contact", company="a")
    first, second = make_records("company", [{"name": "a"}, {"name": "A"}])
    making.do(making.create("company", "company", "name", several="review"), [contact])
    [asked] = ask.get("/automation/v4/reviews").json()["results"]
    assert (asked["recordId"], asked["candidateIds"]) == (str(contact.pk), [str(first.pk), str(second.pk)])
    address = f"/automation/v4/reviews/{asked['actionRunId']}/{contact.pk}"
    assert ask.post(address, {"id": str(make_record("company").pk)}).status_code == 400
    assert ask.post(address, {"id": str(second.pk)}).status_code == 204
    assert "unlabeled" in words(contact, second) and words(contact, first) == set()
    assert ask.get("/automation/v4/reviews").json()["results"] == []
    assert ask.post(address, {"id": str(first.pk)}).status_code == 400


def test_none_of_the_candidates_is_said_and_told_with_who_said_it(ask: Any) -> None:
    contact = make_record("contact", company="a")
    companies = make_records("company", [{"name": "a"}, {"name": "A"}])
    run = making.do(making.create("company", "company", "name", several="review"), [contact])
    [asked] = ask.get("/automation/v4/reviews").json()["results"]
    address = f"/automation/v4/reviews/{asked['actionRunId']}/{contact.pk}/none"
    assert ask.post(address, {"candidateIds": [str(contact.pk)]}).status_code == 400
    assert ask.post("/automation/v4/reviews/x/1/none", {"candidateIds": ["1"]}).status_code == 404
    other = Asking.with_token("crm.objects.contacts.read")
    assert other.post(address, {"candidateIds": asked["candidateIds"]}).status_code == 403
    assert ask.post(address, {"candidateIds": asked["candidateIds"]}).status_code == 204
    assert ask.get("/automation/v4/reviews").json()["results"] == []
    assert not any(words(contact, company) for company in companies)
    [log] = ask.get(f"/automation/v4/runs/{run.pk}/records").json()["results"]
    [last] = ask.get(f"/automation/v4/records/contact/{contact.pk}/outcomes").json()["results"]
    for outcome in (*log["outcomes"], last):
        assert outcome["outcome"] == "AMBIGUOUS" and outcome["ruledOut"]["by"] and outcome["ruledOut"]["at"]


def test_it_takes_the_scope_and_a_run_that_is_there() -> None:
    other = Asking.with_token("crm.objects.contacts.read")
    assert other.post("/automation/v4/runs/1/undo").status_code == 403
    assert other.post("/automation/v4/runs/1/undo/preview").status_code == 403
    assert other.get("/automation/v4/reviews").status_code == 403
    assert Asking.with_token("automation").get("/automation/v4/runs/1/undo").status_code == 404
