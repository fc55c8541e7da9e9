"""An option that a live workflow names stays, whichever door it would go by: else that workflow could not be read."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from associations.models import Property
from associations.services import schema
from tests.asking import Asking
from tests.associations.admin_pages import errors_on, sign_in, submit, url
from tests.concurrency import meanwhile, needs_two_writers
from tests.factories import make_label, make_property, object_type, unlabeled
from tests.workflows.making import Step, apply, create, is_, make_workflow, set_triggers
from workflows.models import EnrollmentTrigger, Workflow
from workflows.services import lifecycle

pytestmark = pytest.mark.django_db
OPTIONS = [{"value": each, "label": each.upper()} for each in ("gold", "silver", "tin")]


@pytest.fixture
def tier() -> Property:
    return make_property("company", "tier", type="enumeration", field_type="select", options=OPTIONS)


def without(prop: Property, *values: str) -> Property:
    return schema.update_property(prop, options=[each for each in OPTIONS if each["value"] not in values])


def step() -> Step:
    return create("contact", "name", "company")


def by_filter(fields: dict[str, Any], **more: Any) -> Workflow:
    workflow = make_workflow("company", step(), on=False)
    EnrollmentTrigger.objects.create(workflow=workflow, fields=fields, **more)
    return workflow


def in_a_filter() -> Workflow:
    return by_filter({"property": "tier", "operator": "is_none_of", "values": ["tin", "gold"]})


def in_what_is_kept_out() -> Workflow:
    return by_filter({"property": "tier", "operator": "is_equal_to", "value": "gold"}, purpose="suppress")


def in_an_event() -> Workflow:
    return by_filter({"event": "property_changed", "property": "tier", "values": ["gold"]}, kind="event")


def in_a_filter_of_others() -> Workflow:
    other = {"kind": "associated_property", "type_id": unlabeled("contact", "company").type_id}
    triggers = [[{**is_("tier", "gold"), **other}]]
    return make_workflow("contact", create("company", "company", "name"), triggers=triggers, on=False)


def in_an_action() -> Workflow:
    label = make_label("company", "contact", "Customer")
    action = apply(label, "enrolled_property", enrolled_property="tier", operator="is_equal_to", value="gold")
    return make_workflow("company", action, on=False)


PLACES = [in_a_filter, in_what_is_kept_out, in_an_event, in_a_filter_of_others, in_an_action]


@pytest.mark.parametrize("make", PLACES)
def test_an_option_that_a_live_workflow_names_does_not_go(make: Any, tier: Property) -> None:
    workflow = make()
    lifecycle.turn_on(workflow)
    with pytest.raises(ValidationError) as refused:
        without(tier, "gold")
    [reason] = refused.value.message_dict["options"]
    assert reason.startswith("Live workflows name an option that would go; change them, or turn them off, first: ")
    assert f"“{workflow}” (" in reason and "'gold'" in reason
    tier.refresh_from_db()
    assert tier.option_values == ["gold", "silver", "tin"]
    assert without(tier, "silver").option_values == ["gold", "tin"], "nobody names this one"


def test_what_is_off_or_names_it_no_longer_keeps_no_option(tier: Property) -> None:
    off, changed = in_a_filter(), in_a_filter()
    for workflow in (off, changed):
        lifecycle.turn_on(workflow)
    lifecycle.turn_off(off)
    set_triggers(changed, [[is_("tier", "silver")]])
    lifecycle.edited(changed)
    assert without(tier, "gold").option_values == ["silver", "tin"]
    with pytest.raises(ValidationError, match="'gold'"):
        lifecycle.turn_on(off)


def test_the_admin_says_so_at_the_options_and_the_api_at_the_field(tier: Property) -> None:
    workflow = in_a_filter()
    lifecycle.turn_on(workflow)
    left = "silver | SILVER\ntin | TIN"
    page = submit(sign_in(), url("property_change", tier.pk), "property_form", option_lines=left)
    assert f"“{workflow}”" in errors_on(page)["option_lines"][0]
    answer = Asking.with_token().patch("/crm/v3/properties/companies/tier", {"options": OPTIONS[1:]})
    assert answer.status_code == 400
    assert f"“{workflow}”" in answer.json()["message"]
    tier.refresh_from_db()
    assert tier.option_values == ["gold", "silver", "tin"]


@needs_two_writers
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_who_removes_an_option_waits_for_who_turns_on_what_names_it(tier: Property) -> None:
    workflow = in_a_filter()
    with meanwhile(partial(without, tier, "gold")) as other:
        lifecycle.turn_on(workflow)
    with pytest.raises(ValidationError, match=f"“{workflow}”"):
        other.result()


@needs_two_writers
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_who_turns_on_what_names_an_option_waits_for_who_removes_it(tier: Property) -> None:
    workflow = in_a_filter()
    with meanwhile(partial(lifecycle.turn_on, workflow)) as other:
        without(tier, "gold")
    with pytest.raises(ValidationError, match="'gold'"):
        other.result()
    assert not Workflow.objects.get(pk=workflow.pk).is_enabled
    assert object_type("company").properties.get(name="tier").option_values == ["silver", "tin"]
