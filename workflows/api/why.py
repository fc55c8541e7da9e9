"""Beyond HubSpot: why two records are associated, or are not. Only asks services.why."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from associations.api.base import object_type_of, path_id
from associations.models import Record
from crmproject.api.documenting import documented
from crmproject.api.errors import iso, not_found
from crmproject.api.scopes import AUTOMATION, FAMILIES, Needs, of_family
from workflows.services import why
from workflows.services.attempts import Attempt, attempts

from . import why_bodies as bodies
from .base import BEYOND, AutomationView
from .runs import represent_ruled_out

Json = dict[str, Any]
_READ = (AUTOMATION, *(scope for family in FAMILIES for scope in of_family("objects", family, "read")))


class WhyView(AutomationView):
    def needs(self) -> Needs:
        return Needs(_READ, "associations.view_record")

    def record(self, type_name: str, id_name: str) -> Record:
        object_type, id_ = object_type_of(self.kwargs[type_name]), path_id(self.kwargs[id_name])
        found = Record.objects.filter(object_type=object_type, pk=id_).select_related("object_type").first()
        if found is None:
            raise not_found(f"There is no {object_type.label.lower()} {id_}.")
        return found


class PairHistory(WhyView):
    name = "History of a pair"

    @documented(
        "Why two records are associated, or are not: what came and went, and what actions said last",
        {200: bodies.PairHistory},
        tag=BEYOND,
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        record = self.record("fromObjectType", "fromObjectId")
        told = why.of_pair(record, self.record("toObjectType", "toObjectId"))
        return Response(
            {
                "results": [_change(each) for each in told.earlier],
                "current": [_change(each) for each in told.there],
                "outcomes": [_attempt(each) for each in told.attempts],
                "neverEnrolled": [{"flowId": str(each.pk), "name": str(each)} for each in told.never_enrolled],
            }
        )


class LastOutcomes(WhyView):
    name = "Last outcomes of a record"

    @documented(
        "What each action said of a record last, and what it looked for", {200: bodies.LastOutcomes}, tag=BEYOND
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        said = attempts(self.record("objectType", "objectId"))
        return Response({"results": [_attempt(each) for each in said]})


def _change(change: why.Change) -> Json:
    directed, maker = change.directed, change.maker
    run = maker.action_run.batch.run if maker.action_run else None
    return {
        "at": iso(maker.at) or None,
        "added": change.added,
        "what": change.what,
        "associationTypeId": directed.type_id if directed else None,
        "category": directed.type.category if directed else None,
        "label": (directed.label or None) if directed else None,
        "by": maker.who,
        "workflow": {
            "flowId": str(run.workflow_id),
            "runId": str(run.pk),
            "revisionId": str(run.revision.edits),
            "action": maker.action_run.position + 1,
        }
        if run and maker.action_run
        else None,
        "value": change.value,
        "otherValue": change.other_value,
    }


def _attempt(attempt: Attempt) -> Json:
    action_run, today = attempt.action_run, attempt.today
    run = action_run.batch.run
    return {
        "recordId": str(attempt.record.pk),
        "workflow": {
            "flowId": str(run.workflow_id),
            "runId": str(run.pk),
            "revisionId": str(run.revision.edits),
            "action": action_run.position + 1,
        },
        "sentence": attempt.sentence.text,
        "outcome": attempt.outcome.outcome.upper(),
        "pairs": attempt.outcome.count,
        "value": attempt.outcome.value,
        "ruledOut": represent_ruled_out(attempt.outcome),
        "today": {"value": today.own_value, "otherValue": today.other_value, "matches": today.matches}
        if today
        else None,
    }
