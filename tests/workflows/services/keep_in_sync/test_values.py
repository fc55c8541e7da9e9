"""What an action keeps in sync goes again when the values stop matching, and comes when they begin to."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import Association, AssociationClaim, Record
from associations.querysets import Surroundings
from associations.services import archiving, merging
from tests.factories import (
    ORIGIN,
    associate,
    associated,
    change,
    limit,
    make_label,
    make_record,
    make_records,
    object_type,
    unlabeled,
    words,
)
from tests.workflows.making import (
    create,
    enroll,
    is_,
    make_workflow,
    outcomes,
    process_all,
    set_steps,
)
from workflows import jobs
from workflows.models import Enrollment, Run, Workflow
from workflows.sentences import describe
from workflows.services import events, execution, lifecycle, rehearsal

from .keeping import is_sound, kept, settle, synced

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("side", ["contact", "company"])
@pytest.mark.parametrize("city", ["Oslo", None])
def test_an_association_goes_when_the_value_of_either_side_changes(
    workflow: Workflow, contact: Record, company: Record, side: str, city: str | None
) -> None:
    change({"contact": contact, "company": company}[side], city=city)
    settle()
    assert words(contact, company) == set()
    [run] = synced()
    assert outcomes(run, contact)["association_removed"] == 1
    assert run.state == Run.State.FINISHED
    assert not AssociationClaim.objects.exists()
    assert is_sound()


def test_without_it_an_association_stays(contact: Record, company: Record) -> None:
    enroll(make_workflow("contact", create("company", "city", "city")), [contact])
    change(contact, city="Oslo")
    settle()
    assert words(contact, company) == {"unlabeled", "Primary"}
    assert (synced(), AssociationClaim.objects.count()) == ([], 0)


def test_records_that_begin_to_match_are_associated(workflow: Workflow, contact: Record, company: Record) -> None:
    new, other = make_record("company", city="BOSTON"), make_record("company", city="Oslo")
    settle()
    assert associated(contact, unlabeled("contact", "company")) == {company.pk, new.pk}
    change(contact, city="Oslo")
    settle()
    assert associated(contact, unlabeled("contact", "company")) == {other.pk}
    assert words(contact, other) == {"unlabeled", "Primary"}


def test_nobody_is_enrolled_by_it(workflow: Workflow, contact: Record) -> None:
    stranger = make_record("contact", city="Boston")
    change(contact, city="Oslo")
    change(stranger, city="Rome")
    settle()
    assert Enrollment.objects.filter(record=stranger).count() == 0
    assert list(Enrollment.objects.filter(record=contact).order_by("id").values_list("ordinal", "state")) == [
        (0, "finished"),
        (None, "finished"),
    ]


def test_an_enrollment_is_not_kept_from_happening_again_and_not_made_to() -> None:
    contact = make_record("contact", city="Boston")
    again = make_workflow("contact", kept(), triggers=[[is_("state", "MA")]], should_re_enroll=True)
    once = make_workflow("contact", kept(), triggers=[[is_("state", "MA")]])
    change(contact, state="MA")
    settle()
    change(contact, city="Oslo", state="NO")
    settle()
    change(contact, state="MA")
    settle()
    ordinals = Enrollment.objects.filter(ordinal__isnull=False).order_by("workflow", "ordinal")
    assert list(ordinals.values_list("workflow", "ordinal")) == [(again.pk, 0), (again.pk, 1), (once.pk, 0)]


def test_a_change_of_another_property_or_of_associations_is_no_reason(workflow: Workflow, contact: Record) -> None:
    change(contact, state="MA")
    associate(contact, make_record("company", city="Oslo"))
    settle()
    assert synced() == []


def test_an_archived_record_keeps_its_associations(workflow: Workflow, contact: Record, company: Record) -> None:
    archiving.archive_records(object_type("company"), [company.pk], origin=ORIGIN)
    change(contact, city="Oslo")
    settle()
    assert words(contact, company) == {"unlabeled", "Primary"}
    archiving.restore_records(object_type("company"), [company.pk], origin=ORIGIN)
    settle()
    assert words(contact, company) == set()


def test_the_oldest_is_looked_for_anew_when_it_is_archived_restored_or_deleted(contact: Record) -> None:
    first, second = make_records("company", [{"city": "Boston"}] * 2)
    enroll(make_workflow("contact", kept(several="oldest")), [contact])
    companies, pair = object_type("company"), unlabeled("contact", "company")
    archiving.archive_records(companies, [first.pk], origin=ORIGIN)
    settle()
    assert associated(contact, pair) == {first.pk, second.pk}
    archiving.restore_records(companies, [first.pk], origin=ORIGIN)
    settle()
    assert associated(contact, pair) == {first.pk}
    archiving.delete_records(companies, [first.pk], origin=ORIGIN)
    settle()
    assert associated(contact, pair) == {second.pk}
    assert is_sound()


def test_the_oldest_is_looked_for_anew_when_it_is_another_even_if_somebody_else_asks_for_it_too(
    contact: Record,
) -> None:
    first, second = make_records("company", [{"city": "Boston"}] * 2)
    enroll(make_workflow("contact", kept(several="oldest")), [contact])
    associate(contact, first)
    change(first, city="Oslo")
    settle()
    assert associated(contact, unlabeled("contact", "company")) == {first.pk, second.pk}


def test_who_was_up_for_review_is_associated_when_one_is_left(contact: Record) -> None:
    first, second = make_records("company", [{"city": "Boston"}] * 2)
    workflow = make_workflow("contact", kept(several="review"))
    assert outcomes(enroll(workflow, [contact]), contact) == {"ambiguous": 2}
    change(first, city="Oslo")
    settle()
    assert associated(contact, unlabeled("contact", "company")) == {second.pk}
    change(first, city="BOSTON ")
    settle()
    assert associated(contact, unlabeled("contact", "company")) == set()


def test_records_of_one_type_are_kept_in_sync_from_both_ends() -> None:
    ada, ben = make_records("contact", [{"city": "Boston", "state": "Boston"}] * 2)
    friend = make_label("contact", "contact", "Friend")
    step = create("contact", "city", "state", label=friend, keep_in_sync=True)
    enroll(make_workflow("contact", step), [ada, ben])
    change(ada, city="Oslo")
    settle()
    assert words(ada, ben) == {"unlabeled", "Friend"}  # Ben's city is still Ada's state
    change(ada, state="Oslo")
    settle()
    assert words(ada, ben) == set()


def test_a_merged_record_s_associations_are_the_survivors(workflow: Workflow, contact: Record, company: Record) -> None:
    survivor = make_record("company", city="Oslo")
    merging.merge_records(object_type("company"), survivor.pk, company.pk, origin=ORIGIN)
    settle()
    assert associated(contact, unlabeled("contact", "company")) == {survivor.pk}
    assert is_sound()


def test_room_under_a_limit_is_made_before_it_is_needed(contact: Record, company: Record) -> None:
    limit(unlabeled("contact", "company"), to=1)
    other = make_record("company", city="Oslo")
    enroll(make_workflow("contact", kept()), [contact])
    change(contact, city="Oslo")
    settle()
    assert (words(contact, company), words(contact, other)) == (set(), {"unlabeled", "Primary"})


def test_turning_on_again_brings_in_sync_what_changed_meanwhile(
    workflow: Workflow, contact: Record, company: Record
) -> None:
    lifecycle.turn_off(workflow)
    change(contact, city="Oslo")
    settle()
    assert words(contact, company) == {"unlabeled", "Primary"}
    lifecycle.turn_on(workflow)
    settle()
    assert words(contact, company) == set()


def test_a_job_delivered_twice_does_nothing_more(workflow: Workflow, contact: Record, company: Record) -> None:
    change(contact, city="Oslo")
    process_all()
    [run] = synced()
    batch = run.batches.get()
    jobs.run_action(batch.pk, 0)
    before = Association.objects.count(), Run.objects.count()
    jobs.run_action(batch.pk, 0)
    settle()
    assert (Association.objects.count(), Run.objects.count()) == before


def test_a_preview_takes_back_what_the_run_would_and_leaves_it_as_it_is(contact: Record, company: Record) -> None:
    workflow = make_workflow("contact", kept(), should_re_enroll=True)
    enroll(workflow, [contact])
    lifecycle.turn_off(workflow)
    change(contact, city="Oslo")
    before = list(AssociationClaim.objects.values())
    definition = lifecycle.definition_json(workflow)
    set_steps(workflow, kept(cap=5))
    edited = lifecycle.definition_json(workflow)
    for meant in (definition, edited):
        with rehearsal.rehearsed_all(workflow, meant, lambda done, of: None) as run:
            assert outcomes(run, contact) == {"no_match": 0, "association_removed": 1}
            assert words(contact, company) == set()
    assert words(contact, company) == {"unlabeled", "Primary"}
    assert list(AssociationClaim.objects.values()) == before != []


def test_the_sentence_says_so(workflow: Workflow) -> None:
    said = describe(lifecycle.definition_json(workflow), Surroundings(workflow.object_type)).actions[0].text
    assert said.endswith(
        "equals the contact's City, and keep them in sync: when values change, associate what matches then, and take"
        " back what no longer does."
    )


def test_who_does_not_keep_in_sync_pays_nothing(contact: Record, company: Record) -> None:
    """Claims are asked for along with something else, and not at all by who looks at what happened."""
    workflow = make_workflow("contact", create("company", "city", "city"))
    with CaptureQueriesContext(connection) as captured:
        enroll(workflow, [contact])
        associate(contact, make_record("company", city="Rome"), make_label("contact", "company", "Local"))
        change(company, city="Oslo")
        settle()
    naming = {
        each["sql"].partition("associations_associationclaim")[0][:12]
        for each in captured
        if "associations_associationclaim" in each["sql"]
    }
    assert naming == {"SELECT count"}
    assert not [each for each in captured if "lost_claim" in each["sql"] or "(7033, " in each["sql"]]


def queries_of_a_change(size: int) -> tuple[int, int]:
    """How many queries a change of that many companies takes: the look, and the action."""
    contacts = make_records("contact", [{"city": f"{size} {number}"} for number in range(size)])
    companies = make_records("company", [{"city": f"{size} {number}"} for number in range(size)])
    workflow = make_workflow("contact", kept())
    enroll(workflow, contacts)
    process_all()
    for each in companies:
        change(each, city="elsewhere")
    with CaptureQueriesContext(connection) as look:
        events.process_events()
    batch = synced()[-1].batches.get()
    with CaptureQueriesContext(connection) as action:
        execution.run_action(batch.pk, 0)
    assert not Association.objects.filter(source__in=contacts).exists()
    lifecycle.turn_off(workflow)
    return len(look), len(action)


def test_the_number_of_records_costs_no_query() -> None:
    queries_of_a_change(1)
    assert queries_of_a_change(2) == queries_of_a_change(30)
