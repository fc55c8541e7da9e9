"""What a process remembers of the schema is forgotten when another process changes it."""

import pytest

from associations.errors import InvalidRecords
from associations.models import MatchIndex, MatchKey
from tests import processes
from tests.asking import Asking
from tests.factories import change, make_record, make_records

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
CHANGES = """
from associations.models import ObjectType, Property
from associations.services import match_keys, schema
contact = ObjectType.objects.get(name="contact")
words = {"label": "Person", "plural_label": "Contacts", "description": ""}
schema.update_object_type(contact, **words, required_properties=["city"])
schema.create_property(contact, name="badge", label="Badge", has_unique_value=True)
match_keys.ensure_match_index(contact.properties.get(name="city"), "normalized")
"""


def test_a_process_sees_at_once_what_another_one_changes(ask: Asking) -> None:
    ada = make_record("contact", firstname="Ada")
    assert ask.get("/crm/v3/objects/person").status_code == 400

    changed = processes.manage("shell", "-c", CHANGES)
    assert changed.returncode == 0, changed.stderr

    assert ask.get("/crm/v3/objects/person").status_code == 200
    with pytest.raises(InvalidRecords, match="is required"):
        make_record("contact", firstname="Bo")
    bo, cy = make_records("contact", [{"city": "Rome", "badge": "1"}, {"city": "Oslo"}])
    with pytest.raises(InvalidRecords, match=f"belongs to person {bo.pk}"):
        change(ada, badge="1")
    [index] = MatchIndex.objects.all()
    assert set(MatchKey.objects.values_list("index", "record")) == {(index.pk, bo.pk), (index.pk, cy.pk)}
