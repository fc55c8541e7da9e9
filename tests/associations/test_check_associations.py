"""check_associations: whatever breaks a rule is seen, by that rule and no other."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from associations.models import MatchIndex, UniqueValue
from associations.services import archiving, checking, match_keys
from associations.services.checking import Finding
from tests.factories import ORIGIN, make_record, object_type

from .breaking import BREAKS, Crm, associate_other_types, exceed_a_limit_that_came_later, keep, lose_a_match_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def crm() -> Crm:
    return Crm()


def found() -> dict[str, Finding]:
    return {finding.rule: finding for finding in checking.check_all()}


def broken() -> dict[str, int]:
    return {rule: finding.count for rule, finding in found().items() if finding.count}


@pytest.fixture(autouse=True)
def _checks_are_back():
    yield
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def test_nothing_is_broken_where_nothing_is_wrong(crm: Crm):
    assert broken() == {}


def test_an_empty_installation_is_in_order():
    assert broken() == {}


# Each rule --------------------------------------------------------------------------------------


def test_every_rule_has_a_test():
    assert list(BREAKS) == list(found())


@pytest.mark.parametrize(
    ("rule", "break_it"), [pytest.param(rule, each, id=each.__name__) for rule, many in BREAKS.items() for each in many]
)
def test_a_broken_rule_is_seen(crm: Crm, rule: str, break_it: Callable[[Crm], None]):
    break_it(crm)
    assert broken() == {rule: 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unknown", "x"),
        ("dealname", None),
        ("dealname", ""),
        ("dealname", " untrimmed "),
        ("dealname", 5),
        ("amount", "5"),
        ("amount", True),
        ("closedate", "2026-02-30T00:00:00.000Z"),
        ("closedate", "2026-02-03"),
        ("dealstage", "someday"),
        ("dealstage", ["closedwon"]),
    ],
)
@pytest.mark.parametrize("which", ["live", "archived"])
def test_values_that_no_service_keeps(crm: Crm, which: str, name: str, value: object):
    record = crm.deals[1] if which == "live" else crm.merged
    keep(record, **{name: value})
    assert broken() == {checking.VALUES: 1}
    assert found()[checking.VALUES].examples == [f"{name} of record {record.pk}"]


@pytest.mark.parametrize("value", [0, -1.5, 1e16, 2**53, 1e300])
def test_numbers_are_the_same_whichever_way_they_are_written(crm: Crm, value: float):
    make_record("deal", amount=value)
    assert broken() == {}


# How it looks -----------------------------------------------------------------------------------


def test_all_are_counted_and_some_are_shown(crm: Crm, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(match_keys, "CHUNK", 2)
    UniqueValue.objects.filter(record__in=crm.contacts).delete()
    finding = found()[checking.UNIQUE]
    assert finding.count == len(crm.contacts)
    assert finding.examples == [f"record {contact.pk}" for contact in crm.contacts[:3]]


def test_an_index_that_is_being_built_need_not_be_complete(crm: Crm):
    lose_a_match_key(crm)
    MatchIndex.objects.filter(pk=crm.index.pk).update(built_at=None)
    assert broken() == {}
    MatchIndex.objects.filter(pk=crm.index.pk).update(built_at=timezone.now())
    assert broken() == {checking.KEYS: 1}


def test_a_change_during_the_check_is_no_fault(crm: Crm, monkeypatch: pytest.MonkeyPatch):
    """Records and keys are two reads. Where they differ the records are held, and both are read once more."""
    look, calls = checking._look, []

    def look_at_two_moments(*arguments: Any, hold: bool) -> dict[str, list[str]]:
        calls.append(hold)
        seen = look(*arguments, hold=hold)
        return seen if hold else {**seen, checking.UNIQUE: ["record 1"]}

    monkeypatch.setattr(checking, "_look", look_at_two_moments)
    assert broken() == {}
    assert True in calls


def run() -> tuple[list[str], str, int]:
    out = io.StringIO()
    try:
        call_command("check_associations", stdout=out)
    except CommandError as error:
        return out.getvalue().splitlines(), str(error), error.returncode
    return out.getvalue().splitlines(), "", 0


def test_the_command_says_a_line_for_each_rule(crm: Crm):
    lines, error, status = run()
    assert [line[:16].split() for line in lines] == [["ok", "0"]] * len(BREAKS)
    assert [line[18:] for line in lines] == list(BREAKS)
    assert (error, status) == ("", 0)


def test_the_command_fails_where_a_rule_is_broken(crm: Crm):
    associate_other_types(crm)
    lines, error, status = run()
    a, b = crm.contacts[4:]
    assert [line for line in lines if not line.startswith("ok ")] == [
        "BROKEN         1  Associated records are there, and of the object types that the association type is for."
        f" Such as: {a.pk}–{b.pk} (type 341)."
    ]
    assert (error, status) == ("1 of the rules are broken.", 1)


def test_a_warning_is_no_failure(crm: Crm):
    exceed_a_limit_that_came_later(crm)
    lines, error, status = run()
    assert lines[-1] == (
        "warning        1  Records have no more associations than the limits of today allow."
        f" Such as: record {crm.contacts[0].pk} (type 279)."
    )
    assert (error, status) == ("", 0)


def test_deleting_two_that_are_associated_keeps_the_ledger_right(crm: Crm):
    ids = [contact.pk for contact in crm.contacts]
    archiving.delete_records(object_type("contact"), ids, origin=ORIGIN)
    assert broken() == {}
