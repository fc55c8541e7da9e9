"""The associations API: labels and limits; both families of addresses."""

import pytest

from associations.models import AssociationType
from tests.asking import Asking
from tests.factories import (
    associate,
    make_label,
    make_record,
)

pytestmark = pytest.mark.django_db
V4 = "/crm/v4/associations/contacts/companies"
UNLABELED = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}


@pytest.mark.parametrize("family", ["/crm/v4/associations", "/crm/associations/v4", "/crm/associations/2026-03"])
def test_labels_are_defined(ask, family):
    path = f"{family}/contacts/companies/labels"
    answer = ask.post(path, {"label": "Manager", "name": "manager", "inverseLabel": "Report"})
    assert answer.status_code == 200
    there, back = answer.json()["results"]
    assert (there["label"], back["label"]) == ("Manager", "Report") and there["typeId"] != back["typeId"]
    assert there["category"] == "USER_DEFINED"
    listed = ask.get(path).json()["results"]
    assert [(each["typeId"], each["label"]) for each in listed] == [
        (279, None),
        (1, "Primary"),
        (there["typeId"], "Manager"),
    ]
    change = {"associationTypeId": there["typeId"], "label": "Boss"}
    assert ask.put(path, change).status_code == 204
    type_ = AssociationType.objects.get(name="manager")
    assert (type_.label, type_.inverse_label) == ("Boss", "Report")
    assert ask.delete(f"{path}/{there['typeId']}").status_code == 204
    assert ask.delete(f"{path}/{there['typeId']}").status_code == 404
    assert ask.delete(f"{path}/279").status_code == 400
    assert ask.post(path, {"label": "", "name": "x"}).status_code == 400


def test_a_label_in_use_says_where(ask, ada, alder):
    label = make_label("contact", "company", "Boss")
    associate(ada, alder, label)
    answer = ask.delete(f"{V4}/labels/{label.type_id}")
    assert answer.status_code == 400 and "on 1 associations" in answer.json()["message"]


def test_limits_are_set_per_direction(ask, ada, alder):
    path = "/crm/associations/v4/definitions/configurations"
    config = {"category": "HUBSPOT_DEFINED", "typeId": 280}
    answer = ask.post(f"{path}/companies/contacts/batch/create", {"inputs": [config | {"maxToObjectIds": 2}]})
    assert answer.status_code == 201
    assert answer.json()["results"] == [config | {"label": None, "userEnforcedMaxToObjectIds": 2}]
    answer = ask.post(f"{path}/companies/contacts/batch/update", {"inputs": [config | {"maxToObjectIds": 1}]})
    assert answer.status_code == 200 and answer.json()["results"][0]["userEnforcedMaxToObjectIds"] == 1
    assert ask.get(f"{path}/all").json() == ask.get(f"{path}/company/contact").json()
    associate(ada, alder)
    other = make_record("contact")
    path_of_other = f"/crm/v4/objects/contacts/{other.pk}/associations/default/companies/{alder.pk}"
    assert ask.put(path_of_other).status_code == 400
    answer = ask.post(f"{path}/companies/contacts/batch/update", {"inputs": [config | {"maxToObjectIds": 10_001}]})
    assert answer.status_code == 400
    used = ask.get("/crm/v3/limits/associations/records/0-2/0-1").json()
    assert (used["limit"], used["totalRecordsAtLimit"]) == (1, 1)
    assert [each["objectTypeId"] for each in ask.get("/crm/v3/limits/associations/records/from").json()["results"]] == [
        "0-2"
    ]
    near = ask.get("/crm/v3/limits/associations/records/0-2/to").json()["results"]
    assert [(each["objectTypeId"], each["hasRecordsAtLimit"]) for each in near] == [("0-1", True)]
    assert ask.post(f"{path}/companies/contacts/batch/purge", {"inputs": [config]}).status_code == 204
    assert ask.get(f"{path}/all").json() == {"results": []}


def test_label_limits_and_the_report(ask, admin_user):
    make_label("contact", "company", "Boss")
    query = {"fromObjectTypeId": "0-1", "toObjectTypeId": "0-2"}
    [found] = ask.get("/crm/v3/limits/associations/labels", **query).json()["results"]
    assert found["allLabels"] == ["Primary", "Boss"] and (found["usage"], found["limit"]) == (2, 50)
    answer = ask.post(f"/crm/v4/associations/usage/high-usage-report/{admin_user.pk}")
    assert answer.status_code == 200 and answer.json()["enqueueTime"].endswith("Z")


def test_a_scope_of_either_type_will_do(ada, alder):
    path = f"/crm/v4/objects/contacts/{ada.pk}/associations/default/companies/{alder.pk}"
    assert Asking.with_token("crm.objects.deals.write").put(path).status_code == 403
    assert Asking.with_token("crm.objects.companies.read").put(path).status_code == 403
    assert Asking.with_token("crm.objects.companies.write").put(path).status_code == 200
