"""The product and the reference model do the same random things, and their whole state is the same after each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from associations import querysets
from tests.factories import make_label, object_type
from tests.workflows import making

from . import actions
from .actions import Condition
from .machine import MATCHES, TYPES, VALUES, SideBySide
from .parts import Type
from .product import as_type, directed


class ProductAndModel(SideBySide):
    """With the four actions, through workflows as people make them."""

    def act(
        self,
        data: st.DataObject,
        pair: tuple[str, str],
        step: making.Step,
        in_model: Callable[[list[int], Type], actions.Outcomes],
        *used: Type | None,
        is_idempotent: bool = True,
    ) -> None:
        """Enroll some records of the pair's first type, and once more: the second time changes nothing."""
        live = self.model.live(pair[0])
        if not live:
            return
        enrolled = data.draw(st.lists(st.sampled_from(live), min_size=min(2, len(live)), max_size=4, unique=True))
        records = list(querysets.live_records(object_type(pair[0]), enrolled).select_related("object_type"))
        for type_ in used:
            self.model.used_by_workflows |= self.model.both_ways(type_) if type_ else set()
        for is_again in (False, True):
            before = set(self.model.links)
            run = making.do(step, records)
            expected = in_model(enrolled, self.model.unlabeled(*pair))
            assert {record.pk: making.outcomes(run, record) for record in records} == expected
            if is_again and is_idempotent:
                assert self.model.links == before
            self.the_whole_state_is_the_same()

    @rule(
        data=st.data(),
        several=st.sampled_from(["all", "all", "oldest", "newest", "review"]),
        cap=st.sampled_from([9, 9, 1, 2]),
    )
    def create_associations(self, data: st.DataObject, several: str, cap: int) -> None:
        pair = self.a_pair_of_types(data)
        names, comparison = data.draw(st.sampled_from(MATCHES[pair]))
        label = data.draw(st.one_of(st.none(), st.sampled_from(self.labels_of(pair)))) if self.labels_of(pair) else None
        if label and label.is_primary and pair[1] == "company" and several == "all":
            several = "oldest"
        more: dict[str, Any] = {"comparison": comparison, "several": several} | (
            {"cap": cap} if several == "all" else {}
        )
        step = making.create(pair[1], *names, label=directed(label) if label else None, **more)
        self.act(
            data,
            pair,
            step,
            lambda enrolled, unlabeled: actions.create_associations(
                self.model, enrolled, unlabeled, label, names, comparison, several, cap
            ),
            label,
        )

    @rule(
        data=st.data(),
        apply_to=st.sampled_from(["all", "matching_property", "enrolled_property", "associated_property"]),
    )
    def apply_label(self, data: st.DataObject, apply_to: str) -> None:
        label = self.a_label(data)
        pair = label.sides
        names, comparison = data.draw(st.sampled_from(MATCHES[pair]))
        condition = own = theirs = match = None
        more: dict[str, object] = {}
        if apply_to == "matching_property":
            match = (names, comparison)
            more = {"enrolled_property": names[0], "associated_property": names[1], "comparison": comparison}
        elif apply_to != "all":
            side = 0 if apply_to == "enrolled_property" else 1
            condition = self.a_condition(data, pair[side], names[side])
            own, theirs = (condition, None) if side == 0 else (None, condition)
            operator = "is_equal_to" if condition.is_equal else "is_not_equal_to"
            more = {apply_to: names[side], "value": condition.value, "operator": operator}
            more["or_no_value"] = condition.or_no_value
        self.act(
            data,
            pair,
            making.apply(directed(label), apply_to, **more),
            lambda enrolled, unlabeled: actions.apply_label(
                self.model, enrolled, unlabeled, label, own=own, theirs=theirs, match=match
            ),
            label,
        )

    def a_condition(self, data: st.DataObject, type_name: str, name: str) -> Condition:
        value = data.draw(st.sampled_from([each.strip() for each in VALUES[type_name][name] if each]))
        is_equal, or_no_value = data.draw(st.booleans()), data.draw(st.booleans())
        return Condition(name, value, is_equal, or_no_value and not is_equal)

    @rule(data=st.data(), mode=st.sampled_from(["append", "replace"]))
    def update_labels(self, data: st.DataObject, mode: str) -> None:
        existing = self.a_label(data)
        pair = existing.sides
        others = [each for each in self.labels_of(pair) if existing.id not in self.model.both_ways(each)]
        if not others:
            return
        new = data.draw(st.sampled_from(others))
        self.act(
            data,
            pair,
            making.update(directed(existing), directed(new), mode),
            lambda enrolled, unlabeled: actions.update_labels(
                self.model, enrolled, unlabeled, existing, new, replace=mode == "replace"
            ),
            existing,
            new,
            # Of several companies of a record with the existing label only one can become Primary; the next run
            # finds the others, and Primary moves on.
            is_idempotent=not (mode == "replace" and new.is_primary),
        )

    @rule(data=st.data(), associations=st.booleans())
    def remove_labels_by_workflow(self, data: st.DataObject, associations: bool) -> None:
        label = self.a_label(data)
        pair = label.sides
        more = data.draw(st.lists(st.sampled_from(self.labels_of(pair)), max_size=2))
        chosen = list(dict.fromkeys([label, *more]))
        self.act(
            data,
            pair,
            making.remove(*(directed(each) for each in chosen), associations=associations),
            lambda enrolled, unlabeled: actions.remove_labels(
                self.model, enrolled, unlabeled, chosen, associations=associations
            ),
            *chosen,
        )


@pytest.mark.django_db
def test_the_product_does_what_the_reference_model_does() -> None:
    for pair in (("contact", "company"), ("contact", "contact"), ("company", "company")):
        make_label(*pair, "Partner")
        make_label(*pair, "Manager", "Report")
    around = querysets.types_seen_from
    ProductAndModel.start = [
        as_type(each) for type_name in TYPES for each in around(object_type(type_name)) if each.other_type.name in TYPES
    ]
    run_state_machine_as_test(
        ProductAndModel,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
