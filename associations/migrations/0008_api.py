"""What API clients need on top: how they define types and properties, the properties that HubSpot's own examples set,
an index for what changed lately, and one that finds text in any letter case."""

from django.db import migrations, models

TEXT, SELECT = ("string", "text"), ("enumeration", "select")
LIFECYCLE_STAGES = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing qualified lead"),
    ("salesqualifiedlead", "Sales qualified lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
CATEGORIES = (
    ("PRODUCT_ISSUE", "Product issue"),
    ("BILLING_ISSUE", "Billing issue"),
    ("FEATURE_REQUEST", "Feature request"),
    ("GENERAL_INQUIRY", "General inquiry"),
)
PROPERTIES = [
    ("contact", "hubspot_owner_id", "Contact owner", TEXT, ()),
    ("company", "hubspot_owner_id", "Company owner", TEXT, ()),
    ("company", "website", "Website URL", TEXT, ()),
    ("company", "lifecyclestage", "Lifecycle stage", SELECT, LIFECYCLE_STAGES),
    ("deal", "hubspot_owner_id", "Deal owner", TEXT, ()),
    ("ticket", "hubspot_owner_id", "Ticket owner", TEXT, ()),
    ("ticket", "hs_pipeline", "Pipeline", SELECT, (("0", "Support pipeline"),)),
    ("ticket", "hs_ticket_category", "Category", SELECT, CATEGORIES),
]


def write_properties(apps, schema_editor):
    """One that somebody has defined already stays as it is."""
    Property = apps.get_model("associations", "Property")
    for type_name, name, label, (type_, field_type), options in PROPERTIES:
        object_type = apps.get_model("associations", "ObjectType").objects.get(name=type_name)
        Property.objects.get_or_create(
            object_type=object_type,
            name=name,
            defaults={
                "group": object_type.property_groups.order_by("id").first(),
                "label": label,
                "type": type_,
                "field_type": field_type,
                "options": [{"value": value, "label": word} for value, word in options],
                "display_order": 100,
                "is_builtin": True,
            },
        )


def create_property_index(apps, schema_editor):
    """In place of the one that knows text only as it is written; equality asks this one first, then the value itself."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS record_properties")
        schema_editor.execute(
            "CREATE INDEX record_properties_folded ON associations_record"
            " USING gin ((lower(properties::text)::jsonb) jsonb_path_ops)"
        )


def drop_property_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS record_properties_folded")
        schema_editor.execute(
            "CREATE INDEX record_properties ON associations_record USING gin (properties jsonb_path_ops)"
        )


class Migration(migrations.Migration):
    dependencies = [("associations", "0007_ledger")]

    operations = [
        *[
            migrations.AddField(
                "objecttype", name, models.JSONField(blank=True, default=list, editable=False, help_text=help_text)
            )
            for name, help_text in (
                ("required_properties", "A new record has to have a value of these"),
                ("searchable_properties", "What the API's search for a text looks at"),
                ("secondary_properties", ""),
            )
        ],
        migrations.AddField(
            "property",
            "hints",
            models.JSONField(
                blank=True,
                default=dict,
                editable=False,
                help_text="What API clients say of how it is shown; kept for them",
            ),
        ),
        migrations.AddIndex(
            "record", models.Index(fields=["object_type", "updated_at", "id"], name="record_by_change")
        ),
        migrations.RunPython(write_properties, migrations.RunPython.noop),
        migrations.RunPython(create_property_index, drop_property_index),
    ]
