"""How the installation is doing, in figures: what waits, how long, and what was done.

Called by the views /readyz and /metrics. What waits is read from the database at each asking, through partial
indexes; what was done is counted in Valkey as it happens (see `count_action`), so that the figures of all hosts add
up and no table is summed. Counters start anew with an empty queue server, as Prometheus expects of a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.models import Min
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from associations.models import ChangeSet
from crmproject import queues
from workflows.models import ActionRun, Batch, Enrollment, Run

BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True)
class Waiting:
    """What waits in the database; ages in seconds, 0 where nothing waits."""

    change_sets: int
    oldest_change_set: float
    runs: int
    batches: int
    failed_batches: int
    oldest_batch: float


def waiting() -> Waiting:
    change_sets = ChangeSet.objects.filter(processed_at=None)
    batches = Batch.objects.filter(state=Batch.State.WAITING)
    return Waiting(
        change_sets=change_sets.count(),
        oldest_change_set=_age(change_sets.aggregate(oldest=Min("at"))["oldest"]),
        runs=Run.objects.filter(finished_at=None).count(),
        batches=batches.count(),
        failed_batches=Batch.objects.filter(state=Batch.State.FAILED).count(),
        oldest_batch=_age(batches.aggregate(oldest=Min("updated_at"))["oldest"]),
    )


def _age(since: object) -> float:
    return (timezone.now() - since).total_seconds() if since else 0.0  # type: ignore[operator]


def not_ready(*, most_seconds: float) -> dict[str, str]:
    """What keeps the installation from working, by part, in words; empty where all is well."""
    problems = {}
    try:
        connection.ensure_connection()
        oldest = waiting().oldest_change_set
        if oldest > most_seconds:
            problems["events"] = f"The oldest unprocessed event has waited for {oldest:.0f} seconds."
    except Exception as error:  # whatever it is, this is the place to say it
        problems["database"] = f"The database does not answer: {type(error).__name__}."
    try:
        if queues.worker_count() == 0:
            problems["workers"] = "No worker runs; start one with `manage.py rqworker default bulk`."
    except queues.QueueError as error:
        problems["queue"] = f"The queue does not answer: {type(error).__name__}."
    return problems


def count_enrolled(count: int) -> None:
    """Count records that were enrolled, once the transaction is committed."""
    queues.count({"enrollments": count})


def count_action(action_run: ActionRun) -> None:
    """Count an action that was done, once its transaction is committed."""
    assert action_run.finished_at is not None
    seconds = (action_run.finished_at - action_run.started_at).total_seconds()
    bucket = next((str(each) for each in BUCKETS if seconds <= each), "+Inf")
    counts: dict[str, float] = {f"bucket|{bucket}": 1, "seconds": seconds}
    for outcome, each in action_run.outcomes.items():
        counts[f"outcome|{action_run.kind}|{outcome}"] = each["pairs"] or each["records"]
    queues.count(counts)


def metrics() -> bytes:
    """All figures in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Figures())
    return generate_latest(registry)


class _Figures(Collector):
    def collect(self) -> Iterator[Metric]:
        now = waiting()
        for name, text, value in (
            ("events_waiting", "Change sets that workflows have not looked at", now.change_sets),
            ("oldest_event_seconds", "How long the oldest of them has waited", now.oldest_change_set),
            ("runs_unfinished", "Runs that are not finished", now.runs),
            ("batches_waiting", "Batches with an action due", now.batches),
            ("oldest_batch_seconds", "How long the oldest of them has waited", now.oldest_batch),
            ("batches_failed", "Batches put aside, to be retried", now.failed_batches),
            ("enrollments_active", "Records in a workflow now", _active_enrollments()),
        ):
            yield GaugeMetricFamily(f"crm_{name}", text, value=value)
        counted = queues.counted()
        yield CounterMetricFamily("crm_enrollments", "Enrollments worked on", value=counted.get("enrollments", 0))
        outcomes = CounterMetricFamily(
            "crm_outcomes", "Outcomes of actions, in pairs or records", labels=("action", "outcome")
        )
        for name, value in sorted(counted.items()):
            if name.startswith("outcome|"):
                outcomes.add_metric(name.split("|")[1:], value)
        yield outcomes
        yield _seconds_histogram(counted)


def _active_enrollments() -> int:
    return Enrollment.objects.filter(state=Enrollment.State.ACTIVE, batch__state=Batch.State.WAITING).count()


def _seconds_histogram(counted: dict[str, float]) -> HistogramMetricFamily:
    total, buckets = 0.0, []
    for bound in (*map(str, BUCKETS), "+Inf"):
        total += counted.get(f"bucket|{bound}", 0)
        buckets.append((bound, total))
    return HistogramMetricFamily(
        "crm_batch_seconds", "Seconds of one action for one batch", buckets=buckets, sum_value=counted.get("seconds", 0)
    )
