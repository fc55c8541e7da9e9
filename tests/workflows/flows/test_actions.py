"""The actions of a flow: HubSpot's ids and fields mean our actions; what is not ours is kept in its place."""

import pytest

from tests.factories import make_label, make_object_type, object_type
from workflows.flows import InvalidFlow, read_flow
from workflows.models import Workflow
from workflows.services import flows

from . import hubspot
from .hubspot import DELAY, EMAIL, action, apply, create, flow, remove, update

pytestmark = pytest.mark.django_db


def rows(*actions, **more):
    return read_flow(flow(*actions, **more), object_type("contact")).definition["actions"]


def fields(given):
    [row] = rows(given)
    return row["fields"]


def test_create_without_a_label():
    assert rows(create("company", "name")) == [
        {
            "kind": "create_associations",
            "fields": {"to_object_type": "0-2", "enrolled_property": "company", "associated_property": "name"},
        }
    ]


def test_create_with_a_label_and_all_that_is_beyond_hubspot():
    label = make_label("contact", "company", "Employer", "Employee")
    own = {"comparison": "EXACT", "whenSeveralMatch": "OLDEST", "maxPerRecord": "7", "keepInSync": "true"}
    assert fields(create(labelToApply=str(label.type_id), **own)) == {
        "to_object_type": "0-2",
        "label": str(label.type_id),
        "enrolled_property": "company",
        "associated_property": "name",
        "comparison": "exact",
        "several": "oldest",
        "cap": 7,
        "keep_in_sync": True,
    }


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({}, {}),
        ({"applyTo": "ALL"}, {"apply_to": "all"}),
        (
            {
                "applyTo": "MATCHING_PROPERTY",
                "enrolledObjectPropertyNameToMatch": "0-1/city",
                "associatedObjectPropertyNameToMatch": "0-2/city",
            },
            {"apply_to": "matching_property", "enrolled_property": "city", "associated_property": "city"},
        ),
        (
            {
                "applyTo": "ENROLLED_PROPERTY",
                "enrolledObjectPropertyName": "0-1/city",
                "operator": "IS_EQUAL_TO",
                "value": "Berlin",
            },
            {
                "apply_to": "enrolled_property",
                "enrolled_property": "city",
                "operator": "is_equal_to",
                "value": "Berlin",
            },
        ),
        (
            {
                "applyTo": "ASSOCIATED_PROPERTY",
                "associatedObjectPropertyName": "0-2/numberofemployees",
                "operator": "IS_NOT_EQUAL_TO",
                "value": 5,
                "orNoValue": "true",
            },
            {
                "apply_to": "associated_property",
                "associated_property": "numberofemployees",
                "operator": "is_not_equal_to",
                "value": "5",
                "or_no_value": True,
            },
        ),
    ],
)
def test_apply_to_all_or_to_some(given, meant):
    label = make_label("contact", "company", "Local")
    assert fields(apply(label, **given)) == {"to_object_type": "0-2", "label": str(label.type_id), **meant}


def test_update_and_remove():
    old, new = make_label("contact", "company", "Old"), make_label("contact", "company", "New")
    one, other = rows(update(old, new, "REPLACE"), remove(old, new, associations="true"))
    assert one["fields"] == {
        "to_object_type": "0-2",
        "existing_label": str(old.type_id),
        "mode": "replace",
        "new_label": str(new.type_id),
    }
    ids = [str(old.type_id), str(new.type_id)]
    assert other["fields"] == {"to_object_type": "0-2", "labels": ids, "remove_associations": True}


def test_numbers_flags_and_wrapped_values_do_as_well():
    label = make_label("contact", "company", "Local")
    given = remove(label)
    given["fields"] |= {"labelsToRemove": [label.type_id], "removeAssociations": True}
    given["fields"]["toObjectType"] = {"type": "STATIC_VALUE", "staticValue": "0-2"}
    assert fields(given) == {"to_object_type": "0-2", "labels": [str(label.type_id)], "remove_associations": True}


