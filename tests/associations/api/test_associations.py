"""The associations API: two records, batches of pairs, and the older addresses."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import Association
from tests.factories import (
    associate,
    associate_pairs,
    limit,
    make_label,
    make_record,
    make_records,
    primary,
    unlabeled,
    words,
)

pytestmark = pytest.mark.django_db
V4 = "/crm/v4/associations/contacts/companies"
UNLABELED = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}


def spec(label) -> dict:
    return {"associationCategory": label.type.category, "associationTypeId": label.type_id}


def pair(record, other, *specs: dict) -> dict:
    given = {"from": {"id": str(record.pk)}, "to": {"id": other.pk}}
    return {**given, "types": list(specs)} if specs else given


def test_the_default_association_is_told_in_both_directions(ask, ada, alder):
    answer = ask.put(f"/crm/v4/objects/contacts/{ada.pk}/associations/default/companies/{alder.pk}")
    assert answer.status_code == 200 and answer.json()["status"] == "COMPLETE"
    there, back = answer.json()["results"]
    assert there == {"from": {"id": str(ada.pk)}, "to": {"id": str(alder.pk)}, "associationSpec": UNLABELED}
    assert back["associationSpec"]["associationTypeId"] == 280 and back["from"] == {"id": str(alder.pk)}
    assert words(ada, alder) == {"unlabeled", "Primary"}


def test_labels_take_the_place_of_those_before_and_primary_stays(ask, ada, alder):
    boss, friend = make_label("contact", "company", "Boss", "Minion"), make_label("contact", "company", "Friend")
    path = f"/crm/v4/objects/contact/{ada.pk}/associations/company/{alder.pk}"
    answer = ask.put(path, [spec(boss), spec(primary("contact", "company"))])
    assert answer.status_code == 201
    assert answer.json() == {
        "fromObjectTypeId": "0-1",
        "fromObjectId": str(ada.pk),
        "toObjectTypeId": "0-2",
        "toObjectId": str(alder.pk),
        "labels": ["Boss", "Primary"],
    }
    assert words(alder, ada) == {"unlabeled", "Primary", "Minion"}
    ask.put(path, [spec(friend), UNLABELED])
    assert words(ada, alder) == {"unlabeled", "Primary", "Friend"}
    ask.put(path, [UNLABELED])
    assert words(ada, alder) == {"unlabeled", "Primary", "Friend"}
    ask.put(path, [spec(friend), spec(boss)])
    assert words(ada, alder) == {"unlabeled", "Primary", "Friend", "Boss"}


def test_a_page_of_associations(ask, ada):
    companies = make_records("company", 5)
    associate_pairs([(ada, company) for company in companies])
    path = f"/crm/v4/objects/contacts/{ada.pk}/associations/companies"
    page = ask.get(path, limit=3).json()
    assert page["results"][0] == {
        "toObjectId": str(companies[0].pk),
        "associationTypes": [
            {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None},
            {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
        ],
    }
    assert [each["toObjectId"] for each in page["results"]] == [str(each.pk) for each in companies[:3]]
    assert page["paging"]["next"]["link"].startswith("http://testserver/crm/v4/objects/")
    rest = ask.get(page["paging"]["next"]["link"]).json()
    assert len(rest["results"]) == 2 and "paging" not in rest
    answer = ask.get(path, limit=501)
    assert answer.status_code == 400
    assert answer.json()["message"] == "You can only request at most 500 associations at once"
    assert ask.get(f"/crm/v4/objects/contacts/{ada.pk}/associations/deals").json() == {"results": []}
    assert ask.get("/crm/v4/objects/contacts/999/associations/deals").status_code == 404


def test_an_archived_record_is_not_on_the_page(ask, ada, alder):
    associate(ada, alder)
    ask.delete(f"/crm/v3/objects/companies/{alder.pk}")
    assert ask.get(f"/crm/v4/objects/contacts/{ada.pk}/associations/companies").json() == {"results": []}


def test_removing_an_association_twice_is_as_once(ask, ada, alder):
    associate(ada, alder)
    path = f"/crm/v4/objects/contacts/{ada.pk}/associations/companies/{alder.pk}"
    assert [ask.delete(path).status_code for _ in range(2)] == [204, 204]
    assert words(ada, alder) == set()


def test_a_batch_of_pairs_with_labels_of_their_own(ask, alder):
    first, second = make_records("contact", 2)
    boss, friend = make_label("contact", "company", "Boss"), make_label("contact", "company", "Friend")
    inputs = [pair(first, alder, spec(boss), spec(friend)), pair(second, alder, UNLABELED)]
    answer = ask.post(f"{V4}/batch/create", {"inputs": inputs})
    assert answer.status_code == 201
    assert [each["labels"] for each in answer.json()["results"]] == [["Boss", "Friend"], []]
    before = set(Association.objects.values_list("source", "type", "target"))
    assert ask.post(f"{V4}/batch/create", {"inputs": inputs}).status_code == 201
    assert set(Association.objects.values_list("source", "type", "target")) == before
    assert words(alder, first) == {"unlabeled", "Primary", "Boss", "Friend"}


def test_a_batch_with_one_pair_that_cannot_be_writes_nothing(ask, ada, alder):
    other = make_record("contact")
    for wrong in (
        {"from": {"id": "999"}, "to": {"id": str(alder.pk)}, "types": [UNLABELED]},
        pair(ada, other, UNLABELED),
        pair(ada, alder, UNLABELED | {"associationTypeId": 280}),
        pair(ada, alder, UNLABELED | {"associationTypeId": 12345}),
        pair(ada, alder, UNLABELED | {"associationTypeId": 2**70}),
        pair(ada, alder) | {"types": []},
        {"from": {"id": "abc"}, "to": {"id": "1"}, "types": [UNLABELED]},
    ):
        answer = ask.post(f"{V4}/batch/create", {"inputs": [pair(other, alder, UNLABELED), wrong]})
        assert answer.status_code == 400 and answer.json()["category"] == "VALIDATION_ERROR"
    assert not Association.objects.exists()
    answer = ask.post(f"{V4}/batch/associate/default", {"inputs": [pair(ada, other)]})
    assert answer.json()["context"]["INVALID_OBJECT_IDS"] == [f"COMPANY={other.pk} is not valid"]
    itself = ask.put(f"/crm/v4/objects/contacts/{ada.pk}/associations/default/contacts/{ada.pk}")
    assert itself.status_code == 400 and "with itself" in itself.json()["message"]


def test_a_limit_refuses_the_batch_and_names_itself(ask, ada):
    limit(unlabeled("contact", "company"), to=1)
    inputs = [pair(ada, company) for company in make_records("company", 2)]
    answer = ask.post(f"{V4}/batch/associate/default", {"inputs": inputs})
    assert answer.status_code == 400 and "at most 1 companies" in answer.json()["message"]
    assert not Association.objects.exists()


def test_reading_a_batch_tells_who_has_none(ask, ada, alder):
    lonely = make_record("contact")
    associate(ada, alder)
    answer = ask.post(f"{V4}/batch/read", {"inputs": [{"id": lonely.pk}, {"id": str(ada.pk)}]})
    assert answer.status_code == 207
    [result] = answer.json()["results"]
    assert result["from"] == {"id": str(ada.pk)} and result["to"][0]["toObjectId"] == str(alder.pk)
    [error] = answer.json()["errors"]
    assert error["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert error["message"] == f"No company is associated with contact {lonely.pk}."
    assert ask.post(f"{V4}/batch/read", {"inputs": [{"id": ada.pk}]}).status_code == 200
    body = {"inputs": [{"id": ada.pk, "after": str(alder.pk)}]}
    assert ask.post(f"{V4}/batch/read", body).json()["results"] == []


def test_labels_are_taken_off_and_the_unlabeled_type_takes_all(ask, ada, alder):
    boss, friend = make_label("contact", "company", "Boss"), make_label("contact", "company", "Friend")
    other = make_record("contact")
    associate_pairs([(ada, alder), (other, alder)], boss, friend)
    inputs = [pair(ada, alder, spec(boss)), pair(other, alder, spec(boss), UNLABELED)]
    assert ask.post(f"{V4}/batch/labels/archive", {"inputs": inputs}).status_code == 204
    assert words(ada, alder) == {"unlabeled", "Primary", "Friend"}
    assert words(other, alder) == set()
    archive = {"inputs": [{"from": {"id": ada.pk}, "to": [{"id": alder.pk}, {"id": "999"}]}]}
    assert ask.post(f"{V4}/batch/archive", archive).status_code == 204
    assert words(ada, alder) == set()


def test_the_most_of_each_batch(ask, ada, alder):
    for name, most in (("create", 2000), ("associate/default", 2000), ("read", 1000), ("archive", 2000)):
        one = {"id": "1"} if name == "read" else pair(ada, alder, UNLABELED)
        one = one | {"to": [{"id": "1"}]} if name == "archive" else one
        answer = ask.post(f"{V4}/batch/{name}", {"inputs": [one] * (most + 1)})
        assert answer.status_code == 400 and f"is {most:,}" in answer.json()["message"]


def test_two_thousand_associations_are_a_handful_of_queries(ask, alder):
    label = make_label("contact", "company", "Customer")
    contacts = make_records("contact", 1000)
    other = make_record("company")

    def queries(inputs: list) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ask.post(f"{V4}/batch/create", {"inputs": inputs}).status_code == 201
        return len(captured)

    few = queries([pair(contact, alder, spec(label)) for contact in contacts[:2]])
    many = queries([pair(contact, company, spec(label)) for contact in contacts for company in (alder, other)])
    # One more, where some are associated already; two for the savepoint in which as many rows are written plainly.
    assert many <= few + 3 and many < 60
    assert Association.objects.filter(type=label.type).count() == 2000
    with CaptureQueriesContext(connection) as captured:
        read = ask.post(f"{V4}/batch/read", {"inputs": [{"id": contact.pk} for contact in contacts]}).json()
    assert len(read["results"]) == 1000 and len(captured) < 10


# The older addresses ----------------------------------------------------------------------------


def test_associations_by_the_names_of_their_types(ask, ada, alder):
    v3 = "/crm/v3/associations/contacts/companies"
    names = {each["name"]: each["id"] for each in ask.get(f"{v3}/types").json()["results"]}
    assert names == {"contact_to_company_unlabeled": "279", "contact_to_company": "1"}
    given = {"from": {"id": ada.pk}, "to": {"id": alder.pk}, "type": "contact_to_company"}
    answer = ask.post(f"{v3}/batch/create", {"inputs": [given]})
    assert answer.status_code == 201 and answer.json()["results"][0]["type"] == "contact_to_company"
    read = ask.post(f"{v3}/batch/read", {"inputs": [{"id": ada.pk}, {"id": "999"}]})
    assert read.status_code == 207
    assert {each["type"] for each in read.json()["results"][0]["to"]} == set(names)
    listed = ask.get(f"/crm/v3/objects/contacts/{ada.pk}/associations/companies").json()["results"]
    assert {each["id"] for each in listed} == {str(alder.pk)}
    assert ask.post(f"{v3}/batch/archive", {"inputs": [given]}).status_code == 204
    assert words(ada, alder) == {"unlabeled"}
    one = f"/crm/v3/objects/contacts/{ada.pk}/associations/companies/{alder.pk}"
    assert ask.put(f"{one}/contact_to_company").json()["associations"]["companies"]["results"]
    assert ask.delete(f"{one}/279").status_code == 204
    assert words(ada, alder) == set()
    assert ask.put(f"{one}/nonsense").status_code == 400
