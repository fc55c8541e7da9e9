"""What `manage.py serve` asks before it starts, as far as it takes no process (the rest is in test_serve.py)."""

import pytest
from django.db import connection

from crmproject import preflight

pytestmark = pytest.mark.once


def test_a_disk_without_space_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 3_000_000})())
    with pytest.raises(preflight.NotReady, match="Only 2 MB are free"):
        preflight.lock(tmp_path)


def test_an_old_postgresql_is_said(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setattr(connection, "ensure_connection", lambda: None)
    monkeypatch.setattr(connection, "pg_version", 140_009, raising=False)
    with pytest.raises(preflight.NotReady, match="is PostgreSQL 14; 15 or newer is needed"):
        preflight.check_database()
