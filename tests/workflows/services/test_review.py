"""Where several records match a person picks: the question is there as long as it is one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.errors import LimitReached, Refused
from associations.models import Association, AssociationEnd, Record
from associations.services import archiving
from tests.associations.admin_pages import sign_in
from tests.factories import ORIGIN, associate, change, limit, make_label, make_record, make_records, object_type, words
from tests.workflows import making
from tests.workflows.admin_workflows import text, url
from workflows.models import Run, Workflow
from workflows.services import review, undo, why

pytestmark = pytest.mark.django_db


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


def test_a_record_that_several_match_is_a_question_with_its_candidates() -> None:
    _, _, contact, companies = asked()
    question = the_one()
    assert (question.record, question.candidates, question.count) == (contact, companies, 2)
    assert question.outcome.value == "Alder"


def test_picking_associates_with_label_values_and_who_it_was(admin_user: object) -> None:
    employer = make_label("contact", "company", "Employer")
    _, run, contact, [first, second] = asked(label=employer)
    pick(second, admin_user.pk)  # type: ignore[attr-defined]
    assert words(contact, second) == {"unlabeled", "Primary", "Employer"} and words(contact, first) == set()
    [made] = [each for each in why.of_pair(contact, second).there if each.what == "Associated"]
    assert (made.value, made.other_value) == ("Alder", "alder")
    assert made.maker.who == f"admin, review of run {run.pk}, {run.workflow}"
    assert open_ones() == []


def test_what_a_person_picked_is_not_taken_back_with_the_run() -> None:
    _, run, contact, [first, _] = asked()
    pick(first)
    undo.work(undo.start(run).parts.get().pk)
    assert "unlabeled" in words(contact, first)


def test_a_question_goes_when_it_is_answered_elsewhere() -> None:
    _, _, contact, [first, _] = asked()
    associate(contact, first)
    assert open_ones() == []


def test_a_question_goes_and_comes_with_the_values() -> None:
    _, _, contact, companies = asked()
    change(companies[0], name="other")
    assert the_one().candidates == [companies[1]]
    change(companies[1], name="other")
    assert open_ones() == []
    change(companies[0], name="ALDER")
    assert the_one().candidates == [companies[0]]
    change(contact, company="")
    assert open_ones() == []


def test_archived_records_are_no_candidates_and_ask_nothing() -> None:
    _, _, contact, [first, second] = asked()
    archiving.archive_records(object_type("company"), [first.pk], origin=ORIGIN)
    assert the_one().candidates == [second]
    archiving.archive_records(object_type("contact"), [contact.pk], origin=ORIGIN)
    assert open_ones() == []


def test_the_last_run_counts() -> None:
    workflow, run, contact, companies = asked()
    making.enroll(workflow, [contact])
    assert the_one().action_run.batch.run_id > run.pk
    change(companies[0], name="other")
    making.enroll(workflow, [contact])
    assert open_ones() == [] and "unlabeled" in words(contact, companies[1])


def test_an_undone_run_asks_nothing() -> None:
    _, run, _, _ = asked()
    for part in undo.start(run).parts.all():
        undo.work(part.pk)
    assert open_ones() == []


def test_what_does_not_match_or_has_no_room_cannot_be_picked() -> None:
    employer = make_label("contact", "company", "Employer")
    limit(employer, to=1, inverse=1)
    _, _, contact, [first, _] = asked(label=employer)
    with pytest.raises(Refused, match="does not match"):
        pick(make_record("company", name="other"))
    associate(make_record("contact"), first, employer)
    with pytest.raises(LimitReached):
        pick(first)
    assert not AssociationEnd.objects.filter(record=contact).exists()


def test_the_number_of_queries_to_find_questions_does_not_grow() -> None:
    workflow, _, _, _ = asked()

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            list(review.questions())
        return len(queries)

    before = count()
    making.enroll(workflow, make_records("contact", [{"company": "alder"}] * 5))
    assert len(open_ones()) == 6 and count() == before


def test_the_pages_show_candidates_side_by_side_and_take_the_answer() -> None:
    _, _, contact, [first, second] = asked()
    client = sign_in("run_workflow", "view_record")
    address = url("workflow_pick", the_one().action_run.pk, contact.pk)
    assert address in text(client.get(url("workflow_review")))
    page = text(client.get(address))
    assert "City 0" in page and "City 1" in page and "This one" in page
    answered = client.post(address, {"other": second.pk}, follow=True)
    assert "The records are associated." in text(answered) and "Nothing is to be decided." in text(answered)
    assert "unlabeled" in words(contact, second) and words(contact, first) == set()
    late = client.post(address, {"other": first.pk}, follow=True)
    assert "no longer to be decided" in text(late)


@pytest.mark.parametrize("permission", ["run_workflow", "view_record"])
def test_only_who_may_run_workflows_and_see_records_may_pick(permission: str) -> None:
    _, _, contact, [first, _] = asked()
    client = sign_in(permission)
    address = url("workflow_pick", the_one().action_run.pk, contact.pk)
    assert client.get(url("workflow_review")).status_code == 403
    assert client.post(address, {"other": first.pk}).status_code == 403
    assert not Association.objects.exists()
