"""The flows API: HubSpot's flows in and out, with its status codes; what is wrong is refused whole, with the place."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.asking import Asking
from tests.factories import make_label, make_record, make_records
from tests.workflows.flows.hubspot import DELAY, EMAIL, all_of, any_of, apply, create, flow, list_based
from tests.workflows.making import work_off
from workflows.models import Enrollment, Run, Workflow

pytestmark = pytest.mark.django_db
FLOWS = "/automation/v4/flows"


def made(ask, *actions, **more):
    answer = ask.post(FLOWS, flow(*actions, **more))
    assert answer.status_code == 201, answer.json()
    return answer.json()


def test_a_flow_is_created_read_listed_replaced_and_deleted(ask):
    label = make_label("contact", "company", "Local")
    sent = flow(
        create(), apply(label), description="What for", enrollmentCriteria=list_based(all_of(any_of("city", "a")))
    )
    answer = ask.post(FLOWS, sent)
    assert answer.status_code == 201
    body = answer.json()
    assert body.items() >= sent.items()
    assert body["revisionId"] == "1" and body["crmObjectCreationStatus"] == "COMPLETE"
    assert body["nextAvailableActionId"] == "3" and body["createdAt"].endswith("Z")
    assert (body["timeWindows"], body["blockedDates"], body["customProperties"], body["dataSources"]) == (
        [],
        [],
        {},
        [],
    )
    one = f"{FLOWS}/{body['id']}"
    assert ask.get(one).json() == body
    [listed] = ask.get(FLOWS).json()["results"]
    assert listed == {name: body[name] for name in listed}
    assert {"id", "isEnabled", "flowType", "name", "objectTypeId", "revisionId", "createdAt", "updatedAt"} == set(
        listed
    )
    replaced = ask.put(one, {**body, "name": "Renamed", "actions": sent["actions"][1:], "startActionId": "2"})
    assert replaced.status_code == 200 and replaced.json()["name"] == "Renamed"
    assert replaced.json()["revisionId"] == "2" and len(replaced.json()["actions"]) == 1
    assert ask.delete(one).status_code == 204
    assert ask.get(one).status_code == 404 and ask.get(FLOWS).json()["results"] == []


@pytest.mark.parametrize("prefix", ["/automation/2026-09-beta/flows", "/automation/2026-03/flows"])
def test_the_same_by_date(ask, prefix):
    body = made(ask, create())
    assert ask.get(f"{prefix}/{body['id']}").json() == body
    assert ask.get(f"{prefix}/{body['id']}/revisions/1").json() == body


def test_pages(ask):
    ids = [made(ask, name=f"Flow {number}")["id"] for number in range(3)]
    first = ask.get(FLOWS, limit=2).json()
    assert [each["id"] for each in first["results"]] == ids[:2]
    second = ask.get(first["paging"]["next"]["link"]).json()
    assert [each["id"] for each in second["results"]] == ids[2:] and "paging" not in second


def test_batch_read(ask):
    ids = [made(ask, create(), EMAIL, name=f"Flow {number}")["id"] for number in range(3)]
    inputs = [{"flowId": id_, "type": "FLOW_ID"} for id_ in ids[::-1]]
    answer = ask.post(f"{FLOWS}/batch/read", {"inputs": inputs})
    assert answer.status_code == 200 and [each["id"] for each in answer.json()["results"]] == ids[::-1]
    assert answer.json()["status"] == "COMPLETE"
    answer = ask.post(f"{FLOWS}/batch/read", {"inputs": [*inputs, {"flowId": "999", "type": "FLOW_ID"}]})
    assert answer.status_code == 207 and len(answer.json()["results"]) == 3
    assert answer.json()["numErrors"] == 1 and answer.json()["errors"][0]["context"] == {"flowId": ["999"]}


def test_queries_do_not_grow_with_the_flows(ask):
    label = make_label("contact", "company", "Local")

    def queries(count):
        inputs = [{"flowId": each["id"]} for each in ask.get(FLOWS).json()["results"][:count]]
        with CaptureQueriesContext(
            connection,
        ) as counted:
            assert len(ask.post(f"{FLOWS}/batch/read", {"inputs": inputs}).json()["results"]) == count
        return len(counted)

    for number in range(6):
        criteria = list_based(*(all_of(any_of("city", str(each))) for each in range(number + 1)))
        made(ask, create(), apply(label), EMAIL, name=f"Flow {number}", enrollmentCriteria=criteria)
    assert queries(1) == queries(6)
    with CaptureQueriesContext(connection) as few:
        made(ask, create(), name="Few")
    with CaptureQueriesContext(connection) as many:
        actions = [apply(label) for _ in range(40)]
        criteria = list_based(*(all_of(any_of("city", str(each))) for each in range(60)))
        made(ask, *actions, name="Many", enrollmentCriteria=criteria)
    assert len(many) <= len(few) + 1  # the triggers


def test_what_is_null_is_not_there(ask):
    body = made(ask, create(), timeWindows=None, enrollmentCriteria=None, suppressionFilterBranch=None, name=None)
    assert body["timeWindows"] == [] and body["name"].startswith("Unnamed workflow")
    assert ask.post(FLOWS, {**flow(name="Null"), "actions": None}).json()["actions"] == []


# On and off -------------------------------------------------------------------------------------


def test_what_hubspot_has_and_this_product_has_not_is_kept_while_off_and_named_when_turned_on(ask):
    body = made(ask, DELAY, create(), EMAIL)
    assert [each["in"] for each in body["cannotRun"]] == ["actions[0]", "actions[2]"]
    on = ask.put(f"{FLOWS}/{body['id']}", {**body, "isEnabled": True})
    assert on.status_code == 400 and on.json()["category"] == "VALIDATION_ERROR"
    assert "Action 1, Delay (0-1)" in on.json()["message"]
    assert "Action 3, Send a marketing email (0-4)" in on.json()["message"]
    assert ask.get(f"{FLOWS}/{body['id']}").json() == body
    assert ask.post(f"{FLOWS}/{body['id']}/turn-on", {}).status_code == 400
    assert ask.post(FLOWS, flow(EMAIL, isEnabled=True, name="Other")).status_code == 400
    assert ask.post(FLOWS, flow(isEnabled=True, name="Other")).status_code == 400
    assert Workflow.objects.count() == 1


@pytest.mark.parametrize("enroll", [False, True])
def test_those_who_meet_the_triggers_now_enroll_only_if_it_says_so(ask, enroll):
    make_records("contact", [{"email": f"{number}@example.com", "city": "a", "company": "X"} for number in range(3)])
    company = make_record("company", name="x")
    more = {"enrollExistingRecords": True} if enroll else {}
    criteria = list_based(all_of(any_of("city", "a")))
    body = made(ask, create(), isEnabled=True, enrollmentCriteria=criteria, **more)
    assert body["isEnabled"] is True and "enrollExistingRecords" not in body and "cannotRun" not in body
    work_off()
    assert Enrollment.objects.count() == (3 if enroll else 0)
    if enroll:
        [run] = ask.get(f"{FLOWS}/{body['id']}/runs").json()["results"]
        assert (run["cause"], run["state"], run["progress"]["percent"]) == ("TURNED_ON", "FINISHED", 100)
        assert run["outcomes"] == [{"outcome": "CREATED", "records": 3, "pairs": 3}]
        assert company.association_ends.filter(type_id=280).count() == 3


def test_a_live_flow_is_replaced_by_what_runs_from_then_on_or_not_at_all(ask):
    body = made(ask, create(), isEnabled=True)
    one = f"{FLOWS}/{body['id']}"
    refused = ask.put(one, {**body, "actions": [*body["actions"], {**EMAIL, "actionId": "9"}]})
    assert refused.status_code == 400
    assert ask.get(one).json() == body
    changed = flow(create("city", "city"), isEnabled=True, revisionId=body["revisionId"])
    answer = ask.put(one, changed)
    assert answer.status_code == 200 and answer.json()["isEnabled"] is True
    revisions = ask.get(f"{one}/revisions").json()["results"]
    assert [each["number"] for each in revisions] == [2, 1] and revisions[0]["isCurrent"]
    assert revisions[0]["revisionId"] == answer.json()["revisionId"]
    first = ask.get(f"{one}/revisions/{revisions[1]['revisionId']}").json()
    assert first["actions"][0]["fields"]["enrolledObjectPropertyNameToMatch"] == "0-1/company"
    off = ask.put(one, {**answer.json(), "isEnabled": False, "actions": []})
    assert off.status_code == 200 and off.json()["isEnabled"] is False


def test_a_stale_revision_is_refused(ask):
    body = made(ask, create())
    one = f"{FLOWS}/{body['id']}"
    assert ask.put(one, {**body, "name": "First"}).status_code == 200
    answer = ask.put(one, {**body, "name": "Second"})
    assert answer.status_code == 409 and answer.json()["category"] == "CONFLICT"
    assert "revisionId 2" in answer.json()["message"]
    assert ask.get(one).json()["name"] == "First"


def test_a_flow_with_a_history_is_deleted_and_its_name_is_free(ask):
    body = made(ask, create(), isEnabled=True)
    contact = make_record("contact", email="a@example.com")
    assert ask.post(f"{FLOWS}/{body['id']}/enroll", {"inputs": [{"id": contact.pk}]}).status_code == 201
    assert ask.delete(f"{FLOWS}/{body['id']}").status_code == 204
    work_off()
    assert Run.objects.get().workflow.name == f"A flow (deleted, {body['id']})"
    assert ask.get(f"/automation/v4/runs/{Run.objects.get().pk}").json()["outcomes"][0]["outcome"] == "WORKFLOW_OFF"
    assert ask.post(FLOWS, flow()).status_code == 201
    assert ask.post(f"{FLOWS}/{body['id']}/turn-on", {}).status_code == 404


# What is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"type": "FLOW"}, "type"),
        ({"type": None}, "type"),
        ({"type": "PLATFORM_FLOW", "objectTypeId": None}, "objectTypeId"),
        ({"objectTypeId": "0-2"}, "type"),
        ({"objectTypeId": "0-99", "type": "PLATFORM_FLOW"}, "objectTypeId"),
        ({"name": 7}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"isEnabled": "perhaps"}, "isEnabled"),
        ({"actions": {}}, "actions"),
        ({"enrollmentCriteria": []}, "enrollmentCriteria"),
        ({"enrollmentSchedule": {"type": "DAILY"}}, "enrollmentSchedule.timeOfDay"),
        ({"timeWindows": "x"}, "timeWindows"),
        ({"flowType": [None]}, "flowType"),
        ({"flowType": "DANCE"}, "flowType"),
        ({"startActionId": {}}, "startActionId"),
        ({"uuid": 1}, "uuid"),
        ({"goalFilterBranch": 7}, "goalFilterBranch"),
    ],
)
def test_a_flow_that_is_none_is_refused_with_the_place(ask, change, place):
    answer = ask.post(FLOWS, {**flow(create()), **change})
    assert answer.status_code == 400, answer.json()
    assert answer.json()["errors"][0]["in"] == place
    assert Workflow.objects.count() == 0


def test_other_refusals(ask):
    body = made(ask, create())
    one = f"{FLOWS}/{body['id']}"
    assert ask.post(FLOWS, flow()).status_code == 409  # the name
    assert ask.post(FLOWS, []).status_code == 400 and ask.raw(FLOWS, b"").status_code == 400
    assert ask.get(f"{FLOWS}/0").status_code == ask.get(f"{FLOWS}/x").status_code == 404
    assert ask.get(f"{FLOWS}/{body['id']}/revisions/77").status_code == 404
    for without in ("revisionId", "actions", "type"):
        refused = ask.put(one, {name: value for name, value in body.items() if name != without})
        assert refused.status_code == 400 and refused.json()["errors"][0]["in"] == without
    assert ask.put(one, {**body, "objectTypeId": "0-2"}).status_code == 400
    assert ask.get(one).json() == body


# Who may ----------------------------------------------------------------------------------------


def test_a_token_needs_the_scope_of_automation():
    ask = Asking.with_token("crm.objects.contacts.read", "crm.objects.contacts.write")
    answer = ask.get(FLOWS)
    assert answer.status_code == 403 and answer.json()["category"] == "MISSING_SCOPES"
    assert ask.post(FLOWS, flow()).status_code == 403
    assert Asking.with_token("automation").post(FLOWS, flow()).status_code == 201


def person(*permissions):
    user = User.objects.create_user("person", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = APIClient()
    client.force_authenticate(user)
    return Asking(client)


@pytest.mark.parametrize(
    ("permissions", "more", "status"),
    [
        (["view_workflow"], {}, 403),
        (["add_workflow"], {}, 201),
        (["add_workflow"], {"isEnabled": True}, 403),
        (["add_workflow", "enable_workflow"], {"isEnabled": True}, 201),
        (["add_workflow", "enable_workflow"], {"isEnabled": True, "enrollExistingRecords": True}, 403),
        (["add_workflow", "enable_workflow", "run_workflow"], {"isEnabled": True, "enrollExistingRecords": True}, 201),
    ],
)
def test_a_person_needs_the_permissions_of_what_the_flow_says(permissions, more, status):
    assert person(*permissions).post(FLOWS, flow(create(), **more)).status_code == status
    assert Workflow.objects.count() == (status == 201)


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("get", "", "view_workflow"),
        ("put", "", "change_workflow"),
        ("delete", "", "delete_workflow"),
        ("post", "/turn-on", "enable_workflow"),
        ("post", "/turn-off", "enable_workflow"),
        ("post", "/enroll", "run_workflow"),
        ("post", "/unenroll", "run_workflow"),
        ("get", "/runs", "view_run"),
        ("get", "/revisions", "view_workflow"),
    ],
)
def test_each_door_asks_for_its_permission(method, path, permission):
    body = made(Asking.with_token(), create())
    others = {"view_workflow", "change_workflow", "enable_workflow", "view_run", "run_workflow"}
    asking = person(*(others - {permission}))
    given = {} if method in ("get", "delete") else {"body": body}
    assert getattr(asking, method)(f"{FLOWS}/{body['id']}{path}", **given).status_code == 403
    User.objects.all().delete()
    assert getattr(person(permission), method)(f"{FLOWS}/{body['id']}{path}", **given).status_code != 403


def test_what_little_there_is_of_the_rest(ask):
    body = made(ask, create())
    assert ask.get(f"{FLOWS}/email-campaigns").json() == {"results": []}
    inputs = [{"flowId": body["id"], "type": "FLOW_ID"}, {"workflowId": "99", "type": "WORKFLOW_ID"}]
    mapped = ask.post("/automation/v4/workflow-id-mappings/batch/read", {"inputs": inputs})
    assert mapped.status_code == 207
    assert mapped.json()["results"] == [{"flowId": int(body["id"]), "workflowId": int(body["id"])}]
    types = {each["actionTypeId"] for each in ask.get("/automation/v4/action-types").json()["results"]}
    assert types == {"0-63189541", "0-73444249", "0-61139484", "0-61139476"}
