"""The reference model: what the product does, in plain Python over dicts and sets, the obvious slow way.

One record and one pair after the other, every association kept from both its sides. It shares no code with the
product; where the two disagree one of them is wrong. The four actions are in `actions`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from .parts import Link, Pair, Record, Refusal, Type
from .values import normalized


@dataclass
class Model:
    unique: dict[str, set[str]]  # the unique properties of each object type
    types: dict[int, Type] = field(default_factory=dict)
    limits: dict[int, int | None] = field(default_factory=dict)  # by type id; nothing or None: many
    records: dict[int, Record] = field(default_factory=dict)
    links: set[Link] = field(default_factory=set)
    used_by_workflows: set[int] = field(default_factory=set)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        records, links = copy.deepcopy(self.records), set(self.links)
        try:
            yield
        except Refusal:
            self.records, self.links = records, links
            raise

    # Looking ------------------------------------------------------------------------------------

    def live(self, type_name: str) -> list[int]:
        return [id_ for id_, each in sorted(self.records.items()) if each.type == type_name and not each.archived]

    def unlabeled(self, type_name: str, other: str) -> Type:
        return next(each for each in self.types.values() if each.is_unlabeled and each.sides == (type_name, other))

    def primary(self, type_name: str, other: str) -> Type | None:
        found = [each for each in self.types.values() if each.is_primary and each.sides == (type_name, other)]
        return found[0] if found else None

    def has(self, record: int, type_: Type, other: int) -> bool:
        return (record, type_.id, other) in self.links

    def others(self, record: int, type_: Type) -> list[int]:
        """All that are associated with the record this way, archived ones too, in id order."""
        return sorted(other for owner, type_id, other in self.links if (owner, type_id) == (record, type_.id))

    def value(self, record: int, name: str) -> str:
        return self.records[record].values.get(name, "")

    # Labels and limits --------------------------------------------------------------------------

    def add_type(self, type_: Type, inverse: Type | None = None) -> None:
        self.types[type_.id] = type_
        if inverse is not None:
            self.types[inverse.id] = inverse

    def both_ways(self, type_: Type) -> set[int]:
        return {type_.id, type_.inverse}

    def delete_label(self, type_: Type) -> None:
        ids = self.both_ways(type_)
        if type_.is_builtin or type_.is_unlabeled:
            raise Refusal("built in")
        if any(type_id in ids for _, type_id, _ in self.links) or ids & self.used_by_workflows:
            raise Refusal("in use")
        for id_ in ids:
            del self.types[id_]
            self.limits.pop(id_, None)

    def set_limits(self, type_: Type, to: int | None, inverse_to: int | None) -> None:
        if type_.is_primary:
            raise Refusal("a record has one primary company")
        if type_.id == type_.inverse and to != inverse_to:
            raise Refusal("one limit for both ways")
        limits = self.limits | {type_.id: to, type_.inverse: inverse_to}
        for label in self.types.values():
            own, pairs = limits.get(label.id), limits.get(self.unlabeled(*label.sides).id)
            if own is not None and pairs is not None and own > pairs:
                raise Refusal("a label's limit is within its pair's")
        self.limits = limits

    def has_room(self, record: int, type_: Type, other: int) -> bool:
        """At both ends; what is there already needs none."""
        if self.has(record, type_, other):
            return True
        for one, type_id in ((record, type_.id), (other, type_.inverse)):
            most = self.limits.get(type_id)
            if most is not None and len(self.others(one, self.types[type_id])) >= most:
                return False
        return True

    # Records ------------------------------------------------------------------------------------

    def save(
        self,
        type_name: str,
        inputs: Sequence[tuple[int | None, Mapping[str, str]]],
        upsert_by: str | None,
        ids: Sequence[int],
    ) -> list[int]:
        """Save the inputs; `ids` are the product's, of which those of new records are taken over."""
        with self.all_or_nothing():
            targets = [
                id_ if id_ is not None or upsert_by is None else self.holder(type_name, upsert_by, values)
                for id_, values in inputs
            ]
            known = [target for target in targets if target is not None]
            if len(set(known)) < len(known):
                raise Refusal("twice in one request")
            if any(target not in self.live(type_name) for target in known):
                raise Refusal("not there, or archived")
            new = {}
            for number, (target, (_, values)) in enumerate(zip(targets, inputs, strict=True)):
                key = target if target is not None else -1 - number  # a name until the product's id is known
                record = self.records.setdefault(key, Record(type_name, {}))
                for name, value in values.items():
                    record.values[name] = value.strip()
                record.values = {name: value for name, value in record.values.items() if value}
                new[key] = number
            self.refuse_shared_values(type_name)
            for key in [key for key in new if key < 0]:
                self.records[ids[new[key]]] = self.records.pop(key)
            return [target if target is not None else ids[number] for number, target in enumerate(targets)]

    def holder(self, type_name: str, name: str, values: Mapping[str, str]) -> int | None:
        wanted = normalized(values.get(name, ""))
        live = self.live(type_name) if wanted else []
        return next((id_ for id_ in live if normalized(self.value(id_, name)) == wanted), None)

    def refuse_shared_values(self, type_name: str) -> None:
        for name in self.unique[type_name]:
            held = [value for id_ in self.live(type_name) if (value := normalized(self.value(id_, name)))]
            if len(set(held)) < len(held):
                raise Refusal(f"{name} must be unique")

    def archive(self, ids: Iterable[int]) -> None:
        for id_ in ids:
            if id_ in self.records:
                self.records[id_].archived = True

    def restore(self, type_name: str, ids: Iterable[int]) -> None:
        with self.all_or_nothing():
            for id_ in ids:
                record = self.records.get(id_)
                if record is None or not record.archived:
                    continue
                if record.merged_into is not None:
                    raise Refusal("merged away")
                record.archived = False
            self.refuse_shared_values(type_name)

    def delete(self, ids: Iterable[int]) -> None:
        gone = set(ids) & self.records.keys()
        self.links = {(one, type_id, other) for one, type_id, other in self.links if not {one, other} & gone}
        for id_ in gone:
            del self.records[id_]
        for record in self.records.values():
            if record.merged_into in gone:
                record.merged_into = None

    def merge(self, type_name: str, survivor: int, merged: int) -> None:
        with self.all_or_nothing():
            if survivor == merged or not {survivor, merged} <= set(self.live(type_name)):
                raise Refusal("two live records are merged")
            before = {type_id: len(self.others(survivor, type_)) for type_id, type_ in self.types.items()}
            self.records[survivor].values = self.records[merged].values | self.records[survivor].values
            self.records[merged].archived, self.records[merged].merged_into = True, survivor
            moving = sorted(link for link in self.links if link[0] == merged)
            for _, type_id, other in moving:
                self.unlink(merged, self.types[type_id], other)
            for _, type_id, other in moving:
                type_ = self.types[type_id]
                owner = survivor if type_name != "company" else other
                second = type_.is_primary and self.primary_company(owner)
                if other != survivor and not second:
                    self.link(survivor, type_, other)
            for type_id, most in self.limits.items():
                if most is not None and len(self.others(survivor, self.types[type_id])) > max(most, before[type_id]):
                    raise Refusal("over a limit")

    # Pairs --------------------------------------------------------------------------------------

    def link(self, record: int, type_: Type, other: int) -> None:
        self.links |= {(record, type_.id, other), (other, type_.inverse, record)}

    def unlink(self, record: int, type_: Type, other: int) -> None:
        self.links -= {(record, type_.id, other), (other, type_.inverse, record)}

    def primary_company(self, record: int) -> int | None:
        to_company = self.primary(self.records[record].type, "company")
        return next(iter(self.others(record, to_company)), None) if to_company else None

    def make_association(self, record: int, unlabeled: Type, other: int) -> None:
        """A record's first company becomes its primary one."""
        to_company = self.primary(*unlabeled.sides)
        if to_company is not None:
            owner, company = self.record_and_company(record, unlabeled, other)
            if not self.others(owner, self.unlabeled(self.records[owner].type, "company")):
                primary = self.primary(self.records[owner].type, "company")
                assert primary is not None
                self.link(owner, primary, company)
        self.link(record, unlabeled, other)

    def record_and_company(self, record: int, type_: Type, other: int) -> Pair:
        return (record, other) if type_.other_type == "company" else (other, record)

    def put_label(self, record: int, label: Type, other: int) -> None:
        """Setting another company as primary takes it from the old one."""
        if label.is_primary:
            owner, _ = self.record_and_company(record, label, other)
            primary = self.primary(self.records[owner].type, "company")
            assert primary is not None
            for old in self.others(owner, primary):
                self.unlink(owner, primary, old)
        self.link(record, label, other)

    def second_primaries(self, pairs: Iterable[Pair], label: Type | None) -> set[Pair]:
        """Of several companies for one record in one set all but the one with the lowest id."""
        if label is None or not label.is_primary:
            return set()
        ends = {pair: self.record_and_company(pair[0], label, pair[1]) for pair in pairs}
        return {
            pair
            for pair, (owner, company) in ends.items()
            if any(owner == rival_owner and rival < company for rival_owner, rival in ends.values())
        }

    def try_pair(self, record: int, unlabeled: Type, label: Type | None, other: int) -> str:
        """Associate a pair, with a label if there is one: what became of it."""
        wanted = [unlabeled] + ([label] if label else [])
        if not all(self.has_room(record, type_, other) for type_ in wanted):
            return "limit_reached"
        is_new = not self.has(record, unlabeled, other)
        gets_label = label is not None and not self.has(record, label, other)
        if is_new:
            self.make_association(record, unlabeled, other)
        if label is not None and gets_label:
            self.put_label(record, label, other)
        return "created" if is_new else "label_added" if gets_label else "already_there"

    # By hand ------------------------------------------------------------------------------------

    def associate(self, unlabeled: Type, pairs: Sequence[Pair], labels: Sequence[Type]) -> None:
        with self.all_or_nothing():
            for record, other in pairs:
                if record == other or record not in self.live(unlabeled.record_type):
                    raise Refusal("no such record")
                if other not in self.live(unlabeled.other_type):
                    raise Refusal("no such record")
            wanted: list[Type | None] = [*sorted(labels, key=lambda each: not each.is_primary)]
            for label in wanted or [None]:
                if self.second_primaries(set(pairs), label):
                    raise Refusal("one primary company")
                for record, other in sorted(set(pairs)):
                    if self.try_pair(record, unlabeled, label, other) == "limit_reached":
                        raise Refusal("a limit is reached")

    def remove_labels(self, pairs: Iterable[Pair], labels: Iterable[Type]) -> None:
        for record, other in pairs:
            for label in labels:
                self.unlink(record, label, other)

    def disassociate(self, unlabeled: Type, pairs: Iterable[Pair]) -> None:
        for record, other in pairs:
            if self.has(record, unlabeled, other):
                self.links = {link for link in self.links if {link[0], link[2]} != {record, other}}
