"""Records put up for review, and what a person says of them, for tests."""

from __future__ import annotations

from associations.models import Record
from tests.factories import make_record, make_records
from tests.workflows import making
from workflows.models import Run, Workflow
from workflows.services import review


def asked(several: int = 2, **more: object) -> tuple[Workflow, Run, Record, list[Record]]:
    contact = make_record("contact", company="Alder")
    companies = make_records("company", [{"name": "alder", "city": f"City {number}"} for number in range(several)])
    step = making.create("company", "company", "name", several="review", **more)  # type: ignore[arg-type]
    workflow = making.make_workflow("contact", step, should_re_enroll=True)
    return workflow, making.enroll(workflow, [contact]), contact, companies


def open_ones() -> list[int]:
    return [each.record_id for each in review.questions()]


def the_one() -> review.Question:
    [outcome] = review.questions()
    return review.question(outcome.action_run_id, outcome.record_id)


def pick(other: Record, user_id: int | None = None) -> None:
    question = the_one()
    review.pick(question.action_run.pk, question.record.pk, other.pk, user_id=user_id)


def rule_out(*others: Record, user_id: int | None = None) -> int:
    question = the_one()
    ids = [each.pk for each in others]
    return review.rule_out(question.action_run.pk, question.record.pk, ids, user_id=user_id)
