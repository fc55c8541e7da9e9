"""Undo a run: take back exactly what it did to associations; and redo it, putting that back again.

Worked off in parts, one for each batch of the run, by the queue; each part is one transaction and can be done twice.
What somebody changed since is left alone and listed (LeftPair). Called by admin, API, jobs and the command `undo_run`.

An undo is a change like any other and other workflows see it; but the workflow whose run it takes back does not enroll
anybody because of it (services.events asks `own_undoing`), or it would do at once what was just undone. Whom an undone
run enrolled counts as never enrolled by it, and can be enrolled again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from associations.errors import Refused
from associations.models import ChangeSet
from associations.services import reversal
from associations.services.origin import Origin, open_change_set
from associations.services.reversal import Counts
from crmproject import queues
from workflows import sql
from workflows.models import ActionRun, Batch, Run, Undo, UndoPart
from workflows.querysets import is_pruned

UNDO_PART = "workflows.jobs.undo_part"
# A pair that found no room under a limit is tried once more when the other parts have made room.
MOST_TRIES = 2


def start(run: Run, *, user_id: int | None = None, redo: bool = False) -> Undo:
    """Have the queue undo a run, or redo one that is undone. Raises Refused while it is at work, or if there is nothing
    to take back. See undo_preview for what it would do."""
    with transaction.atomic():
        undo = begin(run, user_id=user_id, redo=redo)
    finish(undo)
    return undo


def begin(run: Run, *, user_id: int | None, redo: bool, is_preview: bool = False) -> Undo:
    """Have the parts of an undo wait, and forget what was counted before: inside the caller's transaction."""
    locked = Run.objects.select_for_update(of=("self",)).select_related("workflow").get(pk=run.pk)
    refuse_impossible(locked, redo=redo)
    locked.undos.filter(is_preview=True).delete()
    kind = Undo.Kind.REDO if redo else Undo.Kind.UNDO
    undo = Undo.objects.create(run=locked, kind=kind, is_preview=is_preview, started_by_id=user_id)
    parts = UndoPart.objects.bulk_create(UndoPart(undo=undo, batch=batch) for batch in batches_of(locked))
    queue = "default" if len(parts) == 1 else "bulk"
    for part in parts:
        queues.enqueue(UNDO_PART, part.pk, queue=queue)
    return undo


def work(part_id: int) -> None:
    """Do one part, or count it, if it waits and nobody else is at it: all of it or nothing."""
    with transaction.atomic():
        part = (
            UndoPart.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("undo__run__workflow")
            .filter(pk=part_id, state=UndoPart.State.WAITING)
            .first()
        )
        if part is None:
            return
        sql.commit_without_waiting()  # lost, it leaves the part waiting, and none of what it did
        undo, redo = part.undo, part.undo.kind == Undo.Kind.REDO
        change_sets, own = change_sets_of(undo.run), change_sets_of_batch(part.batch_id)
        if undo.is_preview:
            change_set, (counts, _) = None, reversal.look(change_sets, own, redo=redo)
        else:
            change_set = open_change_set(_origin(undo))
            counts = reversal.reverse(change_sets, own, change_set, redo=redo)
        part.left.all().delete()
        sql.write_left_pairs(part)
        # A second try adds to what the first has done.
        before = Counts(**part.counts) if part.counts else Counts()
        before.left = {}
        part.counts, part.state, part.tries = asdict(before + counts), UndoPart.State.FINISHED, part.tries + 1
        part.change_set = change_set
        part.save(update_fields=["counts", "state", "tries", "change_set", "updated_at"])
    finish(undo)


def put_aside(part_id: int, reason: str) -> None:
    """Close a part that cannot be done, and say why. Starting the undo again takes up what is left."""
    part = UndoPart.objects.select_related("undo").filter(pk=part_id).first()
    if part is None:
        return
    UndoPart.objects.filter(pk=part_id, state=UndoPart.State.WAITING).update(state=UndoPart.State.FAILED, error=reason)
    finish(part.undo)


def finish(undo: Undo) -> None:
    """Close an undo when its last part is done. Asked after a part's commit: of two last ones one sees both. What was
    only counted may be forgotten by then."""
    with transaction.atomic():
        locked = Undo.objects.select_for_update().filter(pk=undo.pk, state=Undo.State.RUNNING).first()
        if locked is None or locked.parts.filter(state=UndoPart.State.WAITING).exists():
            return
        parts = locked.parts.all()
        if not locked.is_preview and _try_again(parts):
            return
        now = timezone.now()
        failed = parts.filter(state=UndoPart.State.FAILED).exists()
        locked.state, locked.finished_at = (Undo.State.FAILED if failed else Undo.State.FINISHED), now
        locked.save(update_fields=["state", "finished_at"])
        if not failed and not locked.is_preview:
            Run.objects.filter(pk=locked.run_id).update(undone_at=now if locked.kind == Undo.Kind.UNDO else None)