def test_an_action_may_be_unfinished():
    """[H] saved unconfigured while the flow is off."""
    assert fields(action("0-63189541", 6)) == {}
    assert fields(action("0-73444249", toObjectType="0-2")) == {"to_object_type": "0-2"}


@pytest.mark.parametrize(
    ("given", "place", "reason"),
    [
        (apply("99999"), "labelToApply", "99999 is no label from contact to company"),
        (apply("279"), "labelToApply", "no label"),
        (create(fromObjectType="0-2"), "fromObjectType", "should be 0-1"),
        (
            create(toObjectType="0-99", associatedObjectPropertyNameToMatch="name"),
            "toObjectType",
            "no object type 0-99",
        ),
        (create(own="nothing"), "enrolledObjectPropertyNameToMatch", "nothing"),
        (create(theirs="numberofemployees"), "associatedObjectPropertyNameToMatch", "numberofemployees"),
        (
            create(enrolledObjectPropertyNameToMatch="0-2/name"),
            "enrolledObjectPropertyNameToMatch",
            "a property of 0-1",
        ),
        (create(labelToApply=[]), "createAssociationOnly", None),
        (create(createAssociationOnly="true", labelToApply="1"), "createAssociationOnly", "leave one of them out"),
        (create(createAssociationOnly="maybe"), "createAssociationOnly", "true"),
        (create(maxPerRecord="0"), "maxPerRecord", "1"),
        (create(comparison="FUZZY"), "comparison", "fuzzy"),
        (apply("1", applyTo="SOME"), "applyTo", "some"),
        (apply("1", enrolledObjectPropertyName="0-1/city"), "enrolledObjectPropertyName", "decides nothing"),
        (apply(["1", "2"]), "labelToApply", "a list"),
    ],
)
def test_what_is_wrong_in_our_own_actions_is_refused_with_its_place(given, place, reason):
    if reason is None:  # false, and no label: unfinished in a way that only HubSpot's form can say
        assert fields(given)["reason"]
        return
    with pytest.raises(InvalidFlow) as refused:
        rows(EMAIL, given)
    [problem] = refused.value.problems
    assert problem.place == f"actions[1].fields.{place}"
    assert reason in problem.reason


def test_every_mistake_is_told_at_once():
    with pytest.raises(InvalidFlow) as refused:
        rows(apply("99998"), apply("99999"))
    assert [each.place for each in refused.value.problems] == [f"actions[{n}].fields.labelToApply" for n in (0, 1)]


# What is not ours -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (EMAIL, "Send a marketing email (0-4)"),
        (DELAY, "Delay (0-1)"),
        (action("1-179507819", message="hi"), "Action 1-179507819"),
        ({"type": "WEBHOOK", "method": "POST", "webhookUrl": "https://example.com"}, "Send a webhook (WEBHOOK)"),
        (create(matchBy="email"), "Create associations (0-63189541)"),
        (create(labelToAply="1"), "Create associations (0-63189541)"),
        (apply({"type": "OBJECT_PROPERTY", "propertyName": "x"}), "Apply label (0-73444249)"),
    ],
)
def test_another_action_is_kept_as_it_is(given, title):
    first, second = rows(given, create())
    assert first["kind"] == "unsupported" and first["fields"]["title"] == title
    assert first["fields"]["flow"] == [hubspot.link(given, 1, 2)]
    assert second["kind"] == "create_associations"


def test_from_a_branch_on_all_is_one_part_that_cannot_run():
    label = make_label("contact", "company", "Local")
    branch = {
        "type": "LIST_BRANCH",
        "listBranches": [{"branchName": "a", "connection": {"edgeType": "STANDARD", "nextActionId": "3"}}],
        "defaultBranch": {"edgeType": "STANDARD", "nextActionId": "4"},
    }
    given = flow(create(), branch, remove(label), apply(label))
    for each in given["actions"][1:]:
        each.pop("connection", None)
    first, rest = read_flow(given, object_type("contact")).definition["actions"]
    assert first["kind"] == "create_associations"
    assert rest["fields"]["title"] == "Branch by filters (LIST_BRANCH) and 2 more"
    assert rest["fields"]["flow"] == given["actions"][1:]


