"""HubSpot's own client for Node (@hubspot/api-client); crm.mjs has what it asks and expects."""

from __future__ import annotations

import subprocess
from pathlib import Path

from django.contrib.auth.models import User

from .conftest import Site


def test_every_family_of_endpoints(site: Site, node: Path, admin_user: User):
    command = ["node", "crm.mjs", site.url, site.token, str(admin_user.pk)]
    done = subprocess.run(command, cwd=node, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all is well\n")
