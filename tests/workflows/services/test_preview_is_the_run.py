"""For random records and workflows the preview says, figure by figure and row by row, what the run then does."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from associations import querysets
from associations.errors import Refused
from associations.models import Record
from associations.services import match_keys
from associations.types import DirectedType
from crmproject import queues
from tests.factories import associate_pairs, limit, make_label, make_records, object_type, unlabeled
from tests.workflows.making import Step, apply, create, everything, make_workflow, remove, set_steps, update
from workflows.models import Run, Workflow
from workflows.services import enrollment, lifecycle, preview
from workflows.services.preview_figures import csv_rows, figures_of

PAIRS = [("contact", "company"), ("company", "contact"), ("contact", "contact")]
NAMES = {"contact": "company", "company": "name"}
WORDS = ["a", "A ", "b", "c", ""]


@pytest.fixture
def labels(db: None) -> None:
    for pair in (("contact", "company"), ("contact", "contact")):
        make_label(*pair, "Partner")
        make_label(*pair, "Manager", "Report")


def some_labels(pair: tuple[str, str]) -> list[DirectedType]:
    types = querysets.types_of_pair(object_type(pair[0]), object_type(pair[1]))
    return [each for each in types if not each.type.is_unlabeled]


def a_step(data: st.DataObject, type_name: str) -> Step:
    pair = data.draw(st.sampled_from([each for each in PAIRS if each[0] == type_name]))
    own, theirs = NAMES[pair[0]], NAMES[pair[1]]
    label = data.draw(st.sampled_from(some_labels(pair)))
    kind = data.draw(st.sampled_from(["create", "create", "create", "apply", "update", "remove"]))
    if kind == "create":
        only_one = label.type.is_primary and label.outgoing
        several = data.draw(st.sampled_from(["oldest", "newest", "review"] + ["all"] * 5 * (not only_one)))
        used = data.draw(st.sampled_from([label, label, None]))
        return create(pair[1], own, theirs, label=used, several=several, cap=data.draw(st.sampled_from([1, 9])))
    if kind == "apply":
        return apply(label)
    if kind == "remove":
        return remove(label, associations=data.draw(st.booleans()))
    other = data.draw(st.sampled_from([each for each in some_labels(pair) if each.type != label.type]))
    return update(label, other, data.draw(st.sampled_from(["append", "replace"])))


def a_filter(data: st.DataObject, type_name: str) -> dict[str, Any]:
    if data.draw(st.booleans()):
        return {"kind": "property", "property": NAMES[type_name], "operator": "is_known", "values": []}
    types = querysets.types_seen_from(object_type(type_name))
    ours = [each for each in types if (type_name, each.other_type.name) in PAIRS]
    directed = data.draw(st.sampled_from(ours))
    return {"kind": "association", "type_id": directed.type_id, "has": data.draw(st.booleans())}


def a_workflow(data: st.DataObject) -> Workflow:
    type_name = data.draw(st.sampled_from(["contact", "company"]))
    triggers = [[a_filter(data, type_name)] for _ in range(data.draw(st.integers(0, 2)))]
    workflow = make_workflow(type_name, triggers=triggers, should_re_enroll=data.draw(st.booleans()), on=False)
    workflow.unenroll_when_not_met = bool(triggers) and data.draw(st.booleans())
    workflow.save()
    for each in [a_filter(data, type_name)] if data.draw(st.booleans()) else []:
        fields = {name: value for name, value in each.items() if name != "kind"}
        workflow.triggers.create(purpose="suppress", kind=each["kind"], fields=fields)
    set_steps(workflow, *(a_step(data, type_name) for _ in range(data.draw(st.integers(1, 2)))))
    return workflow


def something_to_start_with(data: st.DataObject) -> None:
    for type_name, prop in NAMES.items():
        words = data.draw(st.lists(st.sampled_from(WORDS), min_size=2, max_size=6))
        make_records(type_name, [{prop: word} for word in words])
    for pair in PAIRS:
        types = [unlabeled(*pair), *some_labels(pair)]
        if data.draw(st.booleans()):
            with contextlib.suppress(ValidationError):  # Primary has none of its own; a label's is not above its pair's
                limit(data.draw(st.sampled_from(types)), to=data.draw(st.sampled_from([1, 2, None])), inverse=1)
        records = [list(Record.objects.filter(object_type__name=each)) for each in pair]
        ends = st.tuples(st.sampled_from(records[0]), st.sampled_from(records[1]))
        for each in data.draw(st.lists(ends.filter(lambda ends: ends[0] != ends[1]), max_size=4)):
            with contextlib.suppress(Refused), transaction.atomic():  # by a limit
                associate_pairs([each], data.draw(st.sampled_from(some_labels(pair))))


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in apps.get_models() if model._meta.managed}


def run(workflow: Workflow) -> Run:
    """By one worker, with what the outbox does meanwhile."""
    with queues.foreground() as jobs:
        lifecycle.turn_on(workflow)
        made = enrollment.enroll_matching(workflow, lifecycle.definition_json(workflow)["triggers"] or [[]])
        commit()
        for _ in jobs:
            commit()
    made.refresh_from_db()
    return made


def commit() -> None:
    """Do what waits for the commit, which never comes in a test."""
    callbacks, connection.run_on_commit = connection.run_on_commit, []
    for waiting in callbacks:
        waiting[1]()


@pytest.mark.parametrize("chunk", [2, 10_000], ids=["batches", "one batch"])
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_preview_then_run_give_the_same(
    labels: None, monkeypatch: pytest.MonkeyPatch, chunk: int, data: st.DataObject
) -> None:
    monkeypatch.setattr(match_keys, "CHUNK", chunk)
    with transaction.atomic():
        something_to_start_with(data)
        workflow = a_workflow(data)
        for references in lifecycle.read_definition(
            lifecycle.definition_json(workflow), workflow.object_type
        ).references:
            for prop, comparison in references.match_indexes:
                match_keys.ensure_match_index(prop, comparison)
        before = counts(), everything()
        first = preview.first_figures(workflow)
        exact = preview.exact_figures(workflow)
        rows = list(preview.exact_rows(workflow))
        assert (counts(), everything()) == before

        done = run(workflow)
        assert done.state == Run.State.FINISHED, list(done.batches.values_list("error", flat=True))
        assert figures_of(done) == exact
        assert sorted(csv_rows(done)) == sorted(rows)
        if chunk > 2:
            assert first == exact
        transaction.set_rollback(True)
