"""A label that is to go is replaced by another one: on associations, in workflows, and then it is deleted."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from associations.models import AssociationType, BulkJob, Record
from associations.services import archiving, bulk, relabeling
from associations.services.checking import check_all
from associations.types import DirectedType
from tests.associations.admin_pages import sign_in
from tests.factories import (
    ORIGIN,
    associate_pairs,
    limit,
    make_label,
    make_record,
    make_records,
    words,
)  # fmt: skip
from tests.workflows.admin_workflows import text
from tests.workflows.making import apply, create, enroll, make_workflow, remove, set_triggers, update
from workflows.models import Workflow, WorkflowReference
from workflows.services import enrollment, lifecycle

pytestmark = pytest.mark.django_db


@pytest.fixture
def old() -> DirectedType:
    return make_label("contact", "company", "Employer", "Employee")


@pytest.fixture
def new() -> DirectedType:
    return make_label("contact", "company", "Works for", "Staff")


def replace(old: DirectedType, new: DirectedType) -> BulkJob:
    user = User.objects.create_superuser("root")
    job = bulk.start("replace_label", "Replace", user=user, old=old.type.pk, new=new.type.pk)
    while job.finished_at is None:
        bulk.run(job.pk)
        job.refresh_from_db()
    return job


def is_there(label: DirectedType) -> bool:
    return AssociationType.objects.filter(pk=label.type.pk).exists()


def broken() -> list[str]:
    return [finding.rule for finding in check_all() if finding.count]


@pytest.mark.parametrize("chunk", [1, 100])
def test_every_pair_gets_the_other_label_and_this_one_is_deleted(
    old: DirectedType, new: DirectedType, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relabeling, "CHUNK", chunk)
    contacts, companies = make_records("contact", 3), make_records("company", 2)
    associate_pairs([(contact, company) for contact in contacts for company in companies], old)
    associate_pairs([(contacts[0], companies[0])], new)
    archiving.archive_records(contacts[2].object_type, [contacts[2].pk], origin=ORIGIN)
    job = replace(old, new)
    assert (job.state, job.done) == ("finished", 6)
    assert not is_there(old)
    for contact in contacts:
        assert all({"Works for"} <= words(contact, company) for company in companies)
    assert words(companies[0], contacts[0]) >= {"Staff"}
    assert broken() == []


def test_a_paired_label_within_one_object_type_keeps_its_direction() -> None:
    old, new = (make_label("contact", "contact", *pair) for pair in (("Manager", "Report"), ("Boss", "Minion")))
    ann, bob = make_records("contact", 2)
    associate_pairs([(bob, ann)], old)
    assert replace(old, new).state == "finished"
    assert (words(bob, ann), words(ann, bob)) == ({"unlabeled", "Boss"}, {"unlabeled", "Minion"})


def test_where_a_limit_refuses_the_other_label_this_one_stays(old: DirectedType, new: DirectedType) -> None:
    limit(new, to=1)
    contact, companies = make_record("contact", firstname="Ann"), make_records("company", 2)
    associate_pairs([(contact, company) for company in companies], old)
    job = replace(old, new)
    assert "was not deleted" in job.result
    assert sorted(len(words(contact, company) & {"Employer"}) for company in companies) == [0, 1]
    assert sorted(len(words(contact, company) & {"Works for"}) for company in companies) == [0, 1]
    assert is_there(old)


def workflows(old: DirectedType) -> dict[str, Workflow]:
    has = {"kind": "association", "type_id": old.type_id, "has": True}
    back = {"kind": "associated_property", "type_id": old.reverse.type_id, "property": "city", "operator": "is_known"}
    return {
        "live": make_workflow("contact", create("company", "company", "name", label=old), triggers=[[has]]),
        "off": make_workflow("company", remove(old.reverse), triggers=[[back]]),
        "draft": make_workflow("contact", apply(old), on=False),
        "other": make_workflow("contact", create("company", "company", "name")),
    }


def test_workflows_name_the_other_label_and_live_ones_run_so_from_then_on(old: DirectedType, new: DirectedType) -> None:
    all_of = workflows(old)
    lifecycle.turn_off(all_of["off"])
    job = replace(old, new)
    assert job.state == "finished", job.result
    assert not is_there(old)
    for workflow in all_of.values():
        workflow.refresh_from_db()
    live = all_of["live"].revision
    assert live is not None
    assert (live.number, live.definition["actions"][0]["fields"]["label"]) == (2, str(new.type_id))
    assert live.definition["triggers"] == [[{"kind": "association", "type_id": new.type_id, "has": True}]]
    assert all_of["off"].actions.get().fields["labels"] == [str(new.reverse.type_id)]
    assert all_of["off"].triggers.get().fields["type_id"] == new.reverse.type_id
    assert all_of["draft"].actions.get().fields["label"] == str(new.type_id)
    assert all_of["other"].revision.number == 1  # type: ignore[union-attr]
    assert set(WorkflowReference.objects.filter(association_type=new.type).values_list("workflow", flat=True)) == {
        all_of["live"].pk, all_of["off"].pk,
    }  # fmt: skip
    make_record("company", name="Acme")
    ann = make_record("contact", company="Acme")
    enroll(all_of["live"], [ann])
    assert "Works for" in words(ann, Record.objects.get(properties__name="Acme"))


def test_a_workflow_that_would_no_longer_make_sense_refuses_all_of_it(old: DirectedType, new: DirectedType) -> None:
    workflow = make_workflow("contact", update(old, new, "replace"))
    set_triggers(workflow, [])
    contact, company = make_record("contact", firstname="Ann"), make_record("company", name="Acme")
    associate_pairs([(contact, company)], old)
    job = replace(old, new)
    assert job.state == "failed"
    assert f"In the workflow “{workflow}”: Choose a label other than the existing one." in job.result
    assert workflow.actions.get().fields["existing_label"] == str(old.type_id)
    assert "Employer" in words(contact, company)


def test_a_label_stays_while_a_run_that_began_with_it_is_not_finished(old: DirectedType, new: DirectedType) -> None:
    workflow = make_workflow("contact", create("company", "company", "name", label=old))
    enrollment.enroll_matching(workflow, [[]])
    job = replace(old, new)
    assert "runs that have begun with it are not finished" in job.result
    assert is_there(old)


def test_only_labels_that_fit_come_in_its_place(old: DirectedType, new: DirectedType) -> None:
    single = make_label("contact", "company", "Partner")
    make_label("contact", "deal", "Buyer")
    assert relabeling.replacements_of(old.type) == [new.type, single.type]
    manager, colleague = make_label("contact", "contact", "Manager", "Report"), make_label("contact", "contact", "Peer")
    assert relabeling.replacements_of(colleague.type) == []
    assert replace(colleague, manager).state == "failed"


def test_the_page_says_where_it_is_used_and_starts_the_job(old: DirectedType, new: DirectedType) -> None:
    all_of = workflows(old)
    associate_pairs([(make_record("contact", firstname="Ann"), make_record("company", name="Acme"))], old)
    client = sign_in("view_associationtype", "manage_labels", "view_record")
    address = f"/admin/associations/associationtype/{old.type.pk}/delete/"
    page = text(client.get(address))
    assert "on 1 association" in page
    assert f"{all_of['live']}</a>: its enrollment triggers, action 1" in page
    assert f"{all_of['draft']}</a>: action 1" in page
    assert str(all_of["other"]) + "</a>" not in page
    started = client.post(f"/admin/associations/associationtype/{old.type.pk}/replace/", {"replacement": new.type.pk})
    job = BulkJob.objects.get()
    assert started["location"].endswith(f"/bulkjob/{job.pk}/change/")
    assert f"bulk job {job.pk}" in LogEntry.objects.get().change_message
    bulk.run(job.pk)
    job.refresh_from_db()
    assert "workflows.change_workflow" in job.result  # who may not change workflows does not do it this way
    nothing = client.post(f"/admin/associations/associationtype/{old.type.pk}/replace/", {"replacement": "1"})
    assert nothing["location"] == address
    stranger = sign_in("view_associationtype")
    assert stranger.post(f"/admin/associations/associationtype/{old.type.pk}/replace/").status_code == 403
    assert stranger.get(address).status_code == 403