def test_the_order_is_that_of_the_connections():
    given = flow(create(), EMAIL)
    given["actions"].reverse()
    assert [row["kind"] for row in read_flow(given, object_type("contact")).definition["actions"]] == [
        "create_associations",
        "unsupported",
    ]
    del given["startActionId"]
    assert read_flow(given, object_type("contact")).definition["actions"][0]["kind"] == "create_associations"


def test_an_action_that_nothing_leads_to_cannot_run():
    given = flow(create(), create("city", "city"))
    del given["actions"][0]["connection"]
    _, lost = read_flow(given, object_type("contact")).definition["actions"]
    assert lost["kind"] == "unsupported" and "No action leads to this one" in lost["fields"]["reason"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda a: a[1].update(actionId="1"), "actions[1].actionId"),
        (lambda a: a[0].pop("actionId"), "actions[0].actionId"),
        (lambda a: a[0]["connection"].update(nextActionId="9"), "actions[0].connection.nextActionId"),
        (lambda a: a[1].update(connection={"nextActionId": "1"}), "actions[1].connection.nextActionId"),
        (lambda a: a[0].update(connection="2"), "actions[0].connection"),
        (lambda a: a[0].update(type="LOOP"), "actions[0].type"),
        (lambda a: a[0].update(fields="none"), "actions[0].fields"),
        (lambda a: a[0].pop("actionTypeId"), "actions[0].actionTypeId"),
        (lambda a: a.append("3"), "actions[2]"),
    ],
)
def test_what_is_no_graph_is_refused_with_its_place(change, place):
    given = flow(create(), create("city", "city"))
    change(given["actions"])
    with pytest.raises(InvalidFlow) as refused:
        read_flow(given, object_type("contact"))
    assert [each.place for each in refused.value.problems] == [place]


def test_a_start_that_is_none():
    with pytest.raises(InvalidFlow, match="startActionId: there is no action 7"):
        read_flow({**flow(create()), "startActionId": "7"}, object_type("contact"))


def test_from_another_account_wrong_labels_are_kept_and_told():
    workflow = flows.create_flow(flow(apply("44")), lenient=True)
    [given] = flows.flows_of([workflow])
    assert given["actions"][0]["fields"]["labelToApply"] == "44"
    assert "44 is no label from contact to company" in given["cannotRun"][0]["message"]


# Edited here ------------------------------------------------------------------------------------


def test_an_action_added_here_is_put_behind_those_that_were_sent():
    from workflows.services import editing, lifecycle

    workflow = flows.create_flow(flow({**EMAIL, "actionId": "17", "note": "x"}, create()) | {"startActionId": "17"})
    label = make_label("contact", "company", "Local")
    definition = lifecycle.definition_json(workflow)
    added = {"kind": "remove_labels", "fields": {"to_object_type": "0-2", "labels": [str(label.type_id)]}}
    definition["actions"].append(added)
    editing.save_workflow(workflow, definition, name=workflow.name, description="")
    [given] = flows.flows_of([Workflow.objects.get()])
    email, created, removed = given["actions"]
    assert (email["actionId"], email["note"], email["connection"]["nextActionId"]) == ("17", "x", created["actionId"])
    assert created["fields"] == create()["fields"] and created["connection"]["nextActionId"] == removed["actionId"]
    assert removed == {**remove(label), "actionId": "18"}
    assert given["startActionId"] == "17" and given["nextAvailableActionId"] == "19"


def test_an_own_object_type_has_fields_of_its_own_id():
    pet = make_object_type("pet")
    given = create(own="name", fromObjectType=pet.type_id, enrolledObjectPropertyNameToMatch=f"{pet.type_id}/name")
    [row] = read_flow(flow(given, type_id=pet.type_id), pet).definition["actions"]
    assert row["fields"]["enrolled_property"] == "name"
