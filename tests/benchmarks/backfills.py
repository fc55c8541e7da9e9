"""Workflows over every record there is: create, the same again, apply, replace, remove, each by two workers."""

from __future__ import annotations

import time
from statistics import mean
from typing import Any

from associations.models import Association, ChangeSet, ObjectType, Property
from associations.services import labels, match_keys
from associations.types import DirectedType
from workflows.models import Action, Run, Workflow
from workflows.services import enrollment, lifecycle

from . import data, floors
from .report import Line, Report
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


def measure(report: Report, records: int) -> Line | None:
    """All backfills at one size; the line of the first one."""
    with report.part("match keys"):
        start = time.monotonic()
        for type_name, name in (("contact", "company"), ("company", "name")):
            prop = Property.objects.get(object_type__name=type_name, name=name)
            match_keys.ensure_match_index(prop, "normalized")
        match_key_seconds = time.monotonic() - start
        floors.settle()
    first: Line | None = None
    employer, partner, friend = (make_label(word) for word in ("Employer", "Partner", "Friend"))
    create = make_workflow(
        "Employers", "create_associations", enrolled_property="company", associated_property="name",
        label=str(employer.type_id),
    )  # fmt: skip
    with workers(WORKERS) as pids, Memory(pids) as memory:
        with report.part("backfill"):
            began = processor_seconds()
            seconds = seconds_of(create)
            worked = processor_seconds() - began
            rows = floors.keep_rows()
            began = processor_seconds()
            floor = mean([floors.insert(), floors.insert()])
            bare = (processor_seconds() - began) / 2
            first = report.add("backfill", seconds, "s", floor, f"{records:,} contacts, {rows:,} rows")
            report.add("backfill, of the processors", worked, "s", bare, "halved where two cores are free")
            report.add("match keys of a new property", match_key_seconds, "s", floor, "contacts and companies")
            report.add(
                "ledger and provenance", floor, "s", floors.insert_without_ledger(), "the rows with it : without"
            )
        with report.part("no-op"):
            floors.settle()
            report.add("no-op", *_with(seconds_of(create), floor))
        with report.part("apply"):
            apply = make_workflow("Apply", "apply_label", label=str(partner.type_id))
            floors.settle()
            seconds = seconds_of(apply)
            rows = floors.keep_rows(f"type_id = {partner.type.pk}")
            report.add("apply", *_with(seconds, mean([floors.insert(), floors.insert()])), note=f"{rows:,} rows")
        with report.part("update"):
            update = make_workflow(
                "Update", "update_labels", existing_label=str(partner.type_id), new_label=str(friend.type_id),
                mode="replace",
            )  # fmt: skip
            floor = floors.insert() + floors.delete()
            floors.settle()
            seconds = seconds_of(update)
            report.add("update (replace)", *_with(seconds, floor), note=f"{rows:,} rows")
        with report.part("remove"):
            remove = make_workflow("Remove", "remove_labels", labels=[str(friend.type_id)])
            floors.keep_rows(f"type_id = {friend.type.pk}")
            floor = floors.delete()
            floors.settle()
            report.add("remove", *_with(seconds_of(remove), floor), note=f"{rows:,} rows")
            assert not Association.objects.filter(type=friend.type.pk).exists()
        report.add("memory of a worker, at most", memory.most, "MB")
    floors.drop()
    return first


def _with(seconds: float, floor: float) -> tuple[float, str, float]:
    return seconds, "s", floor
