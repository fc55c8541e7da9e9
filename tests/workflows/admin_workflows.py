"""What the tests of the admin of workflows share: its pages, used as a browser would use them."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from associations.types import DirectedType
from tests.associations.admin_pages import fields_on, submit
from tests.factories import object_type
from workflows.models import Run, Workflow
from workflows.services import lifecycle

FORM = "workflow_form"


def url(page: str, *args: object, **query: object) -> str:
    """The address of a page such as `workflow_change`."""
    return reverse(f"admin:workflows_{page}", args=args, query=query)


def page_of(workflow: Workflow) -> str:
    return url("workflow_change", workflow.pk)


def add_workflow(client: Client, name: str, type_name: str) -> Workflow:
    submit(client, url("workflow_add"), FORM, name=name, object_type=object_type(type_name).pk)
    return Workflow.objects.get(name=name)


def rows(*filters: dict[str, object], part: str = "enroll") -> dict[str, Any]:
    """Filters as a browser sends them, each with its fields by name and the number of its group, from 1."""
    sent: dict[str, Any] = {}
    counted: dict[object, int] = {}
    for given in filters:
        row = {"group": 1, "subject": "own", "operator": "is_equal_to", **given}
        group = int(str(row.pop("group"))) - 1
        number = counted[group] = counted.get(group, -1) + 1
        sent |= {f"{part}-{group}-filter-{number}-{name}": value for name, value in row.items()}
    return sent


def opened(client: Client, workflow: Workflow) -> dict[str, Any]:
    """What the editor would send if nothing were changed in it; a new workflow's empty filter is left out."""
    sent: dict[str, Any] = fields_on(client.get(page_of(workflow)), FORM)
    if sent.get("enroll-0-filter-0-property") in (None, [""]) and "enroll-0-filter-0-subject" in sent:
        sent = {name: value for name, value in sent.items() if not name.startswith("enroll-")} | {"start": "manual"}
    return sent


def save(client: Client, workflow: Workflow, **changes: object) -> Any:
    return client.post(page_of(workflow), {**opened(client, workflow), **changes, "_save": "1"}, follow=True)


def add_filters(client: Client, workflow: Workflow, *filters: dict[str, object]) -> Any:
    """In the place of those that are there."""
    sent = {name: value for name, value in opened(client, workflow).items() if not name.startswith("enroll-")}
    return client.post(page_of(workflow), {**sent, **rows(*filters), "start": "filters", "_save": "1"}, follow=True)


def add_action(client: Client, workflow: Workflow, kind: str, other: str, **fields: object) -> Any:
    prefix = f"actions-{workflow.actions.count()}"
    given = {"kind": kind, "to_object_type": object_type(other).type_id, **fields}
    return save(client, workflow, **{f"{prefix}-{name}": value for name, value in given.items()})


def turn_on(client: Client, workflow: Workflow, **pressed: str) -> Any:
    return submit(client, url("workflow_turn_on", workflow.pk), "turn_on_form", **pressed)


def id_of(directed: DirectedType) -> str:
    return str(directed.type_id)


def only_run() -> Run:
    return Run.objects.get()


def row_errors(page: Any, group: int = 0, number: int = 0) -> dict[str, list[str]]:
    """The errors of one enrolling filter, by field."""
    return dict(page.context["draft"].groups["enroll"][group][number].errors)


def card_errors(page: Any, number: int = 0) -> dict[str, list[str]]:
    return dict(page.context["draft"].cards[number].form.errors)


def text(page: Any) -> str:
    return page.content.decode()


def definition(workflow: Workflow) -> dict[str, Any]:
    return lifecycle.definition_json(Workflow.objects.get(pk=workflow.pk))


def draw(client: Client, workflow: Workflow, step: str = "", **changes: Any) -> Any:
    """The page after a step or a choice, before anything is saved."""
    sent = fields_on(client.get(page_of(workflow)), FORM)
    return client.post(page_of(workflow), {**sent, **changes, "do": step})


def offered(page: Any, number: int, field: str) -> set[str]:
    return {str(value) for value, _ in page.context["draft"].cards[number].form.fields[field].choices if value}
