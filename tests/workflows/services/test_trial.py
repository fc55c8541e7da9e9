"""Testing a workflow with one record: filter by filter, then action by action, and nothing is kept."""

from __future__ import annotations

import pytest

from associations.errors import Refused
from associations.models import Record
from associations.services import archiving
from tests.factories import ORIGIN, associate, make_label, make_record, unlabeled
from tests.workflows.making import apply, create, enroll, everything, is_, make_workflow
from workflows.models import Enrollment, EnrollmentTrigger, Workflow
from workflows.services import trial

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Record:
    return make_record("company", name="Alder Foods", city="Rome")


@pytest.fixture
def contact(company: Record) -> Record:
    contact = make_record("contact", firstname="Ada", company="alder foods", city="Boston")
    associate(contact, company)
    return contact


@pytest.fixture
def workflow(company: Record) -> Workflow:
    type_id = unlabeled("contact", "company").type_id
    in_rome = {**is_("city", "Rome"), "kind": "associated_property", "type_id": type_id}
    made = make_workflow(
        "contact",
        create("company", "company", "name", label=make_label("contact", "company", "Employer")),
        apply(make_label("contact", "company", "Local")),
        triggers=[
            [is_("city", "Boston", "Rome"), is_("lastname", operator="is_known")],
            [in_rome, {"kind": "association", "type_id": type_id, "has": True}],
        ],
        on=False,
    )
    fields = {"property": "city", "operator": "is_any_of", "values": ["Oslo"]}
    EnrollmentTrigger.objects.create(workflow=made, purpose="suppress", kind="property", fields=fields)
    return made


def test_each_filter_says_whether_it_is_met_and_with_which_value(workflow: Workflow, contact: Record) -> None:
    tried = trial.try_record(workflow, contact.pk)
    assert [[(each.met, each.value) for each in group] for group in tried.groups] == [
        [(True, "Boston"), (False, "")],
        [(True, "Rome"), (True, "Alder Foods")],
    ]
    assert tried.groups[0][0].filter == "City is any of Boston or Rome"
    assert tried.meets
    assert [[(each.met, each.value) for each in group] for group in tried.suppression] == [[(False, "Boston")]]
    assert not tried.is_kept_out
    assert tried.note == ""


def test_each_action_says_what_it_would_do_whatever_the_verdict(
    workflow: Workflow, contact: Record, company: Record
) -> None:
    stranger = make_record("contact", company="Alder Foods")
    before = everything()
    tried = trial.try_record(workflow, stranger.pk)
    assert not tried.meets
    [created], [labelled] = (action.rows for action in tried.actions)
    assert (created["outcome"], created["value"]) == ("created", "Alder Foods")
    assert {(each["label"], each["other"]["id"]) for each in created["changes"]} == {
        ("", company.pk),
        ("Employer", company.pk),
        ("Primary", company.pk),
    }
    assert labelled["outcome"] == "label_added", "the second works on what the first would create"
    assert "Employer" in tried.actions[0].sentence.text
    assert everything() == before
    assert not Enrollment.objects.exists()


def test_earlier_enrollments_are_told_and_no_hindrance(workflow: Workflow, contact: Record) -> None:
    on = make_workflow("contact", create("company", "company", "name"))
    enroll(on, [contact])
    tried = trial.try_record(on, contact.pk)
    assert tried.note == "It was enrolled before, and re-enrollment is off."
    assert [row["outcome"] for row in tried.actions[0].rows] == ["already_there"]
    assert Enrollment.objects.count() == 1


def test_only_live_records_of_the_type_can_be_tried(workflow: Workflow, contact: Record, company: Record) -> None:
    with pytest.raises(Refused, match=f"no contact {company.pk}"):
        trial.try_record(workflow, company.pk)
    archiving.archive_records(contact.object_type, [contact.pk], origin=ORIGIN)
    with pytest.raises(Refused, match=f"no contact {contact.pk}, or it is archived"):
        trial.try_record(workflow, contact.pk)


def test_people_name_the_record_as_they_like(workflow: Workflow, contact: Record) -> None:
    make_record("contact", firstname="Bob", email="bob@example.com")
    assert trial.record_meant(workflow, str(contact.pk)) == contact
    assert trial.record_meant(workflow, "BOB@example.com").properties["firstname"] == "Bob"
    with pytest.raises(Refused, match="no contact 'Zoe'"):
        trial.record_meant(workflow, "Zoe")
