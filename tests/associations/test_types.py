"""An association type seen from one side: the id, the word, the limit and the columns of that side."""

from __future__ import annotations

import pytest

from associations import querysets
from associations.errors import Refused
from associations.models import AssociationType
from associations.types import DirectedType
from tests.factories import limit, make_label, object_type, primary, unlabeled

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("sides", [("contact", "company"), ("company", "contact")])
def test_a_paired_label_reads_from_either_side_as_it_was_made(sides: tuple[str, str]) -> None:
    consultant = make_label(*sides, "Consultant", "Client")
    assert (str(consultant), str(consultant.reverse)) == ("Consultant", "Client")
    assert (consultant.record_type.name, consultant.other_type.name) == sides
    assert consultant.reverse.record_type.name == sides[1]
    assert consultant.reverse.reverse == consultant
    assert consultant.type_id != consultant.reverse.type_id


def test_the_two_directions_of_a_limit_are_each_on_their_side() -> None:
    label = limit(make_label("company", "contact", "Client"), to=2, inverse=5)
    assert (label.max_to, label.reverse.max_to) == (2, 5)
    assert (label.record_type.name, label.reverse.record_type.name) == ("company", "contact")


def test_a_symmetric_type_is_its_own_reverse() -> None:
    colleague = make_label("contact", "contact", "Colleague")
    assert colleague.reverse == colleague
    assert colleague.orientations == [("source", "target"), ("target", "source")]


def test_a_paired_label_within_one_object_type_has_two_directions() -> None:
    manager = make_label("contact", "contact", "Manager", "Direct report")
    assert manager.orientations == [("source", "target")]
    assert manager.reverse.orientations == [("target", "source")]
    assert str(manager.reverse) == "Direct report"


def test_the_ends_of_a_symmetric_pair_put_the_smaller_id_first() -> None:
    source, target = unlabeled("contact", "contact").ends("s")
    assert "s.record_id < s.other_id" in source and "s.record_id < s.other_id" in target
    assert unlabeled("contact", "company").ends("s") == ("s.record_id", "s.other_id")
    assert unlabeled("company", "contact").ends("s") == ("s.other_id", "s.record_id")


def test_the_unlabeled_type_reads_unlabeled() -> None:
    assert str(unlabeled("contact", "deal")) == "unlabeled"


def test_the_types_of_a_pair_face_the_one_who_asks() -> None:
    make_label("company", "contact", "Client", "Consultant")
    contact, company = object_type("contact"), object_type("company")
    from_contact = querysets.types_of_pair(contact, company)
    from_company = querysets.types_of_pair(company, contact)
    assert [str(each) for each in from_contact] == ["Primary", "unlabeled", "Consultant"]
    assert [str(each) for each in from_company] == ["Primary", "unlabeled", "Client"]
    assert all(each.record_type == contact for each in from_contact)
    assert [each.reverse for each in from_contact] == from_company


def test_within_one_object_type_a_paired_label_is_offered_in_both_directions() -> None:
    company = object_type("company")
    offered = [(str(each), each.type_id) for each in querysets.types_of_pair(company, company)]
    assert offered == [("Child company", 13), ("Parent company", 14), ("unlabeled", 450)]


def test_a_numeric_id_names_a_type_in_its_direction() -> None:
    assert querysets.directed_type(280) == unlabeled("company", "contact")
    assert querysets.directed_type(279) == unlabeled("contact", "company")


def test_an_unknown_numeric_id_is_refused_in_words() -> None:
    with pytest.raises(Refused, match=r"^There is no association type 4711\.$"):
        querysets.directed_type(4711)


@pytest.mark.parametrize("pair", [("contact", "contact"), ("contact", "deal"), ("company", "company")])
def test_only_companies_are_primary(pair: tuple[str, str]) -> None:
    assert unlabeled(*pair).type.pk not in AssociationType.PRIMARY_OF


def test_primary_faces_the_one_who_asks() -> None:
    assert primary("company", "deal").reverse == primary("deal", "company")
    assert isinstance(primary("company", "deal"), DirectedType)
