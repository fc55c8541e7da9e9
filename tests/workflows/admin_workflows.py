"""What the tests of the admin of workflows share: its pages, used as a browser would use them."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from associations.types import DirectedType
from tests.associations.admin_pages import fields_on, submit
from tests.factories import object_type
from workflows.models import Run, Workflow

FORM = "workflow_form"


def url(page: str, *args: object, **query: object) -> str:
    """The address of a page such as `workflow_change`."""
    return reverse(f"admin:workflows_{page}", args=args, query=query)


def page_of(workflow: Workflow) -> str:
    return url("workflow_change", workflow.pk)


def add_workflow(client: Client, name: str, type_name: str) -> Workflow:
    submit(client, url("workflow_add"), FORM, name=name, object_type=object_type(type_name).pk)
    return Workflow.objects.get(name=name)


def rows(*filters: dict[str, object], first: int = 0) -> dict[str, object]:
    """Rows of the triggers' table, each with its fields by name, as a browser sends them; `first` are there already."""
    sent: dict[str, object] = {"triggers-TOTAL_FORMS": first + len(filters), "triggers-INITIAL_FORMS": first}
    for number, given in enumerate(filters, first):
        row = {"group": 1, "kind": "property", "operator": "is_equal_to", "has": "has", **given}
        sent |= {f"triggers-{number}-{name}": value for name, value in row.items()}
    return sent


def add_filters(client: Client, workflow: Workflow, *filters: dict[str, object]) -> Any:
    return submit(client, page_of(workflow), FORM, **rows(*filters))


def add_action(client: Client, workflow: Workflow, kind: str, other: str, **fields: object) -> Any:
    """First the object, then what depends on it, as people do."""
    address = url("workflow_add_action", workflow.pk, kind)
    chosen = submit(client, address, "action_form", to_object_type=object_type(other).type_id, _choose="Next")
    return client.post(address, {**fields_on(chosen, "action_form"), **fields}, follow=True)


def turn_on(client: Client, workflow: Workflow, **pressed: str) -> Any:
    return submit(client, url("workflow_turn_on", workflow.pk), "turn_on_form", **pressed)


def id_of(directed: DirectedType) -> str:
    return str(directed.type_id)


def only_run() -> Run:
    return Run.objects.get()


def row_errors(page: Any, number: int = 0) -> dict[str, list[str]]:
    """The errors of one row of the triggers' table, by field."""
    [formset] = page.context["inline_admin_formsets"]
    return dict(formset.formset.forms[number].errors)


def text(page: Any) -> str:
    return page.content.decode()
