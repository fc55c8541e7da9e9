"""The admin's pages of association labels."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from associations import querysets
from associations.models import AssociationType
from associations.types import DirectedType
from tests.factories import associate, limit, make_label, make_object_type, make_records, object_type, unlabeled

from .admin_pages import errors_on, messages_on, sign_in, submit, url

pytestmark = pytest.mark.django_db


def add(client: Client, type_name: str, other_name: str, label: str, inverse_label: str = "") -> Any:
    pair = {"object_type": object_type(type_name).pk, "other_object_type": object_type(other_name).pk}
    words = {"label": label, "inverse_label": inverse_label}
    return submit(client, url("associationtype_add"), "associationtype_form", **pair, **words)


def edit(client: Client, directed: DirectedType, **changes: object) -> Any:
    return submit(client, url("associationtype_change", directed.type.pk), "associationtype_form", **changes)


def delete(client: Client, directed: DirectedType) -> Any:
    return client.post(url("associationtype_delete", directed.type.pk), {"post": "yes"}, follow=True)


def seen(directed: DirectedType) -> DirectedType:
    """The type as it is now."""
    return querysets.directed_type(directed.type_id)


def own() -> AssociationType:
    return AssociationType.objects.get(category="USER_DEFINED")


# The list ---------------------------------------------------------------------------------------


def test_the_list_is_grouped_by_pair_the_unlabeled_type_first() -> None:
    make_label("contact", "contact", "Colleague")
    make_label("contact", "contact", "Alumni")
    types = sign_in().get(url("associationtype_changelist", labels="all")).context["cl"].result_list
    assert [(type_.from_object_type.name, type_.to_object_type.name, type_.label) for type_ in types][:4] == [
        ("contact", "contact", ""),
        ("contact", "contact", "Alumni"),
        ("contact", "contact", "Colleague"),
        ("contact", "company", ""),
    ]


def test_the_list_shows_kind_words_ids_and_limits() -> None:
    manager = limit(make_label("contact", "contact", "Manager", "Report"), to=1, inverse=10_000)
    colleague = make_label("contact", "contact", "Colleague")
    limit(unlabeled("contact", "company"), to=5)
    page = sign_in().get(url("associationtype_changelist", labels="all")).content.decode()
    for shown in (
        "Manager / Report", "Paired", f"{manager.type_id} / {manager.reverse.type_id}",
        "1 contact per contact, 10,000 contacts per contact",
        "Single", f'<td class="field-type_ids">{colleague.type_id}</td>',
        "5 companies per contact", "one company per contact", "279 / 280", "449",
    ):  # fmt: skip
        assert shown in page


def test_the_list_is_filtered_by_either_object_type_and_by_label() -> None:
    make_label("contact", "deal", "Buyer")
    client = sign_in()
    by_type = client.get(url("associationtype_changelist", object_type="deal")).context["cl"].result_list
    assert {"deal"} == set.intersection(*({each.from_object_type.name, each.to_object_type.name} for each in by_type))
    only = client.get(url("associationtype_changelist", labels="only")).context["cl"].result_list
    assert {each.label for each in only} == {"Buyer", "Primary", "Child company"}
    defined = client.get(url("associationtype_changelist", labels="own")).context["cl"].result_list
    assert {each.label for each in defined} == {"Buyer"}


# Adding -----------------------------------------------------------------------------------------


def test_a_single_label() -> None:
    page = add(sign_in(), "contact", "contact", "Colleague")
    assert "was added successfully" in messages_on(page)[0]
    assert (own().label, own().is_symmetric, own().name) == ("Colleague", True, "colleague")


def test_a_paired_label_faces_the_way_it_was_entered() -> None:
    add(sign_in(), "company", "contact", "Employee", "Employer")
    assert {each.label for each in querysets.types_of_pair(object_type("company"), object_type("contact"))} == {
        "", "Primary", "Employee",
    }  # fmt: skip
    assert own().inverse_label == "Employee"


@pytest.mark.parametrize("pair", [("contact", "deal"), ("deal", "contact")])
@pytest.mark.parametrize(
    ("label", "inverse", "fields"),
    [
        ("", "", ["label"]),
        ("Primary", "", ["label"]),
        ("taken", "", ["label"]),
        ("taken", "Free", ["label"]),
        ("Free", "taken", ["inverse_label"]),
        ("Free", "unlabeled", ["inverse_label"]),
        ("x" * 101, "", ["label"]),
    ],
)
def test_what_is_wrong_with_a_label_stands_at_its_field(
    pair: tuple[str, str], label: str, inverse: str, fields: list[str]
) -> None:
    make_label("contact", "deal", "Taken")
    page = add(sign_in(), *pair, label, inverse)
    assert list(errors_on(page)) == fields
    assert page.context["adminform"].form["label"].value() == label
    assert own().label == "Taken"


# Changing ---------------------------------------------------------------------------------------


def test_words_and_limits_change_and_nothing_else() -> None:
    label = make_label("deal", "contact", "Buyer", "Purchase")
    fixed = {"name": "other", "id": "1", "inverse_id": "2", "category": "HUBSPOT_DEFINED"}
    # The page speaks from the pair's first object type, the contact.
    edit(sign_in(), label, label="Order", inverse_label="Customer", max_to="3", inverse_max_to="", **fixed)
    now = seen(label)
    assert (now.label, now.reverse.label) == ("Customer", "Order")
    assert (now.max_to, now.reverse.max_to) == (None, 3)
    assert (now.type.name, now.type_id, now.reverse.type_id) == ("buyer", label.type_id, label.reverse.type_id)


def test_a_single_label_stays_single_when_it_is_renamed() -> None:
    client = sign_in()
    across, within = make_label("contact", "deal", "Owner"), make_label("contact", "contact", "Colleague")
    edit(client, across, label="Keeper")
    edit(client, within, label="Peer", max_to="7")
    assert (seen(across).label, seen(across).reverse.label) == ("Keeper", "Keeper")
    assert (seen(within).label, seen(within).max_to, seen(within).type.is_symmetric) == ("Peer", 7, True)


def test_a_single_label_across_object_types_can_become_a_paired_one() -> None:
    label = make_label("contact", "deal", "Owner")
    edit(sign_in(), label, inverse_label="Owned")
    assert (seen(label).label, seen(label).reverse.label) == ("Owner", "Owned")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"label": "taken"}, "label"),
        ({"inverse_label": "TAKEN"}, "inverse_label"),
        ({"inverse_label": ""}, "inverse_label"),
        ({"label": ""}, "label"),
        ({"max_to": "0"}, "max_to"),
        ({"max_to": "10001"}, "max_to"),
        ({"inverse_max_to": "-1"}, "inverse_max_to"),
        ({"max_to": "many"}, "max_to"),
        ({"max_to": "6"}, "max_to"),
        ({"label": "Renamed", "max_to": "6"}, "max_to"),
    ],
)
def test_what_is_wrong_with_a_change_stands_at_its_field(changes: dict[str, str], field: str) -> None:
    limit(unlabeled("contact", "deal"), to=5)
    make_label("contact", "deal", "Taken")
    label = make_label("contact", "deal", "Buyer", "Purchase")
    page = edit(sign_in(), label, **changes)
    assert list(errors_on(page)) == [field]
    assert page.context["adminform"].form[field].value() == changes[field]
    now = seen(label)
    assert (now.label, now.reverse.label, now.max_to) == ("Buyer", "Purchase", None)


def test_of_an_unlabeled_type_only_the_limits_change() -> None:
    pair = unlabeled("contact", "company")
    page = edit(sign_in(), pair, label="Mine", inverse_label="Yours", max_to="5", inverse_max_to="10000")
    assert "was changed successfully" in messages_on(page)[0]
    assert (seen(pair).label, seen(pair).max_to, seen(pair).reverse.max_to) == ("", 5, 10_000)


def test_of_a_built_in_label_only_the_limits_change_and_of_primary_nothing() -> None:
    client = sign_in()
    child, primary = querysets.directed_type(13), querysets.directed_type(1)
    edit(client, child, label="Mine", max_to="5")
    edit(client, primary, label="Mine", max_to="5")
    assert (seen(child).label, seen(child).max_to) == ("Child company", 5)
    assert (seen(primary).label, seen(primary).max_to) == ("Primary", None)


# Deleting ---------------------------------------------------------------------------------------


def test_a_label_that_nothing_uses_is_deleted() -> None:
    label = make_label("contact", "deal", "Buyer")
    page = delete(sign_in(), label)
    assert "was deleted successfully" in messages_on(page)[0]
    assert not AssociationType.objects.filter(label="Buyer").exists()


def test_where_a_label_is_used_is_said_when_it_cannot_be_deleted() -> None:
    [contact], deals = make_records("contact", 1), make_records("deal", 2)
    label = make_label("contact", "deal", "Buyer")
    for deal in deals:
        associate(contact, deal, label)
    client = sign_in()
    [message] = messages_on(delete(client, label))
    assert "on 2 associations" in message
    make_object_type("pet")
    for directed in (querysets.directed_type(13), querysets.directed_type(279), unlabeled("pet", "contact")):
        [message] = messages_on(delete(client, directed))
        assert "is built in and cannot be deleted" in message
        assert seen(directed)
