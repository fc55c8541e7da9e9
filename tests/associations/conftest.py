"""What tests of two writers of associations share."""

from __future__ import annotations

import pytest

from associations.sql import base


@pytest.fixture(params=[pytest.param(1, id="as many"), pytest.param(1_000, id="as few")])
def many_or_few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are written in the hope that nobody else is at it, or row by row: what holds is the same."""
    monkeypatch.setattr(base, "MANY", request.param)
