"""The product and the reference model side by side: random records, labels, limits and associations by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from associations.errors import Refused
from associations.services import archiving, labels, linking, merging
from associations.services.checking import check_all
from associations.services.records import RecordInput
from tests.factories import ORIGIN, make_label, object_type, save

from .model import Model
from .parts import Pair, Refusal, Type
from .product import as_type, directed, ledger_disagreements, model_state, product_state

TYPES = ("contact", "company")
UNIQUE = {"contact": {"email"}, "company": {"domain"}}
NAMES = ["Ann", " ann ", "ANN", "Bob", "bob", "b o  b", ""]
PHONES = ["+1 617 555 0123", "(617) 555-0123", "+1 617 555 0199", ""]
VALUES = {
    "contact": {"email": ["A@X.org ", "a@x.org", "b@y.org", "c@x.org", ""], "firstname": NAMES, "phone": PHONES},
    "company": {"domain": ["www.Y.org", "x.org", "y.org", "z.org", ""], "name": NAMES, "phone": PHONES},
}
# Which properties may match, and how they are compared.
MATCHES = {
    ("contact", "company"): [
        (("firstname", "name"), "normalized"),
        (("firstname", "name"), "exact"),
        (("phone", "phone"), "phone"),
        (("email", "domain"), "domain"),
    ],
    ("contact", "contact"): [(("firstname", "firstname"), "normalized"), (("phone", "phone"), "phone")],
    ("company", "company"): [(("name", "name"), "normalized")],
}
MATCHES["company", "contact"] = [((theirs, own), way) for (own, theirs), way in MATCHES["contact", "company"]]


RARELY = st.sampled_from([False] * 11 + [True])


class SideBySide(RuleBasedStateMachine):
    """Each example is rolled back; the labels that all of them start with are made before."""

    start: ClassVar[list[Type]]

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.model = Model(UNIQUE, types={type_.id: type_ for type_ in self.start})
        self.labels_made = 0

    def teardown(self) -> None:
        broken = [each for each in check_all() if each.count and not each.is_warning]
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)
        assert not broken

    def agree(self, product: Callable[[], Any], model: Callable[[Any], Any]) -> None:
        """Both do it, with the same result, or both refuse."""
        result = refusal = None
        try:
            result = product()
        except (Refused, ValidationError) as error:
            refusal = error
        try:
            expected = model(result)
        except Refusal as error:
            if refusal is None:
                raise AssertionError(f"The model refuses what the product does: {error}") from None
        else:
            assert refusal is None, f"The product refuses what the model does: {refusal}"
            assert expected is None or result == expected

    @invariant()
    def the_whole_state_is_the_same(self) -> None:
        product = product_state(TYPES)
        model = model_state(self.model, list(product["keys"]))
        for part, expected in model.items():
            assert product[part] == expected, part
        assert not ledger_disagreements()

    # Drawing ------------------------------------------------------------------------------------

    def some_records(self, data: st.DataObject, type_name: str, most: int = 3) -> list[int]:
        """Ids of a type, nearly always live ones."""
        ids = [id_ for id_, each in self.model.records.items() if each.type == type_name]
        offered = ids if data.draw(RARELY) else self.model.live(type_name)
        return data.draw(st.lists(st.sampled_from(offered or [0]), min_size=1, max_size=most, unique=True))

    def some_values(self, data: st.DataObject, type_name: str) -> dict[str, str]:
        names = data.draw(st.sets(st.sampled_from(sorted(VALUES[type_name])), min_size=1))
        return {name: data.draw(st.sampled_from(VALUES[type_name][name])) for name in sorted(names)}

    def a_pair_of_types(self, data: st.DataObject, *, associated: bool = False) -> tuple[str, str]:
        """With `associated` most often one of which some records are."""
        pairs = sorted(MATCHES)
        if associated and not data.draw(RARELY):
            on_records = {type_id for _, type_id, _ in self.model.links}
            pairs = [pair for pair in pairs if self.model.unlabeled(*pair).id in on_records] or pairs
        return data.draw(st.sampled_from(pairs))

    def labels_of(self, pair: tuple[str, str], *, own: bool = False) -> list[Type]:
        return [
            each
            for each in self.model.types.values()
            if each.sides == pair and not each.is_unlabeled and not (own and each.is_builtin)
        ]

    def a_label(self, data: st.DataObject) -> Type:
        """A label, most often one that some records have."""
        offered = [each for pair in sorted(MATCHES) for each in self.labels_of(pair)]
        on_records = {type_id for _, type_id, _ in self.model.links}
        found = [] if data.draw(RARELY) else [each for each in offered if each.id in on_records]
        return data.draw(st.sampled_from(found or offered))

    def some_pairs(self, data: st.DataObject, pair: tuple[str, str], *, associated: bool = False) -> list[Pair]:
        """Pairs that can be, nearly always; with `associated` most often such that are."""
        if data.draw(RARELY):
            ids = st.sampled_from(sorted(self.model.records) or [0])
            return data.draw(st.lists(st.tuples(ids, ids), min_size=1, max_size=3))
        can_be = list(itertools.product(*(self.model.live(type_name) for type_name in pair)))
        can_be = [(record, other) for record, other in can_be if record != other]
        if associated and not data.draw(RARELY):
            unlabeled = self.model.unlabeled(*pair)
            can_be = [each for each in can_be if self.model.has(each[0], unlabeled, each[1])] or can_be
        return data.draw(st.lists(st.sampled_from(can_be), min_size=1, max_size=4)) if can_be else []

    # Records ------------------------------------------------------------------------------------

    @initialize(data=st.data())
    def what_there_is_to_start_with(self, data: st.DataObject) -> None:
        for type_name, values in VALUES.items():
            unique, *others = values
            inputs = [
                (
                    None,
                    {unique: values[unique][-2 - number]}
                    | {each: data.draw(st.sampled_from(values[each])) for each in others},
                )
                for number in range(3)
            ]
            self.save(type_name, inputs, None)
        for pair in (("contact", "company"), ("contact", "contact"), ("company", "company")):
            label = data.draw(st.sampled_from(self.labels_of(pair)))
            self.associate_by_hand(pair, self.some_pairs(data, pair), [label])
            self.associate_by_hand(pair, self.some_pairs(data, pair), [])

    @rule(data=st.data(), type_name=st.sampled_from(TYPES))
    def save_records(self, data: st.DataObject, type_name: str) -> None:
        ids = self.some_records(data, type_name)
        chosen = [data.draw(st.sampled_from([id_, id_, None])) for id_ in ids]
        upsert_by = data.draw(st.sampled_from([None, *sorted(UNIQUE[type_name])]))
        self.save(type_name, [(id_, self.some_values(data, type_name)) for id_ in chosen], upsert_by)

    def save(self, type_name: str, inputs: Sequence[tuple[int | None, dict[str, str]]], upsert_by: str | None) -> None:
        given = [RecordInput(values, id=id_) for id_, values in inputs]
        self.agree(
            lambda: [record.pk for record in save(type_name, given, upsert_by=upsert_by).records],
            lambda ids: self.model.save(type_name, inputs, upsert_by, ids or []),
        )

    @rule(data=st.data(), type_name=st.sampled_from(TYPES))
    def archive_or_restore(self, data: st.DataObject, type_name: str) -> None:
        of_type = object_type(type_name)
        archived = [
            id_
            for id_, each in self.model.records.items()
            if each.type == type_name and each.archived and (each.merged_into is None or data.draw(RARELY))
        ]
        if not archived:
            ids = self.some_records(data, type_name, most=2)
            archiving.archive_records(of_type, ids, origin=ORIGIN)
            self.model.archive(ids)
            return
        ids = data.draw(st.lists(st.sampled_from(archived), min_size=1, unique=True))
        self.agree(
            lambda: archiving.restore_records(of_type, ids, origin=ORIGIN),
            lambda _: self.model.restore(type_name, ids),
        )

    @rule(data=st.data(), type_name=st.sampled_from(TYPES))
    def merge_or_delete(self, data: st.DataObject, type_name: str) -> None:
        of_type = object_type(type_name)
        if data.draw(RARELY) or len(self.model.live(type_name)) > 4:
            ids = self.some_records(data, type_name, most=2)
            archiving.delete_records(of_type, ids, origin=ORIGIN)
            self.model.delete(ids)
            return
        survivor, merged = self.some_records(data, type_name)[0], self.some_records(data, type_name)[0]
        self.agree(
            lambda: merging.merge_records(of_type, survivor, merged, origin=ORIGIN),
            lambda _: self.model.merge(type_name, survivor, merged),
        )

    # Labels and limits --------------------------------------------------------------------------

    @rule(data=st.data(), is_paired=st.booleans())
    def make_or_delete_label(self, data: st.DataObject, is_paired: bool) -> None:
        pair = self.a_pair_of_types(data)
        if len(self.labels_of(pair, own=True)) > 2:
            label = data.draw(st.sampled_from(self.labels_of(pair)))
            self.agree(lambda: labels.delete_label(directed(label).type), lambda _: self.model.delete_label(label))
            return
        self.labels_made += 1
        made = make_label(*pair, f"New {self.labels_made}", f"Back {self.labels_made}" if is_paired else "")
        self.model.add_type(as_type(made), as_type(made.reverse))

    @rule(data=st.data(), to=st.sampled_from([1, 2, None]), inverse=st.sampled_from([1, 2, None]))
    def set_limits(self, data: st.DataObject, to: int | None, inverse: int | None) -> None:
        pair = self.a_pair_of_types(data)
        type_ = data.draw(st.sampled_from([self.model.unlabeled(*pair), *self.labels_of(pair)]))
        if type_.id == type_.inverse:
            inverse = to
        self.agree(
            lambda: labels.set_limits(directed(type_), max_to=to, inverse_max_to=inverse),
            lambda _: self.model.set_limits(type_, to, inverse),
        )

    # Pairs by hand ------------------------------------------------------------------------------

    @rule(data=st.data())
    def associate(self, data: st.DataObject) -> None:
        pair = self.a_pair_of_types(data)
        put = data.draw(st.lists(st.sampled_from(self.labels_of(pair)), max_size=2)) if self.labels_of(pair) else []
        self.associate_by_hand(pair, self.some_pairs(data, pair), put)

    def associate_by_hand(self, pair: tuple[str, str], pairs: list[Pair], put: list[Type]) -> None:
        unlabeled, labels_put = self.model.unlabeled(*pair), [directed(label) for label in put]
        self.agree(
            lambda: linking.associate(directed(unlabeled), pairs, origin=ORIGIN, labels=labels_put),
            lambda _: self.model.associate(unlabeled, pairs, put),
        )

    @rule(data=st.data(), only_labels=st.booleans())
    def remove(self, data: st.DataObject, only_labels: bool) -> None:
        if only_labels:
            label = self.a_label(data)
            pairs = self.some_pairs(data, label.sides, associated=True)
            linking.remove_labels([directed(label)], pairs, origin=ORIGIN)
            self.model.remove_labels(pairs, [label])
        else:
            pair = self.a_pair_of_types(data, associated=True)
            pairs = self.some_pairs(data, pair, associated=True)
            unlabeled = self.model.unlabeled(*pair)
            linking.disassociate(directed(unlabeled), pairs[:2], origin=ORIGIN)
            self.model.disassociate(unlabeled, pairs[:2])
