"""Beyond HubSpot: enrolling, unenrolling, runs and their logs, retry, the history of a pair."""

from typing import Any

import pytest
from django.utils import timezone

from tests.factories import associate, make_record, make_records
from tests.workflows.flows.hubspot import all_of, any_of, create, flow, list_based
from tests.workflows.making import work_off
from workflows.models import Batch, Enrollment, Run

pytestmark = pytest.mark.django_db
FLOWS = "/automation/v4/flows"


@pytest.fixture
def one(ask):
    criteria = list_based(all_of(any_of("city", "Rome")))
    body = ask.post(FLOWS, flow(create(), isEnabled=True, enrollmentCriteria=criteria)).json()
    return f"{FLOWS}/{body['id']}"


def contacts(*companies):
    return make_records(
        "contact", [{"email": f"{n}@example.com", "company": name, "city": "Rome"} for n, name in enumerate(companies)]
    )


def test_named_records_are_enrolled_and_the_log_tells_of_each(ask, one):
    make_record("company", name="Alder")
    first, second, third = contacts("ALDER", "Birch", None)
    answer = ask.post(f"{one}/enroll", {"inputs": [{"id": str(each.pk)} for each in (first, second, third)]})
    assert answer.status_code == 201
    run = f"/automation/v4/runs/{answer.json()['id']}"
    assert answer.json()["state"] == "RUNNING" and answer.json()["progress"]["percent"] == 0
    work_off()
    body = ask.get(run).json()
    assert (body["state"], body["cause"], body["errors"]) == ("FINISHED", "MANUAL", [])
    [action] = body["actions"]
    assert action["action"] == 1 and {each["outcome"] for each in action["outcomes"]} == {
        "CREATED",
        "NO_MATCH",
        "NO_VALUE",
    }
    log = {each["recordId"]: each for each in ask.get(f"{run}/records").json()["results"]}
    assert set(log) == {str(each.pk) for each in (first, second, third)}
    assert log[str(second.pk)]["state"] == "FINISHED"
    assert log[str(second.pk)]["outcomes"] == [
        {
            "action": 1,
            "kind": "create_associations",
            "outcome": "NO_MATCH",
            "pairs": 0,
            "value": "Birch",
            "ruledOut": None,
        }
    ]
    [created] = ask.get(f"{run}/records", outcome="CREATED").json()["results"]
    assert created["recordId"] == str(first.pk)
    page = ask.get(f"{run}/records", limit=2).json()
    assert len(page["results"]) == 2 and len(ask.get(page["paging"]["next"]["link"]).json()["results"]) == 1
    assert ask.get(f"{run}/records", outcome="GOOD").status_code == 400
    performed = ask.get(one.replace("flows/", "flows/performance/")).json()["results"]
    assert performed == [{"bucket": f"{timezone.now():%Y-%m-%d}", "series": "FINISHED", "frequency": 3}]


@pytest.mark.parametrize(("whom", "count"), [("MATCHING", 2), ("ALL", 3)])
def test_those_who_match_or_all(ask, one, whom, count):
    contacts("A", "B")
    make_record("contact", email="other@example.com")
    assert ask.post(f"{one}/enroll", {"enroll": whom}).status_code == 201
    work_off()
    assert Enrollment.objects.count() == count


def test_who_cannot_be_enrolled_is_named(ask, one):
    company = make_record("company", name="Alder")
    bodies: list[Any] = [
        {},
        {"inputs": []},
        {"inputs": [{"id": "x"}]},
        {"inputs": [{"id": "1"}], "enroll": "ALL"},
        {"enroll": "SOME"},
        {"inputs": [{"id": str(number)} for number in range(10_001)]},
    ]
    for body in bodies:
        assert ask.post(f"{one}/enroll", body).status_code == 400
    assert ask.post(f"{one}/enroll", {"inputs": [{"id": str(company.pk)}]}).status_code == 404
    assert ask.post(f"{one}/turn-off").status_code == 200
    assert ask.post(f"{one}/enroll", {"enroll": "ALL"}).status_code == 400
    assert Run.objects.count() == 0


