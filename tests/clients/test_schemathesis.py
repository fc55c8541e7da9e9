"""schemathesis asks every endpoint of the OpenAPI document, with a token and without: what it allows, and what not.

No answer may be a fault of the server's, of a status that is not documented, or of another form than documented.
Bounded in count; the same questions each time in CI.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import associate_pairs, make_records
from tests.workflows.flows.hubspot import create, flow
from workflows.services import enrollment, flows

from .conftest import Site

HERE = Path(__file__).parent
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
PHASES = {True: "coverage,fuzzing", False: "fuzzing"}
EXAMPLES = "3"


@pytest.mark.slow
@pytest.mark.parametrize("with_token", [True, False])
def test_every_endpoint_answers_as_it_is_documented(site: Site, tmp_path: Path, with_token: bool):
    contacts, companies = make_records("contact", 3), make_records("company", 2)
    associate_pairs([(contact, company) for contact in contacts for company in companies])
    make_records("deal", 2)
    for number in range(3):
        workflow = flows.create_flow(flow(create(), name=f"Flow {number}", isEnabled=True))
        enrollment.enroll_records(workflow, [contact.pk for contact in contacts])
    # One worker: to read lambdas, Hypothesis parses source, and two threads that do confuse Python 3.11's parser.
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")),
        *("run", f"{site.url}/api/schema/", "--checks", CHECKS, "--phases", PHASES[with_token]),
        *("--max-examples", EXAMPLES if with_token else "1", "--workers", "1", "--warnings", "off"),
        *("--suppress-health-check", "all", "--no-color"),
        *(("--header", f"Authorization: Bearer {site.token}") if with_token else ()),
        *(("--generation-deterministic",) if os.environ.get("CI") else ()),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
