"""What happens to one record where a workflow asks for its associations: is it at once, beside a million of them?"""

from __future__ import annotations

import time
from statistics import quantiles

from associations.models import AssociationEnd, ObjectType
from associations.querysets import unlabeled_type
from crmproject.api.tokens import create_token
from workflows.models import EnrollmentTrigger, Workflow
from workflows.services import lifecycle

from . import floors
from .backfills import WORKERS, make_workflow
from .report import Report
from .web import Client, web_server
from .workers import wait_until, workers

CHANGES = 120


def make_asking() -> Workflow:
    """A workflow that is on: for contacts who come to be in a city and have a company that is in one, but none of which
    the company is elsewhere."""
    workflow = make_workflow("Asking", "create_associations", enrolled_property="company", associated_property="name")
    lifecycle.turn_off(workflow)
    company = unlabeled_type(workflow.object_type, ObjectType.objects.get(name="company")).type_id
    in_city = {"property": "city", "operator": "is_any_of", "values": ["Asked for"]}
    has_city = {"property": "city", "operator": "is_known", "values": [], "type_id": company}
    elsewhere = {"property": "city", "operator": "is_any_of", "values": ["Elsewhere"], "type_id": company}
    enroll, suppress = EnrollmentTrigger.Purpose.ENROLL, EnrollmentTrigger.Purpose.SUPPRESS
    for purpose, kind, fields in (
        (enroll, "property", in_city),
        (enroll, "associated_property", has_city),
        (suppress, "associated_property", elsewhere),
    ):
        EnrollmentTrigger.objects.create(workflow=workflow, purpose=purpose, kind=kind, fields=fields)
    lifecycle.turn_on(workflow)
    return workflow


def measure(report: Report) -> None:
    workflow = make_asking()
    contacts = AssociationEnd.objects.filter(association_type=279).values_list("record", flat=True)
    ids = sorted(set(contacts[: CHANGES * 10]))[:CHANGES]
    _, token = create_token("asking", ["crm.objects.contacts.write"])
    milliseconds = []
    with workers(WORKERS), web_server() as port:
        client = Client(port, token)
        for id_ in ids:
            start = time.monotonic()
            change = {"id": str(id_), "properties": {"city": "Asked for"}}
            client.post("/crm/v3/objects/contacts/batch/update", {"inputs": [change]})
            wait_until(lambda id_=id_: _is_done(workflow, id_), 60, 0.0005)  # type: ignore[misc]
            milliseconds.append((time.monotonic() - start) * 1000)
    cuts = quantiles(milliseconds[10:], n=100)
    report.add("one change, filters on associations, p50", cuts[49], "ms", note="from the POST to the enrollment's end")
    report.add("one change, filters on associations, p99", cuts[98], "ms")


def _is_done(workflow: Workflow, record_id: int) -> bool:
    done = f"WHERE workflow_id = {workflow.pk:d} AND record_id = {record_id:d} AND state = 'finished'"
    return floors.count(f"SELECT count(*) FROM workflows_enrollment {done}") > 0
