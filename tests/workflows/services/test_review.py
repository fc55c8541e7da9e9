"""Where several records match a person picks: the question is there as long as it is one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from associations.errors import LimitReached, Refused
from associations.models import Association, AssociationEnd, MatchKey, Record
from associations.services import archiving
from tests.factories import ORIGIN, associate, change, limit, make_label, make_record, make_records, object_type, words
from tests.plans import indexes, on_postgresql, plans, read_whole
from tests.workflows import making
from tests.workflows.reviewing import asked, open_ones, pick, rule_out, the_one
from workflows.models import ActionOutcome, Enrollment, Outcome, Run
from workflows.services import lifecycle, review, undo, why
from workflows.services.attempts import attempts

pytestmark = pytest.mark.django_db


def test_a_record_that_several_match_is_a_question_with_its_candidates() -> None:
    _, _, contact, companies = asked()
    question = the_one()
    assert (question.record, question.candidates, question.count) == (contact, companies, 2)
    assert question.outcome.value == "Alder"


def test_picking_associates_with_label_values_and_who_it_was(admin_user: User) -> None:
    employer = make_label("contact", "company", "Employer")
    _, run, contact, [first, second] = asked(label=employer)
    pick(second, admin_user.pk)
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


# None of them ------------------------------------------------------------------------------------


def test_a_record_of_which_none_is_meant_leaves_the_review_and_its_outcome_says_who_said_so(admin_user: User) -> None:
    _, _, contact, companies = asked()
    assert rule_out(*companies, user_id=admin_user.pk) == 0
    assert open_ones() == [] and not AssociationEnd.objects.filter(record=contact).exists()
    [told] = attempts(contact)
    assert told.outcome.said.startswith("Several records match; put up for review. None of them, said admin, ")


def test_candidates_can_be_ruled_out_one_after_the_other() -> None:
    _, _, contact, [first, second] = asked()
    assert rule_out(first) == 1
    assert the_one().candidates == [second]
    pick(second)
    assert "unlabeled" in words(contact, second) and open_ones() == []


def test_it_is_asked_again_when_another_one_matches_and_not_about_those_ruled_out() -> None:
    _, _, _, companies = asked()
    rule_out(*companies)
    other = make_record("company", name="ALDER")
    assert the_one().candidates == [other]


def test_it_is_asked_again_when_its_value_changes_to_one_that_others_have() -> None:
    _, _, contact, companies = asked()
    others = make_records("company", [{"name": "Birch"}] * 2)
    rule_out(*companies)
    change(contact, company="birch")
    assert the_one().candidates == others
    change(contact, company="alder")
    assert open_ones() == []


def test_it_is_asked_again_when_the_record_is_enrolled_again() -> None:
    workflow, _, contact, companies = asked()
    rule_out(*companies)
    making.enroll(workflow, [contact])
    assert the_one().candidates == companies
    rule_out(*companies)
    assert open_ones() == []


def test_it_is_not_asked_again_by_a_look_to_keep_in_sync_about_the_same_candidates() -> None:
    workflow, _, _, companies = asked(keep_in_sync=True)
    rule_out(*companies)
    lifecycle.turn_off(workflow)
    lifecycle.turn_on(workflow)
    making.work_off()
    looked_at = ActionOutcome.objects.filter(outcome=Outcome.AMBIGUOUS).values("action_run__batch__run__cause")
    assert looked_at.filter(action_run__batch__run__cause=Run.Cause.KEEP_IN_SYNC).exists()
    assert open_ones() == []


def test_another_workflow_asks_for_itself() -> None:
    _, _, contact, companies = asked()
    rule_out(*companies)
    step = making.create("company", "company", "name", several="review")
    making.enroll(making.make_workflow("contact", step), [contact])
    assert the_one().candidates == companies


def test_an_enrollment_that_is_undone_asks_nothing_again() -> None:
    workflow, _, contact, companies = asked()
    rule_out(*companies)
    run = making.enroll(workflow, [contact])
    for part in undo.start(run).parts.all():
        undo.work(part.pk)
    assert open_ones() == []


def test_only_what_is_a_candidate_can_be_ruled_out() -> None:
    _, _, _, [first, second] = asked()
    for others in ([], [first, make_record("company", name="other")]):
        with pytest.raises(Refused, match="These are not those that match"):
            rule_out(*others)
    assert the_one().candidates == [first, second]


# How many ----------------------------------------------------------------------------------------


def test_those_waiting_are_counted_in_all_and_by_workflow() -> None:
    workflow, _, _, companies = asked()
    other = making.make_workflow("contact", making.create("company", "city", "city", several="review"))
    making.enroll(other, [make_record("contact", city="City 0")])
    assert (str(review.waiting()), str(review.waiting(workflow)), str(review.waiting(other))) == ("1", "1", "0")
    rule_out(*companies)
    assert not review.waiting()


def test_counting_ends_at_a_number_and_says_that_there_are_more(monkeypatch: pytest.MonkeyPatch) -> None:
    workflow, _, _, _ = asked()
    making.enroll(workflow, make_records("contact", [{"company": "alder"}] * 3))
    assert [str(review.waiting(most=most)) for most in (2, 3, 4)] == ["2+", "3+", "4"]
    monkeypatch.setattr(review, "MOST_LOOKED_AT", 2)
    assert str(review.waiting()) == "3+"  # those of the newest run; it does not look on


@on_postgresql
def test_counting_reads_what_is_up_for_review_and_nothing_else_of_what_actions_said() -> None:
    workflow, _, _, _ = asked()
    making.enroll(workflow, make_records("contact", [{"company": "alder"}] * 50 + [{"company": "nobody"}] * 500))
    with plans() as found:
        review.waiting()
    grows = {model._meta.db_table for model in (Association, ActionOutcome, Enrollment, MatchKey, Record)}
    asking = [plan for plan in found if "up_for_review" in indexes(plan)]
    assert asking and not any(read_whole(plan) & grows for plan in asking)
