"""The product as it runs, for tests that look at it through a browser: a real web server, a real worker, Chromium.

All tests of a module share one site, with a database that is new and has what the migrations wrote. What a test
makes through the factories or a service, the site sees; what others of the module made stays, so give names of their
own to what has to be unique. These tests run once, on SQLite.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page
from pytest_django import DjangoDbBlocker

from associations.models import Record
from tests import processes
from tests.associations.admin_pages import sign_in
from workflows.models import Run, Workflow
from workflows.services import enrollment

from .chromium import PATIENCE, Watch, chromium, find_chromium

OpenAdmin = Callable[..., Page]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is in this folder; without Chromium skip it, but not in CI."""
    here = Path(__file__).parent
    mine = [item for item in items if item.path.is_relative_to(here)]
    for item in mine:
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.once)
        if find_chromium() is None and not os.environ.get("CI"):
            item.add_marker(
                pytest.mark.skip(reason="Chromium is not on this machine (on Debian: apt install chromium)")
            )


@pytest.fixture(autouse=True)
def _empty_queue() -> None:
    """Here the queue is left as it is: a worker listens at it."""


@pytest.fixture(autouse=True)
def _initial_rows() -> None:
    """Here what tests write is committed, for the site to see it."""


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file as the migrations leave it."""
    path = tmp_path_factory.mktemp("migrated") / "site.sqlite3"
    done = processes.manage("migrate", "-v0", DATABASE_URL=f"sqlite:///{path}")
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def database(
    migrated: Path, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The database of the module's site, for this process as well."""
    others = connection.settings_dict["NAME"]
    own = shutil.copytree(migrated.parent, tmp_path_factory.mktemp("site") / "database") / migrated.name
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright has a loop of its own in this thread
        connection.close()
        connection.settings_dict["NAME"] = str(own)
        yield
        connection.close()
        connection.settings_dict["NAME"] = others


@pytest.fixture(scope="module")
def site(database: None) -> Iterator[str]:
    """The address of a web server with a worker behind it."""
    worker = processes.start_worker()
    try:
        with processes.web_server() as port:
            yield f"http://127.0.0.1:{port}"
    finally:
        worker.terminate()
        worker.wait()


def enroll(workflow: Workflow, records: Sequence[Record]) -> Run:
    """Enroll these records and wait until the site's worker is done: here nobody else may work off what it works at."""
    run = enrollment.enroll_records(workflow, [record.pk for record in records])
    processes.wait_until(lambda: not Run.objects.filter(pk=run.pk, finished_at=None).exists(), 60)
    run.refresh_from_db()
    return run


@pytest.fixture(scope="module")
def browser(site: str) -> Iterator[Browser]:
    with chromium() as browser:
        yield browser
        connection.close()  # while Playwright's loop runs, Django keeps another one than without: to this database


@pytest.fixture
def open_admin(browser: Browser, site: str) -> Iterator[OpenAdmin]:
    """A window of somebody of the staff: `open_admin("view_record", width=400, dark=True)`; without permissions, of a
    superuser. The test fails if a page logs an error or asks another host."""
    windows, watches = [], []

    def open_window(*codenames: str, width: int = 1280, dark: bool = False, signed_in: bool = True) -> Page:
        context = browser.new_context(
            base_url=site,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE)
        windows.append(context)
        watches.append(Watch(context, site))
        if signed_in:
            session: Any = sign_in(*codenames).cookies["sessionid"]
            context.add_cookies([{"name": "sessionid", "value": session.value, "url": site}])
        return context.new_page()

    yield open_window
    for window in windows:
        window.close()
    problems = [problem for watch in watches for problem in watch.problems]
    assert problems == []


@pytest.fixture
def page(open_admin: OpenAdmin) -> Page:
    """A superuser's window."""
    return open_admin()
