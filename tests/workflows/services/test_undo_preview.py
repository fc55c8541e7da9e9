"""What undoing a big run would do is counted by the queue, part by part, and changes nothing."""

from __future__ import annotations

import pytest

from associations.errors import Refused
from associations.models import Association, ChangeSet, FormerAssociation, Record
from tests.factories import associate, make_label, make_record, make_records
from tests.workflows import making
from workflows import jobs
from workflows.models import LeftPair, Run, Undo
from workflows.services import sweeping, undo, undo_preview
from workflows.services.undo_preview import Preview

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> tuple[Run, list[Record], Record]:
    """A run of three batches; somebody has put a label on one of its pairs since."""
    monkeypatch.setattr("associations.services.match_keys.CHUNK", 2)
    contacts, company = make_records("contact", [{"company": "a"}] * 5), make_record("company", name="a")
    run = making.enroll_all(making.make_workflow("contact", making.create("company", "company", "name")))
    run.refresh_from_db()
    associate(contacts[0], company, make_label("contact", "company", "Friend"))
    return run, contacts, company


def best(run: Run, *, redo: bool = False) -> Preview:
    return undo_preview.best(run, redo=redo, seconds=0)


def work(started: Undo, most: int | None = None) -> None:
    for part in list(started.parts.all())[:most]:
        jobs.undo_part(part.pk)


def test_it_is_an_estimate_until_all_parts_are_counted(town: tuple[Run, list[Record], Record]) -> None:
    run, contacts, company = town
    look = best(run)
    assert (look.seen, look.parts, look.is_exact, look.is_counting) == (1, 3, False, False)
    counted = undo_preview.count(run)
    work(counted, 1)
    look = best(run)
    assert (look.seen, look.parts, look.is_exact, look.is_counting) == (1, 3, False, True)
    work(counted)
    look = best(run)
    assert (look.seen, look.is_exact, look.is_counting) == (3, True, False)
    assert (look.counts.associations_removed, look.counts.labels_removed, look.counts.left) == (4, 4, {"changed": 1})
    [left] = LeftPair.objects.filter(part__undo=counted)
    assert (left.source_id, left.target_id) == (contacts[0].pk, company.pk)


def test_counting_changes_nothing_and_says_what_undoing_then_does(town: tuple[Run, list[Record], Record]) -> None:
    run, _, _ = town
    before = set(Association.objects.values_list()), ChangeSet.objects.count()
    work(undo_preview.count(run))
    assert (set(Association.objects.values_list()), ChangeSet.objects.count()) == before
    assert not FormerAssociation.objects.exists() and undo.undos_of(run).count() == 0
    run.refresh_from_db()
    assert run.undone_at is None
    said = best(run).counts
    started = undo.start(run)
    work(started)
    assert undo.counts_of(started) == said


def test_a_count_is_forgotten_when_it_is_no_longer_true_or_asked_for_anew(
    town: tuple[Run, list[Record], Record],
) -> None:
    run, _, _ = town
    first = undo_preview.count(run)
    second = undo_preview.count(run)
    assert list(run.undos.all()) == [second]
    undo.finish(first)  # a worker that was at it
    undo.put_aside(first.pk, "gone")
    started = undo.start(run)  # also while it is counted
    assert list(run.undos.all()) == [started]
    with pytest.raises(Refused, match="still at work"):
        undo_preview.count(run)
    work(started)
    run.refresh_from_db()
    work(undo_preview.count(run, redo=True))
    assert best(run, redo=True).counts.associations_restored == 4
    assert best(run).counted is None  # it is of the redo


def test_what_cannot_be_counted_says_why_and_lost_bells_ring_again(town: tuple[Run, list[Record], Record]) -> None:
    run, _, _ = town
    counted = undo_preview.count(run)
    first = counted.parts.first()
    assert first is not None
    undo.put_aside(first.pk, "the disk is full")
    assert sweeping.sweep(-1) >= 2
    work(counted)
    look = best(run)
    assert look.counted is not None and look.counted.state == Undo.State.FAILED
    assert (look.seen, look.is_exact) == (2, False)
    assert undo.may_start(run)
