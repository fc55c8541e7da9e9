"""What deploy/ starts is what there is: its commands run, its variables are known, its units are well formed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from tests import processes

pytestmark = pytest.mark.once

DEPLOY = Path(settings.BASE_DIR) / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return found


def variables() -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / "crm.env.example").read_text(), re.MULTILINE))


def commands() -> list[list[str]]:
    listed = [service["command"] for service in services().values() if "command" in service]
    started = [re.search(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE) for unit in UNITS]
    return listed + [shlex.split(line.group(1)) for line in started if line]


def test_every_command_of_the_product_exists_and_names_modules_that_are_there() -> None:
    managed = [command[command.index("manage.py") + 1 :] for command in commands() if "manage.py" in command]
    assert {command[0] for command in managed} == {"migrate", "rqworker", "rqcron"}
    assert {command[0] for command in managed} <= set(get_commands())
    assert {tuple(command[1:]) for command in managed if command[0] == "rqworker"} == {tuple(settings.RQ_QUEUES)}
    assert {tuple(command[1:]) for command in managed if command[0] == "rqcron"} == {("workflows.cron",)}
    served = [command[-1] for command in commands() if command[0].endswith("gunicorn")]
    assert set(served) == {"crmproject.wsgi"}


def test_every_variable_is_one_that_the_settings_read() -> None:
    head = (Path(settings.BASE_DIR) / "crmproject" / "settings.py").read_text().partition('"""\n')[0]
    named = variables()
    of_the_database_image = {"POSTGRES_PASSWORD"}
    assert [name for name in named if name not in head and name not in of_the_database_image] == []
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS"} <= set(named)


@pytest.mark.django_db
def test_a_site_served_through_https_answers_the_health_check_beside_it_which_speaks_http() -> None:
    asked = services()["web"]["healthcheck"]["test"]
    example = {name: value for name, value in variables().items() if name.endswith(("HOSTS", "HTTPS", "PROXY"))}
    with processes.web_server(**example) as port:
        checked = [part.replace(":8000", f":{port}") for part in asked[1:]]
        health = subprocess.run([sys.executable, *checked[1:]], capture_output=True, text=True, timeout=60)
        assert health.returncode == 0, health.stderr
        with closing(HTTPConnection("localhost", port, timeout=60)) as connection:
            connection.request("GET", "/admin/")
            page = connection.getresponse()
            assert (page.status, page.headers["Location"]) == (301, f"https://localhost:{port}/admin/")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine.")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS:  # with programs that are there in place of those of an installation
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name.replace("@", "@1")).write_text(text.replace("/opt/crm", "/"))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))], capture_output=True, text=True
    )
    mine = [line for line in checked.stderr.splitlines() if str(tmp_path) in line]
    assert mine == []
