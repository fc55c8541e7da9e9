"""After any edits, what is kept in sync equals what a fresh run on the final data makes, plus what others made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from associations.models import Association, Record
from associations.services import archiving
from associations.services.checking import check_all
from associations.types import DirectedType
from tests.factories import ORIGIN, associate, between, change, make_label, make_records, object_type
from tests.workflows import making
from workflows.models import Workflow

from .keeping import settle

CITIES = ["a", "b", None]
EDITS = ["change"] * 4 + ["create", "archive", "associate", "associate", "label"]
Rows = set[tuple[int, int, int]]


class Town:
    """Contacts that two workflows keep in sync with companies, and one with other contacts; some labels of others."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self.asked: Rows = set()
        self.contacts = make_records("contact", [self.values("city", "state") for _ in range(2)])
        self.companies = make_records("company", [self.values("city", "state") for _ in range(2)])
        self.mark = make_label("contact", "company", "Mark")
        self.label = make_label("contact", "company", "One", "Two")
        several = st.sampled_from(["all", "oldest", "newest", "review"])
        steps = [
            making.create("company", "city", "city", label=self.label, several=draw(several)),
            making.create("company", "state", "state", several=draw(several)),
            making.create("contact", "city", "state", label=make_label("contact", "contact", "Boss", "Report")),
        ]
        self.steps = [(kind, {**fields, "keep_in_sync": True}) for kind, fields in steps]
        self.workflows = [making.make_workflow("contact", *steps) for steps in (self.steps[:2], self.steps[2:])]

    def values(self, *names: str) -> dict[str, Any]:
        return {name: self.draw(st.sampled_from(CITIES)) for name in names}

    def run(self, workflows: list[Workflow]) -> None:
        live = list(Record.objects.filter(object_type__name="contact", archived_at=None))
        for workflow in workflows:
            making.enroll(workflow, live)

    def edit(self) -> None:
        kind = self.draw(st.sampled_from(EDITS))
        records = self.draw(st.sampled_from([self.contacts, self.companies]))
        record = Record.objects.select_related("object_type").get(pk=self.draw(st.sampled_from(records)).pk)
        if kind == "create":
            self.companies += make_records("company", [self.values("city", "state")])
        elif kind == "archive":
            act = archiving.restore_records if record.archived_at else archiving.archive_records
            act(record.object_type, [record.pk], origin=ORIGIN)
        elif kind == "change" and not record.archived_at:
            change(record, **self.values(self.draw(st.sampled_from(["city", "state"]))))
        elif kind in ("associate", "label"):
            self.ask(self.draw(st.sampled_from([self.mark, self.label])) if kind == "label" else None)

    def ask(self, label: DirectedType | None) -> None:
        """For a pair that is associated already, if there is one."""
        unlabeled = between(self.contacts[0], self.companies[0])
        there = [(source, target) for source, type_, target in sorted(standing()) if type_ == unlabeled.type.pk]
        if not there:
            return
        pair = self.draw(st.sampled_from(there))
        contact, company = (Record.objects.select_related("object_type").get(pk=id_) for id_ in pair)
        associate(contact, company, *([label] if label else []))
        self.asked |= {(pair[0], each.type.pk, pair[1]) for each in [unlabeled, *([label] if label else [])]}


def standing() -> Rows:
    """The rows between live records, but for Primary, which goes to whoever came first."""
    live = Association.objects.filter(source__archived_at=None, target__archived_at=None).exclude(type=1)
    return set(live.values_list("source_id", "type_id", "target_id"))


@pytest.mark.django_db
@given(data=st.data())
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_after_any_edits_the_associations_are_those_of_a_fresh_run_and_those_of_others(data: st.DataObject) -> None:
    with transaction.atomic():
        town = Town(data.draw)
        town.run(town.workflows)
        for _ in range(data.draw(st.integers(4, 10))):
            town.edit()
            if data.draw(st.booleans()):
                settle(at_once=data.draw(st.booleans()))
        for record in Record.objects.filter(archived_at__isnull=False).select_related("object_type"):
            archiving.restore_records(record.object_type, [record.pk], origin=ORIGIN)
        settle()
        kept = standing()
        assert not [each for each in check_all() if each.count and not each.is_warning]
        Association.objects.all().delete()
        fresh = [making.make_workflow(object_type("contact"), *town.steps)]
        town.run(fresh)
        assert kept == standing() | town.asked
        transaction.set_rollback(True)
