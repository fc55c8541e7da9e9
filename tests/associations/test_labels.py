"""Defining association labels: words, names, ids, the 50 per pair, and what cannot be deleted."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from associations import querysets
from associations.errors import InUse, Refused
from associations.models import AssociationChange, AssociationType
from associations.services import labels
from tests.factories import associate, make_label, make_records, primary, remove_label, unlabeled, words

pytestmark = pytest.mark.django_db


def test_a_single_label_has_one_word_for_both_sides() -> None:
    partner = make_label("contact", "company", "Partner")
    assert (partner.label, partner.reverse.label) == ("Partner", "Partner")
    assert not partner.type.is_paired
    assert partner.type_id != partner.reverse.type_id


def test_a_paired_label_has_a_word_for_each_side() -> None:
    consultant = make_label("contact", "company", "Client", "Consultant")
    assert (consultant.label, consultant.reverse.label) == ("Client", "Consultant")
    assert consultant.type.is_paired


def test_a_single_label_within_one_object_type_has_one_id() -> None:
    colleague = make_label("contact", "contact", "Colleague")
    assert colleague.type.is_symmetric


def test_a_label_with_the_same_word_twice_is_a_single_one() -> None:
    colleague = make_label("contact", "contact", "Colleague", "Colleague")
    assert colleague.type.is_symmetric


def test_words_are_kept_without_the_space_around_them() -> None:
    label = make_label("contact", "contact", " Manager ", " Report ")
    assert (label.label, label.reverse.label) == ("Manager", "Report")
    assert make_label("contact", "contact", "Friend", "   ").type.is_symmetric


@pytest.mark.parametrize(
    ("label", "inverse"),
    [("", ""), ("  ", ""), ("Unlabeled", ""), ("primary", ""), ("Manager", " PRIMARY "), ("a" * 101, "")],
)
def test_a_word_that_cannot_be_is_refused(label: str, inverse: str) -> None:
    with pytest.raises(ValidationError):
        make_label("contact", "deal", label, inverse)
    assert not AssociationType.objects.filter(category="USER_DEFINED").exists()


@pytest.mark.parametrize("again", [("manager", ""), ("Boss", "MANAGER"), ("REPORT", ""), ("Straße", "")])
def test_two_labels_of_a_pair_never_read_the_same(again: tuple[str, str]) -> None:
    make_label("contact", "deal", "Manager", "Report")
    make_label("contact", "deal", "STRASSE")
    with pytest.raises(ValidationError, match="already"):
        make_label("deal", "contact", *again)


def test_two_pairs_may_have_labels_of_one_word() -> None:
    assert make_label("contact", "deal", "Owner").type != make_label("contact", "ticket", "Owner").type


def test_ids_of_ours_start_above_1000_and_never_meet() -> None:
    made = [
        make_label("contact", "contact", "Colleague"),
        make_label("contact", "contact", "Manager", "Report"),
        make_label("deal", "company", "Supplier"),
    ]
    ids = {each.type_id for each in made} | {each.reverse.type_id for each in made}
    assert len(ids) == 5
    assert min(ids) > 1000
    others = AssociationType.objects.exclude(pk__in=[each.type.pk for each in made])
    assert not ids & set(others.values_list("id", flat=True)) | ids & set(others.values_list("inverse_id", flat=True))


def test_the_id_of_a_deleted_label_is_never_given_again() -> None:
    [contact], [deal] = make_records("contact", 1), make_records("deal", 1)
    old = make_label("contact", "deal", "Old", "Older")
    associate(contact, deal, old)
    remove_label(contact, deal, old)
    old_ids = {old.type_id, old.reverse.type_id}
    labels.delete_label(old.type)
    new = make_label("contact", "deal", "New", "Newer")
    assert not old_ids & {new.type_id, new.reverse.type_id}
    assert not AssociationChange.objects.filter(type=new.type).exists()


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Point of contact", "point_of_contact"),
        ("2nd owner", "label_2nd_owner"),
        ("経理", "label"),
        ("C++ / Go", "c_go"),
    ],
)
def test_a_label_gets_an_internal_name_from_its_word(word: str, name: str) -> None:
    assert make_label("contact", "deal", word).type.name == name


def test_two_words_that_would_give_one_name_give_two() -> None:
    assert make_label("contact", "deal", "C+").type.name == "c"
    assert make_label("contact", "deal", "C-").type.name == "c_1"


def test_renaming_changes_the_words_and_nothing_else() -> None:
    label = make_label("deal", "contact", "Buyer", "Purchase")
    before = (label.type.name, label.type_id, label.reverse.type_id)
    labels.rename_label(label, label="Customer", inverse_label="Order")
    now = querysets.directed_type(label.type_id)
    assert (now.label, now.reverse.label) == ("Customer", "Order")
    assert (now.type.name, now.type_id, now.reverse.type_id) == before


def test_renaming_faces_the_one_who_renames() -> None:
    label = make_label("deal", "contact", "Buyer", "Purchase")
    labels.rename_label(label.reverse, label="Order", inverse_label="Customer")
    assert querysets.directed_type(label.type_id).label == "Customer"


def test_a_word_may_be_kept_when_the_other_changes() -> None:
    label = make_label("deal", "contact", "Buyer", "Purchase")
    labels.rename_label(label, label="Buyer", inverse_label="Order")
    assert querysets.directed_type(label.type_id).reverse.label == "Order"


def test_a_label_is_not_renamed_to_a_word_that_is_taken_or_cannot_be() -> None:
    make_label("deal", "contact", "Buyer")
    label = make_label("deal", "contact", "Seller")
    for word in ("buyer", "Primary", " "):
        with pytest.raises(ValidationError):
            labels.rename_label(label, label=word)
    assert querysets.directed_type(label.type_id).label == "Seller"


def test_a_symmetric_label_keeps_one_word() -> None:
    colleague = make_label("contact", "contact", "Colleague")
    with pytest.raises(ValidationError, match="one word for both sides"):
        labels.rename_label(colleague, label="Manager", inverse_label="Report")


@pytest.mark.parametrize("type_id", [1, 6, 13, 14, 279, 450])
def test_a_built_in_type_is_neither_renamed_nor_deleted(type_id: int) -> None:
    directed = querysets.directed_type(type_id)
    with pytest.raises(Refused, match="built in"):
        labels.rename_label(directed, label="Mine")
    with pytest.raises(Refused, match="built in"):
        labels.delete_label(directed.type)


def test_a_pair_has_up_to_50_labels() -> None:
    for number in range(50):
        make_label("contact", "deal", f"Label {number}")
    with pytest.raises(ValidationError, match="50 labels already"):
        make_label("deal", "contact", "One more")
    make_label("contact", "ticket", "Another pair")


def test_how_many_labels_a_pair_has_can_be_set(settings: Settings) -> None:
    settings.LABELS_PER_PAIR = 1
    make_label("contact", "deal", "One")
    with pytest.raises(ValidationError, match="1 labels already"):
        make_label("contact", "deal", "Two")


def test_a_label_in_use_cannot_be_deleted_and_it_is_said_where_it_is_used() -> None:
    contacts, [deal] = make_records("contact", 2), make_records("deal", 1)
    buyer = make_label("contact", "deal", "Purchase", "Buyer")
    for contact in contacts:
        associate(contact, deal, buyer)
    with pytest.raises(InUse) as refusal:
        labels.delete_label(buyer.type)
    assert refusal.value.uses == ["on 2 associations"]
    assert words(contacts[0], deal) == {"unlabeled", "Purchase"}


def test_a_label_that_nothing_uses_any_more_can_be_deleted() -> None:
    [contact], [deal] = make_records("contact", 1), make_records("deal", 1)
    buyer = make_label("contact", "deal", "Purchase", "Buyer")
    associate(contact, deal, buyer)
    remove_label(contact, deal, buyer)
    labels.delete_label(buyer.type)
    assert not AssociationType.objects.filter(pk=buyer.type.pk).exists()
    assert words(contact, deal) == {"unlabeled"}
    assert primary("contact", "company").type.pk
    assert unlabeled("contact", "deal").type_id == 4
