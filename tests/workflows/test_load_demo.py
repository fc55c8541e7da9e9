"""The demo of the first start: four workflows, one per action, that all do something."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from workflows.models import Run, Workflow
from workflows.services import demo

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def load() -> str:
    out = StringIO()
    call_command("load_demo", "--foreground", stdout=out)
    return out.getvalue()


def test_each_of_the_four_actions_does_something_and_says_so() -> None:
    told = load()
    for words in ("Association created: 1", "Label added: ", "Label removed: "):
        assert words in told
    assert "Was there already" not in told, "the first run found its work done"
    assert Workflow.objects.filter(is_enabled=True).count() == 4
    assert set(Run.objects.values_list("state", flat=True)) == {Run.State.FINISHED}


def test_it_is_loaded_into_an_empty_installation_only() -> None:
    load()
    assert load() == "There is data already; the demo was not loaded.\n"


def test_a_start_that_was_cut_off_goes_on_with_what_was_not_turned_on() -> None:
    demo.load_demo()
    assert "Association created" in load()
    assert not demo.left_off()
    assert Workflow.objects.filter(is_enabled=True).count() == 4
