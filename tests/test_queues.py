"""The bell between the database and the workers: it rings once for many changes, after the commit only, and whoever
could not hear it is told by the sweep."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import django_rq
import pytest
from django.conf import settings
from django.db import OperationalError, transaction

from associations.models import ChangeSet, Record, RecordEvent
from crmproject import queues
from tests.concurrency import at_once
from tests.factories import change, make_record, make_records, words
from tests.servers import Valkey
from tests.workflows.making import create, is_, make_workflow
from workflows import jobs
from workflows.models import Enrollment
from workflows.services import enrollment, events, synced
from workflows.services.sweeping import sweep

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
BELL = settings.RECORD_EVENTS_JOB


class Boom(Exception):
    """Something goes wrong in the middle of a transaction."""


def waiting(queue: str = "default") -> list[tuple[str | None, tuple[Any, ...]]]:
    """The jobs in a queue and what they are called with."""
    return [(str(job.func_name), tuple(job.args)) for job in django_rq.get_queue(queue).jobs]


def test_many_saves_ring_the_bell_once() -> None:
    for record in make_records("contact", 3):
        change(record, city="Boston")
    assert ChangeSet.objects.filter(processed_at=None).count() == 4
    assert waiting() == [(BELL, ())]


def test_the_bell_rings_after_the_commit_and_not_before() -> None:
    with transaction.atomic():
        make_record("contact")
        assert waiting() == []
    assert waiting() == [(BELL, ())]


def test_a_change_that_is_rolled_back_rings_nothing_and_leaves_nothing() -> None:
    workflow = make_workflow("contact", create("company", "city", "city"))
    contact = make_record("contact")
    django_rq.get_connection("default").flushall()
    with pytest.raises(Boom), transaction.atomic():
        make_record("contact", city="Boston")
        enrollment.enroll_records(workflow, [contact.pk])
        raise Boom
    assert waiting() == waiting("bulk") == []
    assert (Record.objects.count(), RecordEvent.objects.count(), ChangeSet.objects.count()) == (1, 1, 1)
    assert not Enrollment.objects.exists()


def test_a_change_while_the_job_looks_is_seen_by_its_next_look_and_one_after_its_last_look_rings_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Someone saves a record right after each of the job's looks; it looks once more when it has answered the bell.
    Other jobs wait, so it does not wait for more."""
    looks, look = [], events.process_events

    def look_while_others_save(**more: bool) -> bool:
        again = look(**more)
        looks.append(ChangeSet.objects.filter(processed_at=None).count())
        if len(looks) <= 2:
            at_once(lambda: make_record("contact"))
        return again

    monkeypatch.setattr(events, "process_events", look_while_others_save)
    make_record("contact")
    at_once(lambda: queues.enqueue("tests.jobs.rename", 1, queue="bulk"))
    django_rq.get_queue("default").empty()  # a worker has taken it
    jobs.process_events()
    assert looks == [0, 0]
    assert waiting() == [(BELL, ())], "the one after the last look"
    django_rq.get_queue("default").empty()
    jobs.process_events()
    assert waiting() == []
    assert not ChangeSet.objects.filter(processed_at=None).exists()


def test_who_has_looked_waits_a_moment_for_more_before_it_answers_the_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    bells, look = [], events.process_events

    def look_while_others_save(**more: bool) -> bool:
        bells.append(django_rq.get_connection("default").exists(f"bell:{BELL}"))
        again = look(**more)
        if len(bells) == 1:
            at_once(lambda: make_record("contact"))
        return again

    monkeypatch.setattr(events, "process_events", look_while_others_save)
    monkeypatch.setattr(jobs, "LINGERING", 0.2)
    make_record("contact")
    django_rq.get_queue("default").empty()  # a worker has taken it
    jobs.process_events()
    assert bells == [1, 1, 0]
    assert waiting() == []
    assert not ChangeSet.objects.filter(processed_at=None).exists()


def test_where_many_are_saved_during_a_look_the_next_one_waits_for_more_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks, look, sleep = [], events.process_events, time.sleep

    def look_while_others_save(**more: bool) -> bool:
        looks.append(ChangeSet.objects.filter(processed_at=None).count())
        again = look(**more)
        if len(looks) == 1:
            for _ in range(jobs.MANY):
                at_once(lambda: make_record("contact"))
        return again

    def save_meanwhile(seconds: float) -> None:
        if seconds == jobs.LINGERING:
            at_once(lambda: make_record("contact"))
        sleep(seconds)

    monkeypatch.setattr(events, "process_events", look_while_others_save)
    monkeypatch.setattr(time, "sleep", save_meanwhile)
    make_record("contact")
    django_rq.get_queue("default").empty()  # a worker has taken it
    jobs.process_events()
    assert looks == [1, jobs.MANY + 1, 0]


def test_a_job_that_fails_leaves_a_bell_that_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**more: bool) -> None:
        raise OperationalError("The database restarts.")

    monkeypatch.setattr(jobs, "PAUSES", ())
    make_record("contact")
    django_rq.get_queue("default").empty()
    with monkeypatch.context() as patched:
        patched.setattr(events, "process_events", fail)
        with pytest.raises(OperationalError):
            jobs.process_events()
    make_record("contact")
    assert waiting() == [(BELL, ())]


def test_after_the_work_the_bell_rings_again() -> None:
    make_record("contact")
    jobs.process_events()
    assert not ChangeSet.objects.filter(processed_at=None).exists()
    make_record("contact")
    assert waiting() == [(BELL, ())] * 2


def test_a_bell_whose_job_is_lost_does_not_stay_silent_for_ever() -> None:
    make_record("contact")
    remaining = django_rq.get_connection("default").ttl(f"bell:{BELL}")
    assert 0 < remaining <= queues.BELL_SECONDS


