"""The matrix of labels and the page of a pair: how often labels are used, and limits changed where they are seen."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from associations.models import AssociationType
from tests.factories import associate_pairs, limit, make_label, make_records, remove_label, unlabeled
from workflows.services.events import process_events

from .admin_pages import sign_in, submit, url

pytestmark = pytest.mark.django_db

PAIR = "/admin/associations/associationtype/pair/contact/company/"
MATRIX = "/admin/associations/associationtype/"


def counts_on(client: Client) -> dict[str, int]:
    rows = client.get(MATRIX).context["rows"]
    return {str(type_): count for _, row in rows for _, types in row for type_, count in types if count}


def test_the_matrix_says_how_often_each_label_is_used() -> None:
    employer = make_label("contact", "company", "Employer", "Employee")
    contacts, [acme] = make_records("contact", 3), make_records("company", 1)
    associate_pairs([(each, acme) for each in contacts], employer)
    remove_label(contacts[0], acme, employer)
    process_events()
    client = sign_in()
    pair = "Contact – Company"
    assert counts_on(client) == {f"{pair} (unlabeled)": 3, f"{pair}: Primary": 3, f"{pair}: Employer / Employee": 2}
    page = client.get(MATRIX).content.decode()
    assert f'href="{PAIR}"' in page
    assert "Employer / Employee</span> <b>2</b>" in page


def test_each_pair_stands_in_the_matrix_once() -> None:
    rows = sign_in().get(MATRIX).context["rows"]
    pairs = [(first.name, second.name) for first, row in rows for second, types in row if types]
    assert len(pairs) == len({frozenset(pair) for pair in pairs}) == 8 * 9 // 2


def test_with_a_parameter_there_is_the_list_and_everything_is_for_those_who_may_see_labels() -> None:
    make_label("contact", "company", "Employer")
    client = sign_in("view_associationtype")
    assert client.get(url("associationtype_changelist", labels="own")).context["cl"].result_count == 1
    for address in (MATRIX, PAIR):
        assert client.get(address).status_code == 200
        assert "addlink" not in client.get(address).content.decode().partition('id="content"')[2]
        assert sign_in("view_record").get(address).status_code == 403
        assert Client().get(address).status_code == 302
    assert client.post(PAIR, {}).status_code == 403
    assert 'type="number"' not in client.get(PAIR).content.decode()
    assert client.get(PAIR.replace("company", "nothing")).status_code == 404


def save_limits(client: Client, **limits: object) -> Any:
    return submit(client, PAIR, "limits_form", **limits)


def test_the_limits_of_a_pair_are_changed_at_once() -> None:
    employer, pair = make_label("contact", "company", "Employer", "Employee"), unlabeled("contact", "company")
    client = sign_in("view_associationtype", "manage_labels")
    own, whole = f"max_to_{employer.type.pk}", f"max_to_{pair.type.pk}"
    save_limits(client, **{own: 2, whole: 3, f"inverse_{own}": 100})
    assert _limits(employer.type) == (2, 100)
    assert _limits(pair.type) == (3, None)
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == {str(employer.type.pk), str(pair.type.pk)}
    assert "2 companies per contact" in LogEntry.objects.get(object_id=employer.type.pk).change_message
    save_limits(client, **{own: 1, whole: 1})  # both lower: the label first
    assert (_limits(employer.type)[0], _limits(pair.type)[0]) == (1, 1)
    save_limits(client, **{own: 5, whole: 5})  # both higher: the pair first
    assert (_limits(employer.type)[0], _limits(pair.type)[0]) == (5, 5)


@pytest.mark.parametrize(("entered", "reason"), [("9", "cannot exceed it"), ("0", "greater than or equal to 1")])
def test_a_limit_that_cannot_be_is_said_at_its_field_and_none_is_changed(entered: str, reason: str) -> None:
    employer = make_label("contact", "company", "Employer", "Employee")
    limit(unlabeled("contact", "company"), to=4)
    other = make_label("contact", "company", "Owner")
    fields = {f"max_to_{employer.type.pk}": entered, f"max_to_{other.type.pk}": 2}
    page = save_limits(sign_in(), **fields)
    assert reason in str(page.context["form"].errors[f"max_to_{employer.type.pk}"])
    assert _limits(other.type) == (None, None)
    assert f'value="{entered}"' in page.content.decode()
    assert not LogEntry.objects.exists()


def _limits(type_: AssociationType) -> tuple[int | None, int | None]:
    fresh = AssociationType.objects.get(pk=type_.pk)
    return fresh.max_to, fresh.inverse_max_to


def test_the_pages_ask_as_often_for_many_labels_as_for_few() -> None:
    def queries() -> list[int]:
        client, asked = sign_in(), []
        for address in (MATRIX, PAIR):
            client.get(address)
            with CaptureQueriesContext(connection) as captured:
                client.get(address)
            asked.append(len(captured))
        return asked

    make_label("contact", "company", "Employer")
    few = queries()
    for number in range(10):
        make_label("contact", "company", f"Label {number}")
    assert queries() == few


def test_a_pair_has_one_page_whichever_type_is_named_first() -> None:
    client = sign_in()
    rows = client.get(MATRIX).context["rows"]
    assert [first.name for first, _ in rows][:4] == ["contact", "company", "deal", "ticket"]
    assert (
        "Deals and companies" in client.get("/admin/associations/associationtype/pair/company/deal/").content.decode()
    )
    assert (
        "Deals and companies" in client.get("/admin/associations/associationtype/pair/deal/company/").content.decode()
    )
    assert client.get("/admin/associations/associationtype/pair/deal/robot/").status_code == 404
