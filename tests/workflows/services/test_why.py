"""Why two records are associated, or are not: said by the service, the command and the admin alike."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from associations.models import Association, FormerAssociation, MatchKey, Record
from associations.services import linking
from associations.services.origin import Origin
from tests.associations.admin_pages import sign_in
from tests.factories import (
    associate,
    change,
    disassociate,
    make_label,
    make_record,
    make_records,
    remove_label,
    unlabeled,
)
from tests.plans import on_postgresql, plans, read_whole, rows_read
from tests.workflows import making
from tests.workflows.admin_workflows import text, url
from workflows.models import ActionOutcome, Enrollment, Run, Workflow
from workflows.services import undo, why
from workflows.services.attempts import attempts

pytestmark = pytest.mark.django_db


def employed() -> tuple[Workflow, Run, Record, Record]:
    """A contact that a workflow has associated with its employer."""
    employer = make_label("contact", "company", "Employer")
    contact, company = make_record("contact", company=" ALDER  foods"), make_record("company", name="Alder Foods")
    workflow = making.make_workflow("contact", making.create("company", "company", "name", label=employer))
    return workflow, making.enroll(workflow, [contact]), contact, company


def said(*ids: int) -> str:
    out = StringIO()
    call_command("why", *map(str, ids), stdout=out)
    return out.getvalue()


def reload(record: Record) -> Record:
    return Record.objects.select_related("object_type").get(pk=record.pk)


def test_what_a_workflow_made_names_its_revision_action_run_and_the_values_that_matched() -> None:
    workflow, run, contact, company = employed()
    found = why.of_pair(contact, company)
    assert {each.what for each in found.there} == {"Associated", "Label Primary put on", "Label Employer put on"}
    for each in found.there:
        assert (each.value, each.other_value) == ("ALDER  foods", "Alder Foods")
        assert each.maker.at is not None and each.maker.action_run is not None
        batch = each.maker.action_run.batch
        assert (batch.run, batch.run.revision, batch.run.workflow) == (run, workflow.revision, workflow)
    assert said(contact.pk, company.pk).count(f"revision 1, action 1, run {run.pk}") == 4  # and what the action said


def test_it_reads_the_same_from_the_other_side() -> None:
    _, _, contact, company = employed()
    one, other = why.of_pair(contact, company), why.of_pair(company, contact)
    assert {(each.value, each.other_value) for each in other.there} == {("Alder Foods", "ALDER  foods")}
    assert len(one.there) == len(other.there)
    assert [each.outcome.pk for each in one.attempts] == [each.outcome.pk for each in other.attempts]


@pytest.mark.parametrize("first_is_lower", [True, False])
def test_what_people_and_programs_did_is_told_with_their_names(first_is_lower: bool, admin_user: object) -> None:
    pair = [make_record("contact"), make_record("contact")]
    ann, bob = pair if first_is_lower else pair[::-1]
    boss = make_label("contact", "contact", "Manager", "Report")
    of_type = unlabeled("contact", "contact")
    linking.associate(of_type, [(ann.pk, bob.pk)], origin=Origin.user(admin_user.pk))  # type: ignore[attr-defined]
    linking.associate(of_type, [(ann.pk, bob.pk)], origin=Origin("api", note="Zapier"), labels=[boss])
    by = {each.what: each.maker.who for each in why.of_pair(ann, bob).there}
    assert by == {"Associated": "admin", "Label Manager put on": "API token Zapier"}
    assert {each.what for each in why.of_pair(bob, ann).there} == {"Associated", "Label Report put on"}


def test_what_went_again_stays_in_the_history() -> None:
    _, _, contact, company = employed()
    put_on = {each.directed.label: each.directed for each in why.of_pair(contact, company).there if each.directed}
    employer = put_on["Employer"]
    remove_label(contact, company, employer)
    found = why.of_pair(contact, company)
    assert "Label Employer put on" not in {each.what for each in found.there}
    assert found.earlier[0].what == "Label Employer taken off"
    disassociate(contact, company)
    found = why.of_pair(contact, company)
    assert not found.there and found.earlier[0].added is False
    assert "not associated" in said(contact.pk, company.pk)


def test_what_was_associated_again_is_told_by_its_last_maker() -> None:
    contact, company = make_record("contact"), make_record("company")
    associate(contact, company)
    disassociate(contact, company)
    associate(contact, company)
    found = why.of_pair(contact, company)
    assert [each.what for each in found.there].count("Associated") == 1
    assert [each.what for each in found.earlier].count("Associated") == 2


def test_a_record_that_was_not_associated_tells_the_last_outcome_and_the_value_looked_for() -> None:
    contact, company = make_record("contact", company="Alder"), make_record("company", name="Alder Foods")
    step = making.create("company", "company", "name")
    workflow = making.make_workflow("contact", step, should_re_enroll=True)
    making.enroll(workflow, [contact])
    change(contact, company="Alder Food")
    making.enroll(workflow, [contact])
    [attempt] = why.of_pair(reload(contact), company).attempts
    assert (attempt.outcome.outcome, attempt.outcome.value) == ("no_match", "Alder Food")
    assert str(attempt.today) == (
        "the contact’s Company name “Alder Food” does not match the company’s Company name “Alder Foods”"
    )
    line = said(contact.pk, company.pk)
    assert (
        "No record matches; looked for “Alder Food”; today the contact’s Company name “Alder Food” does not match"
        in line
    )


def test_a_value_that_matches_by_now_says_that_nobody_has_looked_since() -> None:
    contact, company = make_record("contact", company="Alder"), make_record("company", name="Alder Foods")
    making.enroll(making.make_workflow("contact", making.create("company", "company", "name")), [contact])
    change(contact, company="ALDER foods")
    [attempt] = why.of_pair(reload(contact), company).attempts
    assert attempt.today is not None and attempt.today.matches


def test_actions_about_other_object_types_are_left_out() -> None:
    contact, company = make_record("contact", company="Alder"), make_record("company")
    steps = [making.create("company", "company", "name"), making.create("deal", "company", "dealname")]
    making.enroll(making.make_workflow("contact", *steps), [contact])
    assert len(why.of_pair(contact, company).attempts) == 1
    assert len(attempts(contact)) == 2


def test_a_record_that_no_workflow_has_enrolled_says_so() -> None:
    contact, company = make_record("contact"), make_record("company")
    live = making.make_workflow("contact", making.create("company", "company", "name"))
    making.make_workflow("contact", making.create("company", "company", "name"), on=False)
    making.make_workflow("contact", making.create("deal", "company", "dealname"))
    assert why.of_pair(contact, company).never_enrolled == [live]
    making.enroll(live, [contact])
    assert why.of_pair(contact, company).never_enrolled == []


def test_all_associations_of_a_record_are_told_in_one_go() -> None:
    _, run, contact, company = employed()
    friend = make_record("company")
    associate(contact, friend)
    made = why.of_associations(contact, [company.pk, friend.pk])
    assert len(made) == 4
    assert {each.maker.who for (other, _), each in made.items() if other == friend.pk} == {"System a test"}
    told = said(contact.pk)
    assert "is associated with 2 records" in told and f"run {run.pk}" in told


def test_the_number_of_queries_does_not_grow_with_the_history() -> None:
    _, _, contact, company = employed()

    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            why.of_pair(contact, company)
        return len(asked)

    before = count()
    for _ in range(5):
        disassociate(contact, company)
        associate(contact, company)
    assert count() == before


def test_the_command_refuses_what_is_no_pair() -> None:
    contact = make_record("contact")
    for ids, words in [((999_999,), "no record 999999"), ((contact.pk, contact.pk), "two different")]:
        with pytest.raises(CommandError, match=words):
            said(*ids)


def test_the_page_tells_it_to_those_who_may_see_records() -> None:
    workflow, run, contact, company = employed()
    address = url("workflow_why", contact.pk, company.pk)
    page = sign_in("view_record", "view_workflow", "view_run").get(address)
    assert f"{url('run_change', run.pk)}" in text(page) and url("workflow_change", workflow.pk) in text(page)
    assert "“ALDER  foods” = “Alder Foods”" in text(page)
    without_links = text(sign_in("view_record").get(address))
    assert url("run_change", run.pk) not in without_links and f"run {run.pk}" in without_links
    assert sign_in("view_workflow").get(address).status_code == 403
    assert sign_in().get(url("workflow_why", contact.pk, 999_999)).status_code == 404


def test_values_are_escaped() -> None:
    contact, company = make_record("contact", company="<b>A</b>"), make_record("company", name="<b>a</b>")
    making.enroll(making.make_workflow("contact", making.create("company", "company", "name")), [contact])
    page = text(sign_in().get(url("workflow_why", contact.pk, company.pk)))
    assert "<b>A</b>" not in page and "&lt;b&gt;A&lt;/b&gt;" in page


@on_postgresql
def test_it_reads_the_rows_of_the_two_and_not_all_that_a_company_has() -> None:
    """Of the ledger, and of what actions said of others; however many there are."""
    workflow, _, contact, company = employed()
    contacts = make_records("contact", [{"company": "alder foods"}] * 400)
    run = making.enroll(workflow, contacts)
    for part in undo.start(run).parts.all():
        undo.work(part.pk)
    making.enroll(workflow, contacts)
    grows = (Association, FormerAssociation, ActionOutcome, Enrollment, MatchKey, Record)
    tables = {model._meta.db_table for model in grows}
    for one, other in ((contact, company), (company, contact), (contacts[7], company)):
        with plans() as found:
            assert why.of_pair(one, other).there
        assert any(FormerAssociation._meta.db_table in rows_read(plan) for plan in found)
        for plan in found:
            assert not read_whole(plan) & tables
            # Other tests leave entries of types behind in their index.
            read = {name: rows for name, rows in rows_read(plan).items() if "associationtype" not in name}
            assert max(read.values(), default=0) < 100
