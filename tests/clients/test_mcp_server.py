"""HubSpot's own MCP server (@hubspot/mcp-server), unmodified, pointed at a real server: its tools do here what they do
there, but for engagements (notes and tasks), which this product has not."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.factories import make_label, make_object_type, make_record
from tests.workflows.flows.hubspot import EMAIL, create, flow
from workflows.services import flows

from .conftest import Site

SERVER = "node_modules/@hubspot/mcp-server/dist/index.js"


class Tools:
    """The tools of an MCP server: a line of JSON to it, a line of JSON back."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.number = process, 0
        client = {"name": "a test", "version": "1"}
        self.ask("initialize", {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": client})
        self._send({"method": "notifications/initialized"})

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params})
        assert self.process.stdout is not None
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
        raise AssertionError("The MCP server ended.")

    def call(self, tool: str, **arguments: Any) -> str:
        """What a tool says. Fails if it failed."""
        result = self.ask("tools/call", {"name": f"hubspot-{tool}", "arguments": arguments})
        text = "\n".join(part["text"] for part in result["content"])
        assert not result.get("isError"), text
        return text


@pytest.fixture
def tools(site: Site, node: Path) -> Iterator[Tools]:
    if not (node / SERVER).exists():
        pytest.skip("The packages of tests/clients/package.json have changed: make tests/clients/node_modules")
    where = {"BASE_URL_OVERRIDE": site.url, "PRIVATE_APP_ACCESS_TOKEN": site.token}
    pipe, none = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen(
        ["node", SERVER], cwd=node, env={**os.environ, **where}, text=True, stdin=pipe, stdout=pipe, stderr=none
    )
    with process:
        yield Tools(process)
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()


def test_its_tools(tools: Tools, admin_user: User):
    said = tools.call("get-user-details")
    assert admin_user.email in said and '"hubId": 1' in said and "automation" in said
    make_object_type("pet")
    assert '"name": "pet"' in tools.call("get-schemas")
    _workflows(tools)
    _records(tools)
    _associations(tools)
    _properties(tools)


def _workflows(tools: Tools) -> None:
    workflow = flows.create_flow(flow(create(), EMAIL, name="What is on"))
    assert "What is on" in tools.call("list-workflows", limit=10)
    said = tools.call("get-workflow", flowId=str(workflow.pk))
    assert "0-63189541" in said and "content_id" in said


def _records(tools: Tools) -> None:
    inputs = [{"properties": {"email": "ada@example.com", "firstname": "Ada"}}]
    assert "ada@example.com" in tools.call("batch-create-objects", objectType="contacts", inputs=inputs)
    contact = make_record("contact", email="bob@example.com")
    ids = [{"id": str(contact.pk)}]
    said = tools.call("batch-read-objects", objectType="contacts", inputs=ids, properties=["email"])
    assert "bob@example.com" in said
    update = [{"id": str(contact.pk), "properties": {"firstname": "Robert"}}]
    assert "Robert" in tools.call("batch-update-objects", objectType="contacts", inputs=update)
    assert "Robert" in tools.call("list-objects", objectType="contacts", properties=["firstname"], limit=10)
    filters = [{"propertyName": "email", "operator": "EQ", "value": "ada@example.com"}]
    said = tools.call("search-objects", objectType="contacts", filterGroups=[{"filters": filters}])
    assert "ada@example.com" in said and "bob@example.com" not in said


def _associations(tools: Tools) -> None:
    label = make_label("contact", "company", "Employer", "Employee")
    contact, company = make_record("contact", email="cem@example.com"), make_record("company", name="Alder")
    said = tools.call("get-association-definitions", fromObjectType="contacts", toObjectType="companies")
    assert "Employer" in said and "Primary" in said
    spec = {"associationCategory": "USER_DEFINED", "associationTypeId": label.type_id}
    pair = {"from": {"id": str(contact.pk)}, "to": {"id": str(company.pk)}}
    tools.call(
        "batch-create-associations",
        fromObjectType="contacts",
        toObjectType="companies",
        inputs=[pair],
        types=[spec],
    )
    ends = {"objectType": "contacts", "objectId": str(contact.pk), "toObjectType": "companies"}
    assert "Employer" in tools.call("list-associations", **ends)


def _properties(tools: Tools) -> None:
    hobby = {"type": "string", "fieldType": "text", "groupName": "contactinformation"}
    assert "Hobby" in tools.call("create-property", objectType="contacts", name="hobby", label="Hobby", **hobby)
    assert "Hobby" in tools.call("get-property", objectType="contacts", propertyName="hobby")
    said = tools.call("update-property", objectType="contacts", propertyName="hobby", label="Hobbies")
    assert "Hobbies" in said
    assert "hobby" in tools.call("list-properties", objectType="contacts")
