"""Associate many pairs, each with labels of its own, as one change; create records together with associations.

Called by the API. The number of statements grows with the number of different labels, never with the pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from associations import querysets, sql
from associations.errors import Refused
from associations.models import ChangeSet, ObjectType
from associations.types import DirectedType

from . import linking
from .derived import again_if_overtaken
from .origin import Origin, open_change_set
from .records import RecordInput, Saved, save_records

Pair = tuple[int, int]


@dataclass(frozen=True)
class NewRecord:
    """A record to create: its properties, and by other record the type ids that it is to be associated under."""

    properties: Mapping[str, object]
    associations: Sequence[tuple[int, Sequence[DirectedType]]] = ()


def associate_each(
    unlabeled: DirectedType,
    wanted: Mapping[Pair, Sequence[DirectedType]],
    *,
    origin: Origin,
    replace: bool = False,
) -> linking.LinkCounts:
    """Associate each (record, other) and put its own labels on it, all or nothing.

    With `replace` a pair that gets a label loses those that are not named; Primary stays, for it is taken off only by
    another company that becomes it. Raises what `linking.associate` raises.
    """
    by_label = _by_label(unlabeled, wanted)
    primary = next((label for label in by_label if label.type.is_primary), None)
    with transaction.atomic():
        linking.stage_by_hand(unlabeled, wanted)
        change_set = open_change_set(origin)
        if replace and _take_off_others(unlabeled, wanted, by_label, change_set):
            linking.stage_again(wanted)
        made = put = 0
        if primary:
            # First, so that no other company of the request is made the primary one before.
            linking.stage_again(by_label.pop(primary))
            written = linking.associate_staged(unlabeled, primary, change_set)
            made, put = written.associations, written.labels
            linking.refuse_if_over_limit([unlabeled, primary])
            linking.stage_again(wanted)
        made += linking.associate_staged(unlabeled, None, change_set).associations
        linking.refuse_if_over_limit([unlabeled])
        for label, pairs in by_label.items():
            linking.stage_again(pairs)
            put += linking.add_label_staged(label, unlabeled, change_set).labels
            linking.refuse_if_over_limit([label])
    return linking.LinkCounts(made, put)


def _take_off_others(
    unlabeled: DirectedType,
    wanted: Mapping[Pair, Sequence[DirectedType]],
    by_label: Mapping[DirectedType, Sequence[Pair]],
    change_set: ChangeSet,
) -> bool:
    """Take the labels off that are not among those that a pair gets. Whether others are on the stage now."""
    labelled = {pair for pairs in by_label.values() for pair in pairs}
    staged = False
    for label in querysets.types_of_pair(unlabeled.record_type, unlabeled.other_type):
        if label.type.is_unlabeled or label.type.is_primary:
            continue
        if doomed := labelled - set(by_label.get(label, ())):
            linking.stage_again(pair for pair in wanted if pair in doomed)
            linking.remove_labels_staged([label], change_set)
            staged = True
    return staged


def _by_label(unlabeled: DirectedType, wanted: Mapping[Pair, Sequence[DirectedType]]) -> dict[DirectedType, list[Pair]]:
    by_label: dict[DirectedType, list[Pair]] = {}
    for pair, labels in wanted.items():
        for label in linking.labels_of_pair(unlabeled, labels):
            by_label.setdefault(label, []).append(pair)
    return by_label


def disassociate_each(
    unlabeled: DirectedType, wanted: Mapping[Pair, Sequence[DirectedType]], *, origin: Origin
) -> linking.LinkCounts:
    """Take its own labels off each (record, other), as one change; the unlabeled type takes the association with it.

    What is not there is left alone. Raises Refused for a label of other object types.
    """
    by_label = _by_label(unlabeled, wanted)
    gone = [pair for pair, types in wanted.items() if any(each.type.is_unlabeled for each in types)]
    removed = taken = 0
    with transaction.atomic():
        sql.clear_stage()
        change_set = open_change_set(origin)
        for label, pairs in by_label.items():
            linking.stage_again(pairs)
            taken += linking.remove_labels_staged([label], change_set)
        if gone:
            linking.stage_again(gone)
            linking.disassociate_staged(unlabeled, change_set)
            removed = sql.count_removed(change_set.pk, unlabeled.type.pk)
    return linking.LinkCounts(removed, taken)


def create_records(object_type: ObjectType, inputs: Sequence[NewRecord], *, origin: Origin) -> Saved:
    """Create records and associate each as it says, all or none.

    Raises what `save_records` and `associate_each` raise.
    """
    if not any(each.associations for each in inputs):
        return save_records(object_type, [RecordInput(each.properties) for each in inputs], origin=origin)

    def change() -> Saved:
        saved = save_records(object_type, [RecordInput(each.properties) for each in inputs], origin=origin)
        wanted: dict[ObjectType, dict[Pair, list[DirectedType]]] = {}
        for record, each in zip(saved.records, inputs, strict=True):
            for other_id, types in each.associations:
                pairs = wanted.setdefault(_other_type(object_type, types), {})
                pairs.setdefault((record.pk, other_id), []).extend(types)
        for other_type, pairs in wanted.items():
            associate_each(querysets.unlabeled_type(object_type, other_type), pairs, origin=origin)
        return saved

    return again_if_overtaken(change)


def _other_type(object_type: ObjectType, types: Sequence[DirectedType]) -> ObjectType:
    """The one object type that these types lead to."""
    if not types:
        raise Refused("An association needs at least one type; it names what the other record is.")
    for each in types:
        if (each.record_type, each.other_type) != (object_type, types[0].other_type):
            raise Refused(f"Association type {each.type_id} does not lead from {object_type.plural_label.lower()}.")
    return types[0].other_type


def directed_types(type_ids: Iterable[int]) -> dict[int, DirectedType]:
    """The types that numeric type ids name, each in that id's direction: one query. Refused for an unknown one."""
    wanted = set(type_ids)
    found = {}
    in_range = [id_ for id_ in wanted if 0 < id_ < 2**63]
    for type_ in querysets.association_types().filter(Q(id__in=in_range) | Q(inverse_id__in=in_range)):
        for id_ in (type_.inverse_id, type_.id):
            if id_ in wanted:
                found[id_] = DirectedType(type_, outgoing=type_.id == id_)
    if missing := wanted - found.keys():
        raise Refused(f"There is no association type {min(missing)}.")
    return found
