"""Official clients, unmodified, against a real server on a real port. They run once, on SQLite.

Those of Node need what `make tests/clients/node_modules` installs; without it they are skipped, but fail in CI.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from crmproject.api.scopes import SCOPES
from crmproject.api.tokens import create_token
from tests import processes


@dataclass(frozen=True)
class Site:
    """Where the API is, and a token with every scope."""

    url: str
    token: str


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is in this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.once)


@pytest.fixture(scope="session")
def server(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a real web server on the tests' own database."""
    longest = "--limit-request-line=8190"  # schemathesis asks at length
    with django_db_blocker.unblock(), processes.web_server(longest, LOG_LEVEL="ERROR") as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def site(server: str, transactional_db: None) -> Site:
    return Site(server, create_token("a client", SCOPES, rate_limit=1_000_000)[1])


@pytest.fixture(scope="session")
def node() -> Path:
    """This folder, with the packages of package.json in it."""
    here = Path(__file__).parent
    if shutil.which("npm") is None:
        if os.environ.get("CI"):
            pytest.fail("npm is not on this machine, and CI must not do without it.")
        pytest.skip("npm is not on this machine (on Debian: apt install npm)")
    if not (here / "node_modules").is_dir():
        if os.environ.get("CI"):
            pytest.fail("The packages of tests/clients/package.json are not installed: make tests/clients/node_modules")
        pytest.skip("The packages of tests/clients/package.json are not installed: make tests/clients/node_modules")
    return here
