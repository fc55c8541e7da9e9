"""The form of a record: one typed field per property of its object type."""

from __future__ import annotations

from typing import Any

from associations.models import Record
from associations.services.records import RecordInput

from .base import ServiceForm
from .layout import Layout
from .values import PropertyField, field_name


class RecordForm(ServiceForm[Record]):
    """Only what differs from what is kept goes to the service, so that saving judges and writes nothing else."""

    class Meta:
        model = Record
        fields = ()

    def field_of(self, name: str) -> str:
        return field_name(name)

    def entered(self) -> RecordInput:
        names = {name: field.prop.name for name, field in self.fields.items() if isinstance(field, PropertyField)}
        return RecordInput({names[name]: self.cleaned_data[name] for name in self.changed_data}, id=self.instance.pk)


def record_form(layout: Layout, record: Record | None) -> type[RecordForm]:
    """The form for this record, or for a new one."""
    kept = record.properties if record else {}
    fields: dict[str, Any] = {
        field_name(prop.name): PropertyField(prop, kept.get(prop.name)) for prop in layout.properties
    }
    return type("RecordForm", (RecordForm,), fields)