def _try_again(parts: QuerySet[UndoPart]) -> bool:
    """Try once more the parts in which a limit refused something while others still had to make room."""
    refused = list(parts.filter(tries__lt=MOST_TRIES, counts__left__has_key="limit_reached"))
    if not refused or parts.count() == 1:
        return False
    parts.filter(pk__in=[part.pk for part in refused]).update(state=UndoPart.State.WAITING)
    for part in refused:
        queues.enqueue(UNDO_PART, part.pk, queue="bulk")
    return True


def ring_for_waiting(seconds: float) -> int:
    """Ring again for parts that have waited for more seconds; how many. Called by the sweep."""
    before = timezone.now() - dt.timedelta(seconds=seconds)
    waiting = UndoPart.objects.filter(state=UndoPart.State.WAITING, updated_at__lt=before).order_by("id")
    ids = list(waiting.values_list("id", flat=True)[:1_000])
    for part_id in ids:
        queues.enqueue(UNDO_PART, part_id, queue="bulk")
    for undo in Undo.objects.filter(state=Undo.State.RUNNING, created_at__lt=before):
        finish(undo)
    return len(ids)


# Reading ------------------------------------------------------------------------------------------


def undos_of(run: Run) -> QuerySet[Undo]:
    """The undos and redos of a run, the newest first; what was only counted is none."""
    return run.undos.filter(is_preview=False)


def counts_of(undo: Undo) -> Counts:
    """What came of an undo so far, over all its parts."""
    total = Counts()
    for counts in undo.parts.exclude(counts={}).values_list("counts", flat=True):
        total += Counts(**counts)
    return total


def own_undoing(change_set_ids: Iterable[int]) -> dict[int, set[int]]:
    """Of some change sets those that undo or redo a run, by the id of the run's workflow."""
    found: dict[int, set[int]] = {}
    if not (ids := list(change_set_ids)):
        return found
    parts = UndoPart.objects.filter(change_set__in=ids)
    for change_set_id, workflow_id in parts.values_list("change_set", "undo__run__workflow"):
        found.setdefault(workflow_id, set()).add(change_set_id)
    return found


def may_start(run: Run, *, redo: bool = False) -> bool:
    """Whether `start` would not refuse it."""
    try:
        refuse_impossible(run, redo=redo)
    except Refused:
        return False
    return True


def refuse_impossible(run: Run, *, redo: bool) -> None:
    """Raises Refused as `start` does."""
    if run.finished_at is None:
        raise Refused(f"Run {run.pk} is still at work; wait until it has finished.")
    if run.state == Run.State.REFUSED:
        raise Refused(f"Run {run.pk} was refused and has done nothing.")
    if is_pruned(run):
        raise Refused(f"The history of run {run.pk} is no longer kept, so what it removed cannot come back.")
    open_undo = undos_of(run).filter(state=Undo.State.RUNNING).first()
    if open_undo:
        raise Refused(f"The {open_undo.get_kind_display().lower()} of run {run.pk} is still at work.")
    if redo and run.undone_at is None:
        raise Refused(f"Run {run.pk} is not undone, so there is nothing to do again.")
    if not redo and run.undone_at is not None and not _left_something(run):
        raise Refused(f"Run {run.pk} is undone already.")


def _left_something(run: Run) -> bool:
    last = undos_of(run).filter(kind=Undo.Kind.UNDO).first()
    return last is not None and any(counts_of(last).left.values())


def _origin(undo: Undo) -> Origin:
    source = ChangeSet.Source.USER if undo.started_by_id else ChangeSet.Source.SYSTEM
    note = f"{undo.kind} of run {undo.run_id}, {undo.run.workflow}"
    return Origin(source, user_id=undo.started_by_id, note=note, depth=undo.run.depth + 1)


def batches_of(run: Run) -> QuerySet[Batch]:
    """Those of which an action has changed something."""
    changed = ActionRun.objects.filter(batch=OuterRef("pk"), change_set__isnull=False)
    return Batch.objects.filter(Exists(changed), run=run).order_by("-id")


def change_sets_of(run: Run) -> list[int]:
    return _ids(ActionRun.objects.filter(batch__run=run))


def change_sets_of_batch(batch_id: int) -> list[int]:
    return _ids(ActionRun.objects.filter(batch=batch_id))


def _ids(action_runs: QuerySet[ActionRun]) -> list[int]:
    return [id_ for id_ in action_runs.values_list("change_set", flat=True) if id_ is not None]
