"""The product and the reference model side by side: random records, labels, limits and associations by hand."""

from __future__ import annotations

from collections.abc import Callable
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
from .parts import Refusal, Type
from .product import as_type, directed, ledger_disagreements, model_state, product_state

TYPES = ("contact", "company")
UNIQUE = {"contact": {"email"}, "company": {"domain"}}
NAMES = ["", "Ann", " ann ", "ANN", "Bob", "b o  b"]
PHONES = ["", "+1 617 555 0123", "(617) 555-0123", "+1 617 555 0199"]
VALUES = {
    "contact": {"email": ["", "a@x.org", "A@X.org ", "b@y.org"], "firstname": NAMES, "phone": PHONES},
    "company": {"domain": ["", "x.org", "www.Y.org", "z.org"], "name": NAMES, "phone": PHONES},
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
            assert refusal, f"The model refuses what the product does: {error}"
        else:
            assert not refusal, f"The product refuses what the model does: {refusal}"
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
        """Ids of a type, mostly live ones."""
        ids = [id_ for id_, each in self.model.records.items() if each.type == type_name]
        offered = self.model.live(type_name) if data.draw(st.integers(0, 5)) else ids
        return data.draw(st.lists(st.sampled_from(offered or [0]), min_size=1, max_size=most, unique=True))

    def some_values(self, data: st.DataObject, type_name: str) -> dict[str, str]:
        names = data.draw(st.sets(st.sampled_from(sorted(VALUES[type_name])), min_size=1))
        return {name: data.draw(st.sampled_from(VALUES[type_name][name])) for name in sorted(names)}

    def a_pair_of_types(self, data: st.DataObject) -> tuple[str, str]:
        return data.draw(st.sampled_from(sorted(MATCHES)))

    def labels_of(self, pair: tuple[str, str], *, own: bool = False) -> list[Type]:
        return [
            each
            for each in self.model.types.values()
            if (each.record_type, each.other_type) == pair and not each.is_unlabeled and not (own and each.is_builtin)
        ]

    def a_label(self, data: st.DataObject, pair: tuple[str, str]) -> Type | None:
        found = self.labels_of(pair)
        return data.draw(st.sampled_from(found)) if found else None

    # Records ------------------------------------------------------------------------------------

    @initialize(data=st.data())
    def records_to_start_with(self, data: st.DataObject) -> None:
        for type_name in TYPES:
            self.save(type_name, [(None, {"phone": data.draw(st.sampled_from(PHONES))}) for _ in range(3)], None)

    @rule(data=st.data(), type_name=st.sampled_from(TYPES))
    def save_records(self, data: st.DataObject, type_name: str) -> None:
        ids = self.some_records(data, type_name)
        chosen = [data.draw(st.sampled_from([None, id_, id_])) for id_ in ids]
        upsert_by = data.draw(st.sampled_from([None, *sorted(UNIQUE[type_name])]))
        self.save(type_name, [(id_, self.some_values(data, type_name)) for id_ in chosen], upsert_by)

    def save(self, type_name: str, inputs: list[tuple[int | None, dict[str, str]]], upsert_by: str | None) -> None:
        given = [RecordInput(values, id=id_) for id_, values in inputs]
        self.agree(
            lambda: [record.pk for record in save(type_name, given, upsert_by=upsert_by).records],
            lambda ids: self.model.save(type_name, inputs, upsert_by, ids or []),
        )

    @rule(data=st.data(), type_name=st.sampled_from(TYPES))
    def archive(self, data: st.DataObject, type_name: str) -> None:
        ids = self.some_records(data, type_name, most=2)
        archiving.archive_records(object_type(type_name), ids, origin=ORIGIN)
        self.model.archive(ids)

    @rule(data=st.data(), type_name=st.sampled_from(TYPES))
    def restore(self, data: st.DataObject, type_name: str) -> None:
        ids = [id_ for id_, each in self.model.records.items() if each.type == type_name and each.archived]
        chosen = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
        of_type = object_type(type_name)
        self.agree(
            lambda: archiving.restore_records(of_type, chosen, origin=ORIGIN),
            lambda _: self.model.restore(type_name, chosen),
        )

    @rule(data=st.data(), type_name=st.sampled_from(TYPES))
    def delete(self, data: st.DataObject, type_name: str) -> None:
        ids = self.some_records(data, type_name, most=2)
        archiving.delete_records(object_type(type_name), ids, origin=ORIGIN)
        self.model.delete(ids)

    @rule(data=st.data(), type_name=st.sampled_from(TYPES))
    def merge(self, data: st.DataObject, type_name: str) -> None:
        survivor, merged = self.some_records(data, type_name)[0], self.some_records(data, type_name)[0]
        of_type = object_type(type_name)
        self.agree(
            lambda: merging.merge_records(of_type, survivor, merged, origin=ORIGIN),
            lambda _: self.model.merge(type_name, survivor, merged),
        )

    # Labels and limits --------------------------------------------------------------------------

    @rule(data=st.data(), is_paired=st.booleans())
    def make_label(self, data: st.DataObject, is_paired: bool) -> None:
        pair = self.a_pair_of_types(data)
        if len(self.labels_of(pair, own=True)) >= 3:
            return
        self.labels_made += 1
        label = make_label(*pair, f"New {self.labels_made}", f"Back {self.labels_made}" if is_paired else "")
        self.model.add_type(as_type(label), as_type(label.reverse))

    @rule(data=st.data())
    def delete_label(self, data: st.DataObject) -> None:
        label = self.a_label(data, self.a_pair_of_types(data))
        if label:
            self.agree(lambda: labels.delete_label(directed(label).type), lambda _: self.model.delete_label(label))

    @rule(data=st.data(), to=st.sampled_from([None, 1, 2]), inverse=st.sampled_from([None, 1, 2]))
    def set_limits(self, data: st.DataObject, to: int | None, inverse: int | None) -> None:
        pair = self.a_pair_of_types(data)
        offered = [self.model.unlabeled(*pair), *self.labels_of(pair)]
        type_ = data.draw(st.sampled_from(offered))
        if type_.id == type_.inverse:
            inverse = to
        self.agree(
            lambda: labels.set_limits(directed(type_), max_to=to, inverse_max_to=inverse),
            lambda _: self.model.set_limits(type_, to, inverse),
        )

    # Pairs by hand ------------------------------------------------------------------------------

    def some_pairs(self, data: st.DataObject, pair: tuple[str, str]) -> list[tuple[int, int]]:
        ends = [self.some_records(data, type_name) for type_name in pair]
        both = st.tuples(*(st.sampled_from(ids) for ids in ends))
        return data.draw(st.lists(both, min_size=1, max_size=4))

    @rule(data=st.data())
    def associate(self, data: st.DataObject) -> None:
        pair = self.a_pair_of_types(data)
        pairs, unlabeled = self.some_pairs(data, pair), self.model.unlabeled(*pair)
        put = data.draw(st.lists(st.sampled_from(self.labels_of(pair)), max_size=2)) if self.labels_of(pair) else []
        self.agree(
            lambda: linking.associate(
                directed(unlabeled), pairs, origin=ORIGIN, labels=[directed(each) for each in put]
            ),
            lambda _: self.model.associate(unlabeled, pairs, put),
        )

    @rule(data=st.data())
    def remove_labels(self, data: st.DataObject) -> None:
        pair = self.a_pair_of_types(data)
        pairs, label = self.some_pairs(data, pair), self.a_label(data, pair)
        if label:
            linking.remove_labels([directed(label)], pairs, origin=ORIGIN)
            self.model.remove_labels(pairs, [label])

    @rule(data=st.data())
    def disassociate(self, data: st.DataObject) -> None:
        pair = self.a_pair_of_types(data)
        pairs = self.some_pairs(data, pair)
        linking.disassociate(directed(self.model.unlabeled(*pair)), pairs, origin=ORIGIN)
        self.model.disassociate(pairs)
