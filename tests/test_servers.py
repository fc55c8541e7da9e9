"""The tests' own servers: what other tests build on should not fail silently."""

import subprocess
import sys

import psycopg
import pytest
import redis
from django.conf import settings

from .servers import find_postgresql, main, postgres_server, valkey_server

pytestmark = pytest.mark.once

needs_postgresql = pytest.mark.skipif(find_postgresql() is None, reason="no server programs of PostgreSQL")


@needs_postgresql
@pytest.mark.slow
def test_what_a_durable_server_has_committed_survives_a_crash():
    with postgres_server(durable=True) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        server.restart("immediate")
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
        folder = server.folder
    assert not folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url)


def test_a_queue_that_is_killed_comes_back_empty():
    with valkey_server() as server, redis.Redis.from_url(server.url) as client:
        client.set("bell", 1)
        server.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        server.start()
        assert client.get("bell") is None


@needs_postgresql
@pytest.mark.slow
def test_the_runner_lends_a_server_and_passes_the_exit_status_on():
    code = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).close(); raise SystemExit(7)"
    runner = [sys.executable, "-m", "tests.servers", "postgres", "--", sys.executable, "-c", code]
    assert subprocess.run(runner, cwd=settings.BASE_DIR).returncode == 7


def test_without_postgresql_the_runner_says_so_in_a_line(monkeypatch, capsys):
    monkeypatch.setattr("tests.servers.find_postgresql", lambda: None)
    monkeypatch.delenv("CI", raising=False)
    assert main(["postgres", "--", "false"]) == 0
    assert "is skipped" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit, match="CI must not do without it"):
        main(["postgres", "--", "false"])
