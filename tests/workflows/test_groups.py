"""The groups that the product comes with, and what belonging to them allows."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

pytestmark = pytest.mark.django_db


def may_of(group: str) -> set[str]:
    permissions = Group.objects.get(name=group).permissions.select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}" for each in permissions}


def test_a_viewer_sees_everything_and_changes_nothing() -> None:
    assert {each.partition(".")[2].partition("_")[0] for each in may_of("Viewer")} == {"view"}
    for model in ("associations.view_record", "workflows.view_workflow", "workflows.view_run"):
        assert model in may_of("Viewer")


def test_an_operator_works_with_records_and_runs_workflows_but_does_not_change_them() -> None:
    more = may_of("Operator") - may_of("Viewer")
    assert more == {"associations.add_record", "associations.change_record", "workflows.run_workflow"}


def test_an_administrator_defines_labels_and_workflows_and_turns_them_on() -> None:
    more = may_of("Administrator") - may_of("Operator")
    for permission in (
        "associations.manage_labels", "associations.delete_record", "associations.change_property",
        "workflows.change_workflow", "workflows.enable_workflow",
    ):  # fmt: skip
        assert permission in more
    assert not {each for each in more if each.startswith("auth.")}  # who may give permissions may do everything
