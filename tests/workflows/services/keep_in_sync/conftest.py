"""A contact and a company whose cities match, and a workflow that keeps their association in sync."""

from __future__ import annotations

import pytest

from associations.models import Record
from tests.factories import (
    make_record,
    words,
)
from tests.workflows.making import (
    enroll,
    make_workflow,
)
from workflows.models import Workflow

from .keeping import kept


@pytest.fixture
def contact(db: None) -> Record:
    return make_record("contact", city="Boston")


@pytest.fixture
def company(db: None) -> Record:
    return make_record("company", city="boston ")


@pytest.fixture
def workflow(contact: Record, company: Record) -> Workflow:
    made = make_workflow("contact", kept())
    enroll(made, [contact])
    assert words(contact, company) == {"unlabeled", "Primary"}
    return made
