"""Preview: what a run over all records would do, in figures, in examples and row by row; and nothing of it is kept.

The figures are those of a rehearsal (see rehearsal), so they are the run's own. Few records are counted exactly at
once; of many a sample gives an estimate at once, and a job counts them exactly. Called by admin, API, command and job.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zlib
from collections.abc import Iterator
from itertools import islice

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from associations import querysets
from crmproject import queues
from workflows.models import Preview, PreviewPart, Workflow

from . import lifecycle, synced
from .preview_figures import Figures, csv_rows, figures_of
from .rehearsal import Progress, read_complete, rehearsed_all, rehearsed_records
from .sampling import matchings, missing_keys

SAMPLE = 1_000
# How many pairs a sample associates.
MOST_PAIRS = 10_000
# Seconds for reading the values that no action has matched on before: a million short texts, or 30,000 phone numbers.
READ_WITHIN = 1.5
# A part of the CSV is about a megabyte, compressed to a tenth.
ROWS_OF_PART = 10_000
# How many of those to be looked at again are counted; beyond it says "10,000+".
MOST_COUNTED = 10_000
COUNT_PREVIEW = "workflows.jobs.count_preview"


def first_figures(workflow: Workflow) -> Figures:
    """The figures of the workflow as it is edited: exact where it has few records, else of a sample, within a moment;
    of none where so many values are compared that were never read before that reading them takes longer.

    Raises ValidationError for what could not be turned on.
    """
    definition = lifecycle.definition_json(workflow)
    ids, of = _sample(workflow)
    is_sample = len(ids) < of
    matched = matchings(read_complete(definition, workflow), ids, READ_WITHIN if is_sample else None)
    if matched is None:
        return Figures(looked_at=0, of=of, enrolled=0, actions=[])
    if is_sample:  # fewer where each record matches very many
        ids = ids[:: sum(each.pairs() for each in matched) // MOST_PAIRS + 1]
    with rehearsed_records(workflow, definition, ids, keys=missing_keys(matched, ids)) as run:
        return figures_of(run, looked_at=len(ids), of=of)


def is_small(workflow: Workflow) -> bool:
    """Whether the first figures are exact, for there are few records."""
    return querysets.live_records(workflow.object_type)[: SAMPLE + 1].count() <= SAMPLE


def exact_figures(workflow: Workflow, progress: Progress = lambda done, steps: None) -> Figures:
    """The figures over all records, here and now."""
    with rehearsed_all(workflow, lifecycle.definition_json(workflow), progress) as run:
        return figures_of(run)


def exact_rows(workflow: Workflow, progress: Progress = lambda done, steps: None) -> Iterator[list[str]]:
    """What would be done for every record, a row of text each, here and now; see preview_figures.COLUMNS."""
    with rehearsed_all(workflow, lifecycle.definition_json(workflow), progress) as run:
        yield from csv_rows(run)


def what_follows(workflow: Workflow) -> str:
    """What turning on does besides enrolling, and what no figure contains: who was enrolled before is looked at again,
    where an action keeps in sync. A sentence, empty where nobody is. A workflow that is on has done so."""
    if workflow.is_enabled:
        return ""
    records = synced.to_bring_in_sync(workflow, lifecycle.definition_json(workflow))
    count = records[: MOST_COUNTED + 1].count()
    if not count:
        return ""
    of_type = workflow.object_type
    who = f"{of_type.label.lower()} that was" if count == 1 else f"{of_type.plural_label.lower()} that were"
    return (
        f"{querysets.counted(count, MOST_COUNTED)} {who} enrolled before will be looked at again when it is turned on,"
        " to keep in sync: what matches now is associated, and what was associated and no longer matches goes."
    )


# By a job ---------------------------------------------------------------------------------------


def latest(workflow: Workflow) -> Preview | None:
    """The last preview that was asked for, if it is of the workflow as it is edited now."""
    last = Preview.objects.filter(workflow=workflow).first()
    return last if last and last.definition == lifecycle.definition_json(workflow) else None


def request(workflow: Workflow, *, user_id: int | None = None) -> Preview:
    """Have a worker count exactly; until then the preview has the first figures. It takes the place of older ones."""
    figures = first_figures(workflow)
    with transaction.atomic():
        Preview.objects.filter(workflow=workflow).delete()
        asked = Preview.objects.create(
            workflow=workflow,
            definition=lifecycle.definition_json(workflow),
            figures=figures,
            requested_by_id=user_id,
        )
        queues.enqueue(COUNT_PREVIEW, asked.pk, queue="bulk")
    return asked


def count(preview_id: int) -> None:
    """Count a preview that waits. Doing it twice does no harm; one that is gone, or done, is left."""
    asked = Preview.objects.select_related("workflow__object_type").filter(pk=preview_id).first()
    if asked is None or asked.state != Preview.State.WAITING:
        return
    try:
        with rehearsed_all(asked.workflow, asked.definition, _noted(asked)) as run:
            figures, parts = figures_of(run), list(_compressed(csv_rows(run)))
    except ValidationError as error:
        give_up(asked.pk, " ".join(error.messages))
        return
    with transaction.atomic():
        waiting = Preview.objects.filter(pk=asked.pk, state=Preview.State.WAITING)
        if waiting.update(state=Preview.State.FINISHED, figures=figures, finished_at=timezone.now()):
            PreviewPart.objects.bulk_create(
                PreviewPart(preview=asked, number=number, content=content) for number, content in enumerate(parts)
            )


def give_up(preview_id: int, reason: str) -> None:
    Preview.objects.filter(pk=preview_id, state=Preview.State.WAITING).update(
        state=Preview.State.FAILED, note=reason, finished_at=timezone.now()
    )


def ring_for_waiting(seconds: float) -> int:
    """Ring again for previews that have waited for more seconds and that the queue has lost; how many.

    A long count is one transaction that nobody can look into, so the queue is asked whether somebody is at it.
    """
    before = timezone.now() - dt.timedelta(seconds=seconds)
    waiting = Preview.objects.filter(state=Preview.State.WAITING, created_at__lt=before).order_by("id")
    lost = [id_ for id_ in waiting.values_list("id", flat=True) if not queues.holds(COUNT_PREVIEW, id_, queue="bulk")]
    for preview_id in lost:
        queues.enqueue(COUNT_PREVIEW, preview_id, queue="bulk")
    return len(lost)


def progress_of(asked: Preview) -> tuple[int, int]:
    """How many steps of a preview are done, of how many; (0, 0) where it has not begun."""
    return queues.progress(_name(asked)) or (0, 0)


def whole_csv(workflow: Workflow) -> Iterator[bytes] | None:
    """All rows as CSV: those that a worker has kept, or of few records counted here and now; None where an exact count
    must be asked for first. Raises ValidationError for what could not be turned on."""
    asked = latest(workflow)
    if asked and asked.state == Preview.State.FINISHED:
        return csv_of(asked)
    if is_small(workflow):
        return iter(["".join(csv_text(exact_rows(workflow))).encode()])
    return None


def csv_of(asked: Preview) -> Iterator[bytes]:
    """The rows of a finished preview, part by part."""
    for content in asked.parts.order_by("number").values_list("content", flat=True).iterator(chunk_size=1):
        yield zlib.decompress(content)


def csv_text(rows: Iterator[list[str]]) -> Iterator[str]:
    """Rows as CSV, in parts of many rows."""
    while part := list(islice(rows, ROWS_OF_PART)):
        text = io.StringIO()
        csv.writer(text).writerows(part)
        yield text.getvalue()


def _compressed(rows: Iterator[list[str]]) -> Iterator[bytes]:
    return (zlib.compress(text.encode()) for text in csv_text(rows))


def _noted(asked: Preview) -> Progress:
    return lambda done, steps: queues.note_progress(_name(asked), done, steps)


def _name(asked: Preview) -> str:
    return f"preview-{asked.pk}"


# The sample -------------------------------------------------------------------------------------


def _sample(workflow: Workflow) -> tuple[list[int], int]:
    """Ids of about SAMPLE records, all over the live ones of the workflow's type, and how many there are of these."""
    records = querysets.live_records(workflow.object_type).order_by()
    of = records.count()
    if of > SAMPLE:
        # Multiples of the golden ratio: spread evenly, whatever pattern the ids of the type have.
        place = F("id") % 2**31 * 2_654_435_761 % 2**32
        records = records.alias(place=place).filter(place__lt=2**32 * SAMPLE // of)
    return list(records.order_by("id").values_list("id", flat=True)[: SAMPLE * 2]), of
