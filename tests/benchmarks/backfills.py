"""Workflows over every record there is: create, the same again, apply, replace, remove, each by two workers."""

from __future__ import annotations

import time
from statistics import mean
from typing import Any

from associations.models import Association, ChangeSet, ObjectType, Property
from associations.services import labels, match_keys
from associations.types import DirectedType
from workflows.models import Action, Run, Undo, Workflow
from workflows.services import enrollment, lifecycle, undo

from . import data, floors, pages
from .report import Report
from .workers import Memory, processor_seconds, wait_until, workers

WORKERS = 2


def prepare(records: int) -> None:
    data.write("company", data.companies(max(records // 10, 10)))
    data.write("contact", data.contacts(records, max(records // 10, 10)))
    floors.settle()


def make_label(word: str) -> DirectedType:
    contact, company = (ObjectType.objects.get(name=name) for name in ("contact", "company"))
    return labels.create_label(contact, company, label=word)


def make_workflow(name: str, kind: str, **fields: Any) -> Workflow:
    workflow = Workflow.objects.create(
        name=name, object_type=ObjectType.objects.get(name="contact"), should_re_enroll=True
    )
    Action.objects.create(workflow=workflow, position=0, kind=kind, fields={"to_object_type": "0-2", **fields})
    lifecycle.turn_on(workflow)
    return workflow


def seconds_of(workflow: Workflow) -> float:
    """From the click to the last association."""
    start = time.monotonic()
    run = enrollment.enroll_matching(workflow, [[]])
    end = wait_until(lambda: Run.objects.filter(pk=run.pk, finished_at__isnull=False).exists())
    run.refresh_from_db()
    if run.state != Run.State.FINISHED:
        raise RuntimeError(f"{run} is {run.state}: {run.note}")
    wait_until(
        lambda: not ChangeSet.objects.filter(processed_at=None).exists()
    )  # not counted, but not left to the next
    return end - start


class Backfills:
    """All of them at one size, each on what the one before has left. All rest on the first, which is never left out."""

    def __init__(self, report: Report, records: int) -> None:
        self.report, self.records = report, records
        self.seconds = self.floor = 0.0
        self.employer, self.partner, self.friend = (make_label(word) for word in ("Employer", "Partner", "Friend"))
        self.labeled: DirectedType | None = None  # what apply or update has left
        self.create: Workflow
        self.made: Run

    def measure(self) -> None:
        report = self.report
        match_key_seconds = self._match_keys()
        self.create = make_workflow(
            "Employers", "create_associations", enrolled_property="company", associated_property="name",
            label=str(self.employer.type_id),
        )  # fmt: skip
        with workers(WORKERS) as pids, Memory(pids) as memory:
            self._backfill(match_key_seconds)
            for name, part in (("no-op", self._no_op), ("undo", self._undo)):
                report.run(name, part)
        report.run("one worker", self._one_worker)
        if not Association.objects.exists():
            self._enroll(WORKERS)
        most, later = memory.most, (("apply", self._apply), ("update", self._update), ("remove", self._remove))
        if {name for name, _ in later} & set(report.chosen):
            with workers(WORKERS) as pids, Memory(pids) as more:
                for name, part in later:
                    report.run(name, part)
            most = max(most, more.most)
        report.add("memory of a worker, at most", most, "MB")
        floors.drop()
        report.run("pages", lambda: pages.measure_pages(report))
        report.run("preview", lambda: pages.measure_preview(report, self.create))

    def _match_keys(self) -> float:
        start = time.monotonic()
        for type_name, name in (("contact", "company"), ("company", "name")):
            prop = Property.objects.get(object_type__name=type_name, name=name)
            match_keys.ensure_match_index(prop, "normalized")
        seconds = time.monotonic() - start
        floors.settle()
        return seconds

    def _backfill(self, match_key_seconds: float) -> None:
        report, began = self.report, processor_seconds()
        self.seconds = seconds_of(self.create)
        self.made = Run.objects.latest("pk")
        worked = processor_seconds() - began
        rows = floors.keep_rows()
        began = processor_seconds()
        floor = self.floor = mean([floors.insert(), floors.insert()])
        bare = (processor_seconds() - began) / 2
        self._add_both("backfill", self.seconds, floor, f"{self.records:,} contacts, {rows:,} rows")
        report.add("backfill, of the processors", worked, "s", bare, "halved where two cores are free")
        report.add("match keys of a new property", match_key_seconds, "s", floor, "contacts and companies")
        report.add("ledger and provenance", floor, "s", floors.insert_without_ledger(), "the rows with it : without")

    def _enroll(self, count: int) -> float:
        floors.settle()
        with workers(count):
            seconds = seconds_of(self.create)
        self.made = Run.objects.latest("pk")
        return seconds

    def _no_op(self) -> None:
        floors.settle()
        self._add_both("no-op", seconds_of(self.create), self.floor)

    def _undo(self) -> None:
        floors.settle()
        self.report.add("undo", self._take_back(), "s", self.seconds, "the floor is the backfill itself")

    def _take_back(self) -> float:
        """Undo the run that made all there is; everything must be gone."""
        run = self.made
        start = time.monotonic()
        begun = undo.start(run)
        end = wait_until(lambda: not Undo.objects.filter(pk=begun.pk, state=Undo.State.RUNNING).exists())
        begun.refresh_from_db()
        left = Association.objects.count()
        if begun.state != Undo.State.FINISHED or left:
            raise RuntimeError(f"{begun} is {begun.state}, {left:,} associations are left")
        wait_until(lambda: not ChangeSet.objects.filter(processed_at=None).exists())
        return end - start

    def _one_worker(self) -> None:
        """Both on records that were enrolled and undone before, so that they do the same."""
        seconds = []
        for count in (1, WORKERS):
            if Association.objects.exists():
                with workers(WORKERS):
                    self._take_back()
            seconds.append(self._enroll(count))
        self.report.add("one worker", seconds[0], "s", seconds[1], "the floor is the same by two workers")
        floors.keep_rows()
        batches = self.made.batches.count()
        bare = [min(floors.insert_side_by_side(count, batches) for _ in range(3)) for count in (1, WORKERS)]
        self.report.add("one bare insert at a time", bare[0], "s", bare[1], "the floor is two of them side by side")

    def _apply(self) -> None:
        apply = make_workflow("Apply", "apply_label", label=str(self.partner.type_id))
        floors.settle()
        seconds = seconds_of(apply)
        self.labeled = self.partner
        rows = floors.keep_rows(f"type_id = {self.partner.type.pk}")
        self._add_both("apply", seconds, mean([floors.insert(), floors.insert()]), f"{rows:,} rows")

    def _need_label(self) -> DirectedType:
        """For a part that is chosen without those before it."""
        if self.labeled is None:
            seconds_of(make_workflow("Apply first", "apply_label", label=str(self.partner.type_id)))
            self.labeled = self.partner
        return self.labeled

    def _update(self) -> None:
        update = make_workflow(
            "Update", "update_labels", existing_label=str(self._need_label().type_id),
            new_label=str(self.friend.type_id), mode="replace",
        )  # fmt: skip
        rows = floors.keep_rows(f"type_id = {self.partner.type.pk}")
        floor = floors.insert() + floors.delete()
        floors.settle()
        seconds = seconds_of(update)
        self.labeled = self.friend
        self._add_both("update (replace)", seconds, floor, f"{rows:,} rows")

    def _remove(self) -> None:
        label = self._need_label()
        remove = make_workflow("Remove", "remove_labels", labels=[str(label.type_id)])
        rows = floors.keep_rows(f"type_id = {label.type.pk}")
        floor = floors.delete()
        floors.settle()
        seconds = seconds_of(remove)
        self._add_both("remove", seconds, floor, f"{rows:,} rows")
        assert not Association.objects.filter(type=label.type.pk).exists()

    def _add_both(self, name: str, seconds: float, floor: float, note: str = "") -> None:
        """Of the last run: beside the association rows alone, and beside all the rows that it has kept."""
        self.report.add(name, seconds, "s", floor, note)
        kept = floors.keep(Run.objects.latest("pk").pk)
        self.report.add(f"{name}, with what a run keeps", seconds, "s", floor + kept, "enrollments, outcomes, history")
