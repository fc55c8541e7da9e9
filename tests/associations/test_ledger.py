"""The ledger: every association and label that comes or goes has exactly one entry, and knows through what it came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model

from associations.models import Association, AssociationChange, ChangeSet, Record
from associations.services import archiving, linking, merging
from associations.services.origin import Origin
from associations.types import DirectedType
from tests.factories import (
    ORIGIN,
    associate,
    associate_pairs,
    disassociate,
    make_label,
    make_records,
    object_type,
    primary,
    remove_label,
    unlabeled,
)

pytestmark = pytest.mark.django_db


def net() -> Counter[tuple[int, int, int]]:
    """What the ledger says is there now: additions less removals."""
    total: Counter[tuple[int, int, int]] = Counter()
    for source, type_, target, added in AssociationChange.objects.values_list("source", "type", "target", "added"):
        total[source, type_, target] += 1 if added else -1
    return Counter({row: count for row, count in total.items() if count})


def rows() -> Counter[tuple[int, int, int]]:
    return Counter(Association.objects.values_list("source_id", "type_id", "target_id"))


def last_change() -> list[tuple[int, int, int, bool]]:
    changes = ChangeSet.objects.latest("id").association_changes.order_by("added")
    return list(changes.values_list("source", "type", "target", "added"))


class Scene:
    """Two contacts, two companies, and labels of every shape."""

    def __init__(self) -> None:
        self.ann, self.bob, self.eve = make_records("contact", 3)
        self.acme, self.bolt = make_records("company", 2)
        self.partner = make_label("contact", "company", "Partner")
        self.manager = make_label("contact", "contact", "Manager", "Report")
        self.peer = make_label("contact", "contact", "Peer")
        self.primary: DirectedType = primary("contact", "company")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def merge(survivor: Record, merged: Record) -> None:
    merging.merge_records(survivor.object_type, survivor.pk, merged.pk, origin=ORIGIN)


def delete(*records: Record) -> None:
    archiving.delete_records(records[0].object_type, [record.pk for record in records], origin=ORIGIN)


STORIES: dict[str, list[Callable[[Scene], object]]] = {
    "a first company": [lambda s: associate(s.ann, s.acme)],
    "again": [lambda s: associate(s.ann, s.acme), lambda s: associate(s.acme, s.ann)],
    "a first company with a label": [lambda s: associate(s.ann, s.acme, s.partner)],
    "a first company named primary": [lambda s: associate(s.ann, s.acme, s.primary)],
    "a first company with a label and primary": [lambda s: associate(s.ann, s.acme, s.partner, s.primary)],
    "a label twice": [lambda s: associate(s.ann, s.acme, s.partner, s.partner)],
    "the unlabeled type as a label": [lambda s: associate(s.ann, s.acme, unlabeled("contact", "company"))],
    "another primary": [
        lambda s: associate_pairs([(s.ann, s.acme), (s.ann, s.bolt)]),
        lambda s: associate(s.ann, s.bolt, s.primary),
        lambda s: associate(s.ann, s.acme, s.primary, s.partner),
    ],
    "a symmetric pair from both ends": [
        lambda s: associate_pairs([(s.ann, s.bob), (s.bob, s.ann)], s.peer, s.manager),
        lambda s: disassociate(s.bob, s.ann),
    ],
    "labels off": [
        lambda s: associate(s.ann, s.bob, s.peer, s.manager, s.manager.reverse),
        lambda s: remove_label(s.bob, s.ann, s.peer, s.peer, s.manager),
        lambda s: remove_label(s.ann, s.bob, s.manager),
    ],
    "labels off from both ends in one request": [
        lambda s: associate(s.ann, s.bob, s.peer, s.manager),
        lambda s: linking.remove_labels(
            [s.peer, s.manager, s.manager.reverse], [(s.ann.pk, s.bob.pk), (s.bob.pk, s.ann.pk)], origin=ORIGIN
        ),
    ],
    "associations off from both ends in one request": [
        lambda s: associate(s.ann, s.bob, s.peer, s.manager),
        lambda s: linking.disassociate(
            unlabeled("contact", "contact"), [(s.ann.pk, s.bob.pk), (s.bob.pk, s.ann.pk)], origin=ORIGIN
        ),
    ],
    "a merge": [
        lambda s: associate_pairs([(s.ann, s.bob), (s.bob, s.eve)], s.manager, s.peer),
        lambda s: associate_pairs([(s.ann, s.acme), (s.bob, s.bolt), (s.bob, s.acme)], s.partner),
        lambda s: merge(s.ann, s.bob),
    ],
    "a merge of companies": [
        lambda s: associate_pairs([(s.ann, s.acme), (s.bob, s.bolt), (s.bob, s.acme)], s.partner),
        lambda s: merge(s.bolt, s.acme),
    ],
    "a deletion": [
        lambda s: associate_pairs([(s.ann, s.acme), (s.bob, s.acme)], s.partner),
        lambda s: delete(s.acme),
    ],
    "a deletion of both ends": [
        lambda s: associate_pairs([(s.ann, s.bob), (s.bob, s.eve)], s.manager, s.peer),
        lambda s: delete(s.ann, s.bob),
    ],
}


@pytest.mark.parametrize("story", STORIES)
def test_every_change_of_an_association_has_exactly_one_entry(scene: Scene, story: str) -> None:
    for step in STORIES[story]:
        before = rows()
        step(scene)
        after = rows()
        assert net() == after
        told = last_change()
        assert len(told) == len(set(told))
        assert Counter(row[:3] for row in told if row[3]) - before >= after - before
        assert Counter(row[:3] for row in told if not row[3]) >= before - after


def test_what_was_there_already_is_not_told_again(scene: Scene) -> None:
    associate(scene.ann, scene.acme, scene.partner)
    told = AssociationChange.objects.count()
    associate(scene.ann, scene.acme, scene.partner)
    associate(scene.acme, scene.ann)
    assert AssociationChange.objects.count() == told


def test_a_refused_change_is_not_told(scene: Scene) -> None:
    with pytest.raises(Exception, match="one primary company"):
        associate_pairs([(scene.ann, scene.acme), (scene.ann, scene.bolt)], scene.primary)
    assert not AssociationChange.objects.exists()


# Who did it -------------------------------------------------------------------------------------


def test_every_row_knows_the_change_that_made_it(scene: Scene) -> None:
    associate(scene.ann, scene.acme)
    first = ChangeSet.objects.latest("id")
    associate(scene.ann, scene.acme, scene.partner)
    second = ChangeSet.objects.latest("id")
    made_by = dict(Association.objects.values_list("type_id", "change_set_id"))
    assert made_by == {279: first.pk, 1: first.pk, scene.partner.type.pk: second.pk}


def test_a_change_set_tells_who_and_through_what() -> None:
    user = get_user_model().objects.create_user("ann")
    [contact], [deal] = make_records("contact", 1), make_records("deal", 1)
    for origin, expected in (
        (Origin.user(user.pk), ("user", None, user.pk, "", 0)),
        (Origin.system("clean-up"), ("system", None, None, "clean-up", 0)),
        (Origin(ChangeSet.Source.API, source_id=7), ("api", 7, None, "", 0)),
        (Origin(ChangeSet.Source.WORKFLOW, source_id=9, note="W" * 300, depth=3), ("workflow", 9, None, "W" * 200, 3)),
    ):
        linking.associate(unlabeled("contact", "deal"), [(contact.pk, deal.pk)], origin=origin)
        last = ChangeSet.objects.latest("id")
        assert (last.source, last.source_id, last.user_id, last.note, last.depth) == expected
        assert last.processed_at is None
        linking.disassociate(unlabeled("contact", "deal"), [(contact.pk, deal.pk)], origin=origin)


def test_a_user_who_leaves_does_not_take_the_history_along() -> None:
    user = get_user_model().objects.create_user("ann")
    [contact] = make_records("contact", 1)
    archiving.archive_records(object_type("contact"), [contact.pk], origin=Origin.user(user.pk))
    user.delete()
    assert ChangeSet.objects.latest("id").source == ChangeSet.Source.USER


def test_both_directions_of_a_paired_label_in_one_request_are_told_once() -> None:
    manager = make_label("contact", "contact", "Manager", "Report")
    ada, ben = make_records("contact", 2)
    associate_pairs([(ada, ben), (ben, ada)], manager, manager.reverse)
    rows = AssociationChange.objects.filter(type=manager.type).values_list("source", "target", "added")
    assert sorted(rows) == [(ada.pk, ben.pk, True), (ben.pk, ada.pk, True)]
