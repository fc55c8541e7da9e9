"""Old history goes, and nothing that is there loses what it says of itself."""

from __future__ import annotations

import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from associations.errors import Refused
from associations.models import (
    Association,
    ChangeSet,
    FormerAssociation,
    MatchIndex,
    MatchKey,
    Record,
    RecordEvent,
)
from associations.services import match_keys
from tests.associations.admin_pages import record_url, sign_in
from tests.factories import change, make_label, make_records, object_type
from tests.workflows.making import create, enroll_all, make_workflow, process_all, remove, set_steps, sums, work_off
from workflows.models import ActionOutcome, ActionRun, Enrollment, Run, Workflow
from workflows.services import enrollment, lifecycle, undo

from .admin_workflows import text, url

pytestmark = pytest.mark.django_db


def prune(*arguments: str) -> str:
    out = StringIO()
    call_command("prune_history", *arguments, stdout=out)
    return out.getvalue()


def grow_older(days: int) -> None:
    """All that has happened so far was so many days ago."""
    for model, name in ((ChangeSet, "at"), (ActionRun, "finished_at"), (Run, "finished_at")):
        for row in model.objects.all():
            model.objects.filter(pk=row.pk).update(**{name: getattr(row, name) - dt.timedelta(days=days)})


@pytest.fixture
def contacts() -> list[Record]:
    """Associated under a label by one run; the label was taken off by another one; and all of it was looked at."""
    label = make_label("contact", "company", "Partner")
    make_records("company", [{"city": "Boston"}])
    made = make_records("contact", [{"city": "Boston"}] * 3)
    change(made[0], firstname="Ada")
    enroll_all(make_workflow("contact", create("company", "city", "city", label=label)))
    enroll_all(make_workflow("contact", remove(label)))
    process_all()
    work_off()
    return made


def test_what_is_young_stays(contacts: list[Record]) -> None:
    grow_older(179)
    assert prune() == "Forgotten: nothing.\n"
    assert ActionOutcome.objects.exists()


def test_what_is_old_goes_and_what_is_there_keeps_its_provenance(contacts: list[Record]) -> None:
    there = Association.objects.count()
    grow_older(181)
    change(contacts[1], firstname="Ben")
    said = prune()
    assert "3 former associations" in said
    assert "6 outcomes" in said
    assert not ActionOutcome.objects.exists()
    assert not FormerAssociation.objects.exists()
    assert RecordEvent.objects.count() == 1, "the change of today"
    assert Association.objects.count() == there > 0
    named = set(Association.objects.values_list("change_set", flat=True))
    assert named <= set(ChangeSet.objects.values_list("id", flat=True))
    assert [sums(run) for run in Run.objects.order_by("id")] == [
        {"created": {"records": 3, "pairs": 3}},
        {"label_removed": {"records": 3, "pairs": 3}},
    ]
    call_command("check_associations", stdout=StringIO())
    assert prune() == "Forgotten: nothing.\n"


def test_who_was_enrolled_long_ago_is_still_not_enrolled_again(contacts: list[Record]) -> None:
    grow_older(181)
    prune()
    workflow = Run.objects.order_by("id")[0].workflow
    enrollment.enroll_records(workflow, [each.pk for each in contacts])
    assert Enrollment.objects.filter(workflow=workflow).count() == 3


def test_a_run_whose_history_is_gone_cannot_be_undone_and_says_so(contacts: list[Record]) -> None:
    run = Run.objects.order_by("id")[1]
    assert undo.may_start(run)
    grow_older(181)
    prune()
    assert not undo.may_start(run)
    with pytest.raises(Refused, match="no longer kept"):
        undo.start(run)


def test_the_pages_say_what_is_no_longer_kept(contacts: list[Record]) -> None:
    enrolled, client = Enrollment.objects.filter(record=contacts[0]).earliest("id"), sign_in()
    addresses = {
        "its sums stand on the page of the run": url("enrollment_changelist", run=str(enrolled.batch.run_id)),
        "What came of it is no longer kept": url("enrollment_change", enrolled.pk),
        '<span class="quiet">no longer kept</span>': record_url(contacts[0]),
    }
    assert not [words for words, address in addresses.items() if words in text(client.get(address))]
    grow_older(181)
    prune()
    assert [words for words, address in addresses.items() if words in text(client.get(address))] == [*addresses]


def test_what_no_workflow_has_looked_at_stays_however_old(contacts: list[Record]) -> None:
    make_records("contact", 1)
    grow_older(400)
    prune("--days", "30")
    assert ChangeSet.objects.filter(processed_at=None).count() == 1
    assert RecordEvent.objects.count() == 1


def test_how_long_it_is_kept_is_at_least_a_day() -> None:
    with pytest.raises(CommandError, match="from 1"):
        prune("--days", "0")


# Match keys -------------------------------------------------------------------------------------


def kept_keys() -> set[str]:
    """The properties whose values are kept as keys."""
    return set(MatchIndex.objects.values_list("property__name", flat=True))


def matching_on(prop: str, *, on: bool = True) -> Workflow:
    workflow = make_workflow("contact", create("company", prop, prop), on=on)
    for type_name in ("contact", "company"):
        comparison = "phone" if prop == "phone" else "normalized"
        match_keys.ensure_match_index(object_type(type_name).properties.get(name=prop), comparison)
    return workflow


def test_match_keys_that_no_action_matches_on_any_more_go() -> None:
    make_records("contact", [{"city": "Boston", "state": "MA"}] * 3)
    live, edited, off, deleted = (matching_on(prop) for prop in ("city", "state", "website", "country"))
    draft = matching_on("phone", on=False)
    set_steps(edited, create("company", "city", "city"))
    lifecycle.edited(edited)
    lifecycle.turn_off(off)
    lifecycle.delete(deleted)
    assert prune() == "Forgotten: 3 match keys.\n"
    assert kept_keys() == {"city", "website", "phone"}, f"of {live}, {off} and {draft}"
    assert prune() == "Forgotten: nothing.\n"
    [contact] = make_records("contact", [{"state": "NY"}])
    assert not MatchKey.objects.filter(record=contact).exists()


def test_what_is_matched_on_again_is_read_again() -> None:
    make_records("company", [{"state": "MA"}])
    contacts = make_records("contact", [{"state": "MA"}])
    lifecycle.delete(matching_on("state"))
    prune()
    run = enroll_all(make_workflow("contact", create("company", "state", "state")))
    assert sums(run) == {"created": {"records": len(contacts), "pairs": len(contacts)}}


def test_what_a_run_that_is_not_finished_matches_on_stays() -> None:
    make_records("contact", [{"state": "MA"}])
    workflow = matching_on("state")
    enrollment.enroll_matching(workflow, [[]])
    set_steps(workflow, create("company", "city", "city"))
    lifecycle.edited(workflow)
    prune()
    assert kept_keys() == {"state"}
    work_off()
    prune()
    assert kept_keys() == set()


def test_keys_that_somebody_left_who_died_while_they_went_go_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_keys, "CHUNK", 2)
    make_records("contact", [{"state": "MA"}] * 5)
    matching_on("city")
    matching_on("state")
    gone = MatchIndex.objects.filter(property__name="state")
    gone._raw_delete(using=gone.db)
    assert prune() == "Forgotten: 5 match keys.\n"
    assert not MatchKey.objects.exists()
