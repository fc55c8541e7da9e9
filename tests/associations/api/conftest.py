"""A contact and a company, for tests of the API."""

import pytest

from tests.factories import make_record


@pytest.fixture
def ada():
    return make_record("contact", email="ada@example.com")


@pytest.fixture
def alder():
    return make_record("company", name="Alder")
