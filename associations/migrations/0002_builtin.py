"""What an empty installation starts with, and what only the database itself can be told:
the two-way view, and PostgreSQL's index of all properties."""

from django.db import migrations

from . import _builtin as builtin

VIEW = """
CREATE VIEW associations_associationend AS
SELECT source_id AS record_id, target_id AS other_id, type_id, type_id AS association_type_id, change_set_id
FROM associations_association
UNION ALL
SELECT a.target_id, a.source_id, t.inverse_id, a.type_id, a.change_set_id
FROM associations_association a JOIN associations_associationtype t ON t.id = a.type_id
"""


def write_builtin(apps, schema_editor):
    ObjectType = apps.get_model("associations", "ObjectType")
    PropertyGroup = apps.get_model("associations", "PropertyGroup")
    Property = apps.get_model("associations", "Property")
    for id_, type_id, name, label, plural_label, group_name, primary, properties in builtin.OBJECT_TYPES:
        object_type = ObjectType.objects.create(
            id=id_,
            type_id=type_id,
            name=name,
            label=label,
            plural_label=plural_label,
            primary_property=primary,
            is_builtin=True,
        )
        group = PropertyGroup.objects.create(
            object_type=object_type, name=group_name, label=f"{label} information"
        )
        for order, (prop, prop_label, (type_, field_type), options) in enumerate(properties):
            Property.objects.create(
                object_type=object_type,
                group=group,
                name=prop.removeprefix("*"),
                label=prop_label,
                type=type_,
                field_type=field_type,
                has_unique_value=prop.startswith("*"),
                options=[{"value": value, "label": word} for value, word in (options or {}).items()],
                display_order=order,
                is_builtin=True,
            )
    if schema_editor.connection.vendor == "postgresql":  # the ids above were given, so the sequence stands at 1
        schema_editor.execute(
            "SELECT setval(pg_get_serial_sequence('associations_objecttype', 'id'),"
            " (SELECT max(id) FROM associations_objecttype))"
        )


def write_association_types(apps, schema_editor):
    AssociationType = apps.get_model("associations", "AssociationType")
    own_id = builtin.FIRST_OWN_ID
    object_types = [each[0] for each in builtin.OBJECT_TYPES]
    for first in object_types:
        for second in object_types:
            if first > second:
                continue
            ids = builtin.UNLABELED.get((first, second))
            if ids is None:
                ids = (own_id, own_id if first == second else own_id + 1)
                own_id = ids[1] + 1
            AssociationType.objects.create(
                id=ids[0],
                inverse_id=ids[1],
                from_object_type_id=first,
                to_object_type_id=second,
                category="HUBSPOT_DEFINED",
            )
    for first, second, id_, inverse_id, name, label, inverse_label in builtin.LABELS:
        AssociationType.objects.create(
            id=id_,
            inverse_id=inverse_id,
            from_object_type_id=first,
            to_object_type_id=second,
            category="HUBSPOT_DEFINED",
            name=name,
            label=label,
            inverse_label=inverse_label,
        )


def create_property_index(apps, schema_editor):
    """Serves equality on any property; SQLite has nothing like it."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE INDEX record_properties ON associations_record USING gin (properties jsonb_path_ops)"
        )


def drop_property_index(apps, schema_editor):
    schema_editor.execute("DROP INDEX IF EXISTS record_properties")


class Migration(migrations.Migration):
    dependencies = [("associations", "0001_initial")]

    operations = [
        migrations.RunPython(write_builtin, migrations.RunPython.noop),
        migrations.RunPython(write_association_types, migrations.RunPython.noop),
        migrations.RunPython(create_property_index, drop_property_index),
        migrations.RunSQL(VIEW, "DROP VIEW associations_associationend"),
    ]
