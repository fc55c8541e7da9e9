"""What cannot be an action is refused with the field and the reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from associations.types import DirectedType
from tests.factories import make_label, make_object_type, make_property, object_type, primary, unlabeled
from tests.workflows.making import Step, apply, create, remove, update
from workflows.actions import ACTIONS

pytestmark = pytest.mark.django_db
CREATE = ("company", "city", "city")


def refusal(step: Step, type_name: str = "contact") -> dict[str, str]:
    """The reasons by field."""
    kind, fields = step
    with pytest.raises(ValidationError) as refused:
        ACTIONS[kind].read(fields, object_type(type_name))
    return {field: " ".join(reasons) for field, reasons in refused.value.message_dict.items()}


def changed(step: Step, **fields: Any) -> Step:
    """The step with some fields set, or (None) left out."""
    merged = {**step[1], **fields}
    return step[0], {name: value for name, value in merged.items() if value is not None}


def partner() -> DirectedType:
    return make_label("contact", "company", "Partner")


def all_steps() -> list[Step]:
    first, second = make_label("contact", "company", "First"), make_label("contact", "company", "Second")
    return [create(*CREATE), apply(first), update(first, second), remove(first)]


# Every action -----------------------------------------------------------------------------------


def test_the_associated_object_must_be_named() -> None:
    for step in all_steps():
        assert refusal(changed(step, to_object_type=None))["to_object_type"] == "This field is required."


def test_the_associated_object_must_exist() -> None:
    for step in all_steps():
        assert "not one of the available choices" in refusal(changed(step, to_object_type="2-99"))["to_object_type"]


def test_unknown_fields_are_refused_by_name() -> None:
    for step in all_steps():
        refused = refusal(changed(step, lable="279"))
        assert list(refused) == ["lable"]
        assert "no field 'lable'" in refused["lable"]


@pytest.mark.parametrize("fields", [None, [], "company", 5])
def test_what_is_no_object_of_fields_is_refused(fields: Any) -> None:
    for kind in ACTIONS:
        with pytest.raises(ValidationError):
            ACTIONS[kind].read(fields, object_type("contact"))


def test_every_required_field_is_named_at_once() -> None:
    to_company = {"to_object_type": "0-2"}
    make_label("contact", "company", "Partner")
    assert set(refusal(("create_associations", to_company))) == {"enrolled_property", "associated_property"}
    assert set(refusal(("apply_label", to_company))) == {"label"}
    assert set(refusal(("update_labels", to_company))) == {"existing_label", "new_label"}
    assert set(refusal(("remove_labels", to_company))) == {"labels"}


def test_a_label_of_another_pair_is_refused() -> None:
    label, foreign = partner(), make_label("contact", "deal", "Payer")
    id_ = str(foreign.type_id)
    for step, field, value in [
        (create(*CREATE), "label", id_),
        (apply(label), "label", id_),
        (update(label, label), "existing_label", id_),
        (update(label, label), "new_label", id_),
        (remove(label), "labels", [id_]),
    ]:
        assert "not one of the available choices" in refusal(changed(step, **{field: value}))[field]


def test_the_other_direction_of_a_label_is_not_the_enrolled_records() -> None:
    label = make_label("contact", "company", "Employer", "Employee")
    step = changed(apply(label), label=str(label.reverse.type_id))
    assert "not one of the available choices" in refusal(step)["label"]


def test_the_unlabeled_type_is_no_label() -> None:
    label, plain = partner(), unlabeled("contact", "company")
    assert "label" in refusal(create(*CREATE, label=plain))
    assert "label" in refusal(apply(plain))
    assert "new_label" in refusal(update(label, plain))
    assert "labels" in refusal(remove(label, plain))


def test_only_types_with_labels_are_offered_where_a_label_is_needed() -> None:
    make_object_type("pet")
    partner()
    own, pet = object_type("contact"), object_type("pet").type_id
    for kind, action in ACTIONS.items():
        chosen: Any = action.form(None, object_type=own).fields["to_object_type"]
        offered = {value for value, _ in chosen.choices}
        assert "0-2" in offered
        assert (pet in offered) is (kind == "create_associations")
    label = make_label("contact", "pet", "Owner")
    assert ACTIONS["apply_label"].read(apply(label)[1], own).label == label


# Create -----------------------------------------------------------------------------------------

TYPES = [
    ("string", "html"),
    ("number", "number"),
    ("date", "date"),
    ("datetime", "date"),
    ("enumeration", "select"),
    ("enumeration", "radio"),
    ("enumeration", "checkbox"),
    ("bool", "booleancheckbox"),
]


@pytest.mark.parametrize(("type_", "field_type"), TYPES)
def test_create_matches_on_text_and_phone_numbers_only(type_: str, field_type: str) -> None:
    options = [{"value": "a", "label": "A"}] if type_ == "enumeration" else []
    for name in ("contact", "company"):
        make_property(name, "other", type=type_, field_type=field_type, options=options)
    assert "not one of the available choices" in refusal(create("company", "other", "city"))["enrolled_property"]
    assert "not one of the available choices" in refusal(create("company", "city", "other"))["associated_property"]


@pytest.mark.parametrize("field_type", ["text", "textarea", "phonenumber"])
def test_create_matches_on(field_type: str) -> None:
    make_property("contact", "other", field_type=field_type)
    config = ACTIONS["create_associations"].read(create("company", "other", "city")[1], object_type("contact"))
    assert config.enrolled_property.name == "other"


def test_a_property_of_the_other_type_is_refused() -> None:
    assert "enrolled_property" in refusal(create("company", "industry", "city"))
    assert "associated_property" in refusal(create("company", "city", "firstname"))


@pytest.mark.parametrize(
    ("field", "value"),
    [("comparison", "fuzzy"), ("several", "some"), ("cap", 0), ("cap", -1), ("cap", 10_001), ("cap", "many")],
)
def test_choices_of_create_that_do_not_exist_are_refused(field: str, value: Any) -> None:
    assert list(refusal(create(*CREATE, **{field: value}))) == [field]


def test_primary_to_several_companies_would_be_left_to_chance() -> None:
    label = primary("contact", "company")
    assert "one record" in refusal(create(*CREATE, label=label))["several"]
    assert "one record" in refusal(create(*CREATE, label=label, several="all"))["several"]
    for several in ("oldest", "newest", "review"):
        ACTIONS["create_associations"].read(create(*CREATE, label=label, several=several)[1], object_type("contact"))


# Apply ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("apply_to", "fields", "refused"),
    [
        ("some", {}, "apply_to"),
        ("matching_property", {}, "enrolled_property"),
        ("matching_property", {"associated_property": "city"}, "enrolled_property"),
        ("matching_property", {"enrolled_property": "city"}, "associated_property"),
        ("enrolled_property", {"value": "Boston"}, "enrolled_property"),
        ("enrolled_property", {"enrolled_property": "city"}, "value"),
        ("enrolled_property", {"enrolled_property": "city", "value": "  "}, "value"),
        ("enrolled_property", {"enrolled_property": "industry", "value": "x"}, "enrolled_property"),
        ("enrolled_property", {"enrolled_property": "lifecyclestage", "value": "alien"}, "value"),
        ("enrolled_property", {"enrolled_property": "city", "value": "x", "operator": "contains"}, "operator"),
        ("associated_property", {"value": "Boston"}, "associated_property"),
        ("associated_property", {"associated_property": "numberofemployees", "value": "many"}, "value"),
        ("associated_property", {"associated_property": "firstname", "value": "x"}, "associated_property"),
    ],
)
def test_a_refinement_that_is_not_complete_is_refused(apply_to: str, fields: dict[str, str], refused: str) -> None:
    assert list(refusal(apply(partner(), apply_to, **fields))) == [refused]


@pytest.mark.parametrize(
    ("own", "theirs"),
    [("number", "date"), ("date", "datetime"), ("bool", "number"), ("datetime", "bool")],
)
def test_properties_whose_values_can_never_be_equal_are_not_compared(own: str, theirs: str) -> None:
    shown = {"number": "number", "date": "date", "datetime": "date", "bool": "booleancheckbox"}
    make_property("contact", "mine", type=own, field_type=shown[own])
    make_property("company", "theirs", type=theirs, field_type=shown[theirs])
    step = apply(partner(), "matching_property", enrolled_property="mine", associated_property="theirs")
    assert "can never equal" in refusal(step)["associated_property"]


def test_text_can_be_compared_with_the_written_form_of_anything() -> None:
    own = object_type("contact")
    step = apply(partner(), "matching_property", enrolled_property="city", associated_property="numberofemployees")
    assert ACTIONS["apply_label"].read(step[1], own).associated_property.name == "numberofemployees"


# Update and remove ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["append", "replace"])
def test_a_label_is_not_updated_to_itself(mode: str) -> None:
    label = partner()
    assert "other than the existing one" in refusal(update(label, label, mode))["new_label"]


def test_a_label_is_not_replaced_by_its_own_other_direction() -> None:
    """Doing it twice would turn it back."""
    manager = make_label("contact", "contact", "Manager", "Employee")
    assert "new_label" in refusal(update(manager, manager.reverse, "replace"))
    ACTIONS["update_labels"].read(update(manager, manager.reverse)[1], object_type("contact"))


def test_an_unknown_mode_is_refused() -> None:
    label, other = partner(), make_label("contact", "company", "Billing")
    assert list(refusal(update(label, other, "swap"))) == ["mode"]


def test_remove_needs_a_label() -> None:
    assert refusal(changed(remove(partner()), labels=[]))["labels"] == "This field is required."