def test_who_looks_at_what_happened_does_the_first_actions_itself_and_leaves_the_others_to_the_queue() -> None:
    for _ in range(events.AT_ONCE + 2):
        make_workflow("contact", create("company", "city", "city"), triggers=[[is_("city", "Boston")]])
    make_record("contact", city="Boston")
    django_rq.get_connection("default").flushall()
    jobs.process_events()
    assert Enrollment.objects.filter(state=Enrollment.State.FINISHED).count() == events.AT_ONCE
    left = Enrollment.objects.filter(state=Enrollment.State.ACTIVE).values_list("batch", flat=True)
    assert waiting() == [(enrollment.RUN_ACTION, (pk, 0)) for pk in sorted(left)]


def test_who_looks_at_what_happened_looks_at_what_came_of_it_too_without_ringing_for_it() -> None:
    """A workflow that associates brings the contact into another one, whose trigger asks for the association."""
    make_workflow("contact", create("company", "city", "city"), triggers=[[is_("city", "Boston")]])
    associated = {"kind": "association", "type_id": 279, "has": True}
    follows = make_workflow("contact", create("company", "state", "state"), triggers=[[associated]])
    make_record("company", city="Boston")
    make_record("contact", city="Boston")
    django_rq.get_connection("default").flushall()
    jobs.process_events()
    assert Enrollment.objects.get(workflow=follows).state == Enrollment.State.FINISHED
    assert not ChangeSet.objects.filter(processed_at=None).exists()
    assert waiting() == []
    assert queues.counted()["enrollments"] == 2


def test_what_still_is_to_be_looked_at_when_a_job_has_looked_often_enough_rings_the_bell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "MOST_LOOKS", 1)
    make_workflow("contact", create("company", "city", "city"), triggers=[[is_("city", "Boston")]])
    associated = {"kind": "association", "type_id": 279, "has": True}
    make_workflow("contact", create("company", "state", "state"), triggers=[[associated]])
    make_record("company", city="Boston")
    make_record("contact", city="Boston")
    django_rq.get_connection("default").flushall()
    jobs.process_events()
    assert ChangeSet.objects.filter(processed_at=None).count() == 1
    assert waiting() == [(BELL, ())]


def test_bells_of_other_names_are_other_bells() -> None:
    with transaction.atomic():
        for name in ("tests.jobs.rename", "tests.jobs.rename", BELL):
            queues.ring(name)
    assert sorted(waiting()) == [("tests.jobs.rename", ()), (BELL, ())]


def test_jobs_come_in_the_order_of_the_changes_and_into_their_queue() -> None:
    with transaction.atomic():
        for number in (3, 1, 2):
            queues.enqueue("tests.jobs.rename", number)
        queues.enqueue("tests.jobs.rename", 9, 8, queue="bulk")
    assert waiting() == [("tests.jobs.rename", (number,)) for number in (3, 1, 2)]
    assert waiting("bulk") == [("tests.jobs.rename", (9, 8))]


# When the queue is down -------------------------------------------------------------------------


def test_while_the_queue_is_down_saving_works_and_the_sweep_enrolls_later(
    queue_server: Valkey, run_jobs: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    make_workflow("contact", create("company", "city", "city"), triggers=[[is_("city", "Boston")]])
    company = make_record("company", city="Boston")
    run_jobs()
    queue_server.kill()
    contact = make_record("contact", city="Boston")
    assert "The queue does not answer" in caplog.text
    assert words(contact, company) == set()
    queue_server.start()
    assert waiting() == []
    assert sweep(seconds=-1) == 1
    run_jobs()
    assert words(contact, company) == {"unlabeled", "Primary"}


def test_runs_and_batches_nobody_was_told_of_are_taken_up_from_where_they_are(
    queue_server: Valkey, run_jobs: Callable[[], None]
) -> None:
    contacts = make_records("contact", 2)
    workflow = make_workflow("contact", create("company", "city", "city"), create("company", "state", "state"))
    queue_server.kill()
    by_name = enrollment.enroll_records(workflow, [contacts[0].pk])
    jobs.run_action(by_name.batches.get().pk, 0)
    by_range = enrollment.enroll_matching(workflow, [[]])
    queue_server.start()
    sweep(seconds=-1)
    assert (enrollment.RUN_ACTION, (by_name.batches.get().pk, 1)) in waiting("bulk")
    assert (synced.PREPARE_RUN, (by_range.pk,)) in waiting("bulk")
    run_jobs()
    assert set(Enrollment.objects.values_list("state", flat=True)) == {Enrollment.State.FINISHED}
    assert Enrollment.objects.count() == 2
    assert sweep(seconds=-1) == 0


def test_answering_a_queue_that_is_down_is_a_warning(queue_server: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    queue_server.kill()
    queues.answer(BELL)
    assert "The queue does not answer" in caplog.text
    queue_server.start()


# In the foreground ------------------------------------------------------------------------------


def test_in_the_foreground_jobs_are_done_here_and_the_queue_is_not_asked(queue_server: Valkey) -> None:
    make_workflow("contact", create("company", "city", "city"), triggers=[[is_("city", "Boston")]])
    queue_server.kill()
    with queues.foreground() as working:
        company = make_record("company", city="Boston")
        contacts = make_records("contact", [{"city": "Boston"}] * 2)
        done = list(working)
    queue_server.start()
    assert [words(each, company) for each in contacts] == [{"unlabeled", "Primary"}] * 2
    assert done == [BELL]
    assert waiting() == []


def test_outside_the_block_jobs_go_into_the_queue_again() -> None:
    with pytest.raises(Boom), queues.foreground():
        raise Boom
    make_record("contact")
    assert waiting() == [(BELL, ())]