def test_unenrolled_records_have_nothing_done(ask, one):
    company = make_record("company", name="Alder")
    first, second = contacts("Alder", "Alder")
    ask.post(f"{one}/enroll", {"inputs": [{"id": str(each.pk)} for each in (first, second)]})
    answer = ask.post(f"{one}/unenroll", {"inputs": [{"id": str(first.pk)}, {"id": "999"}]})
    assert answer.json() == {"unenrolled": 1}
    work_off()
    assert [end.other_id for end in company.association_ends.filter(type_id=280)] == [second.pk]


def test_what_failed_is_tried_again(ask, one):
    contacts("Alder")
    make_record("company", name="Alder")
    run = ask.post(f"{one}/enroll", {"enroll": "MATCHING"}).json()
    work_off()
    Batch.objects.update(state=Batch.State.FAILED, error="a fault", position=0)
    Run.objects.update(state=Run.State.FAILED)
    address = f"/automation/v4/runs/{run['id']}"
    assert ask.get(address).json()["errors"] == ["a fault"]
    assert ask.post(f"{address}/retry").json() == {"batches": 1}
    assert ask.get(address).json()["state"] == "RUNNING"
    assert ask.get("/automation/v4/runs/999").status_code == 404


def test_the_history_of_a_pair(ask, one):
    company = make_record("company", name="Alder")
    [contact] = contacts("alder")
    run = ask.post(f"{one}/enroll", {"inputs": [{"id": str(contact.pk)}]}).json()
    work_off()
    path = f"/automation/v4/associations/contacts/{contact.pk}/companies/{company.pk}/history"
    body = ask.get(path).json()
    change = next(each for each in body["results"] if each["label"] is None)
    assert (change["added"], change["associationTypeId"], change["category"]) == (True, 279, "HUBSPOT_DEFINED")
    assert (change["value"], change["otherValue"]) == ("alder", "Alder")
    assert change["workflow"]["runId"] == run["id"] and change["workflow"]["action"] == 1
    assert change in body["current"]
    other = make_record("company", name="Birch")
    associate(contact, other)
    path = path.replace(f"/{company.pk}/", f"/{other.pk}/")
    assert ask.get(path).json()["results"][0]["workflow"] is None
    assert ask.get(path.replace(str(other.pk), "999")).status_code == 404
    assert ask.get(path.replace("contacts", "companies")).status_code == 404


def test_of_a_pair_that_is_not_associated_the_last_outcome_says_why(ask, one):
    company = make_record("company", name="Birch")
    [contact] = contacts("alder")
    path = f"/automation/v4/associations/companies/{company.pk}/contacts/{contact.pk}/history"
    never = ask.get(path).json()
    assert [each["flowId"] for each in never["neverEnrolled"]] == [one.rsplit("/", 1)[1]]
    assert never["outcomes"] == []
    run = ask.post(f"{one}/enroll", {"inputs": [{"id": str(contact.pk)}]}).json()
    work_off()
    body = ask.get(path).json()
    assert (body["results"], body["current"], body["neverEnrolled"]) == ([], [], [])
    [said] = body["outcomes"]
    assert (said["recordId"], said["outcome"], said["value"]) == (str(contact.pk), "NO_MATCH", "alder")
    assert (said["workflow"]["runId"], said["workflow"]["action"]) == (run["id"], 1)
    assert said["today"] == {"value": "alder", "otherValue": "Birch", "matches": False}
    [alone] = ask.get(f"/automation/v4/records/contacts/{contact.pk}/outcomes").json()["results"]
    assert alone == {**said, "today": None}
    assert ask.get(f"/automation/v4/records/companies/{contact.pk}/outcomes").status_code == 404


def test_queries_do_not_grow_with_the_runs(ask, one, django_assert_max_num_queries):
    contacts("Alder")
    for _ in range(4):
        ask.post(f"{one}/enroll", {"enroll": "ALL"})
    work_off()
    with django_assert_max_num_queries(8):
        assert len(ask.get(f"{one}/runs").json()["results"]) == 4
