"""Flows by the clients for Python and Node, which have no methods of their own for them: by api_request."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hubspot import HubSpot

from tests.factories import make_label
from tests.workflows.flows.hubspot import all_of, any_of, apply, create, flow, list_based

from .conftest import Site

FLOWS = "/automation/v4/flows"
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:hubspot"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:urllib3"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def sent() -> dict[str, Any]:
    label = make_label("contact", "company", "Local")
    return flow(create(), apply(label), enrollmentCriteria=list_based(all_of(any_of("city", "Rome"))))


def test_the_client_for_python(site: Site):
    client = HubSpot(access_token=site.token, host=site.url, base_url=site.url)

    def ask(method: str, path: str = "", body: Any = None) -> Any:
        options = {"method": method, "path": f"{FLOWS}{path}", "headers": {"Content-Type": "application/json"}}
        return client.api_request({**options, "body": body} if body is not None else options)

    answer = ask("POST", body=sent())
    made = answer.json()
    assert answer.status_code == 201
    assert ask("GET", f"/{made['id']}").json() == made
    on = ask("PUT", f"/{made['id']}", {**made, "isEnabled": True})
    assert on.status_code == 200 and on.json()["isEnabled"] is True
    assert ask("PUT", f"/{made['id']}", made).status_code == 409
    batch = ask("POST", "/batch/read", {"inputs": [{"flowId": made["id"], "type": "FLOW_ID"}]})
    assert batch.json()["results"] == [on.json()]
    assert [each["id"] for each in ask("GET").json()["results"]] == [made["id"]]
    assert ask("DELETE", f"/{made['id']}").status_code == 204
    assert ask("GET", f"/{made['id']}").status_code == 404


def test_the_client_for_node(site: Site, node: Path):
    command = ["node", "flows.mjs", site.url, site.token, json.dumps(sent())]
    done = subprocess.run(command, cwd=node, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all is well\n")
