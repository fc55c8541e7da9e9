"""What the admin's pages read so that they stay quick: names to search by, sums of the ledger, jobs for many records."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import TruncDate

from associations.comparison import name_key

CHUNK = 2_000
SOURCES = [("user", "User"), ("api", "API token"), ("import", "Import"), ("workflow", "Workflow"), ("system", "System")]
STATES = [("waiting", "Waiting"), ("running", "Running"), ("finished", "Finished"), ("failed", "Failed")]


def write_names(apps, schema_editor):
    Record, ObjectType = (apps.get_model("associations", name) for name in ("Record", "ObjectType"))
    shown_by = dict(ObjectType.objects.values_list("id", "primary_property"))
    last = 0
    while chunk := list(Record.objects.filter(id__gt=last).order_by("id").only("properties", "object_type")[:CHUNK]):
        for record in chunk:
            record.name_key = name_key(record.properties.get(shown_by[record.object_type_id]))
        Record.objects.bulk_update(chunk, ["name_key"])
        last = chunk[-1].pk


def write_figures(apps, schema_editor):
    """Of the change sets that workflows have looked at; the others follow when they have."""
    Change, Figure = (apps.get_model("associations", name) for name in ("AssociationChange", "AssociationFigure"))
    changes = Change.objects.filter(change_set__processed_at__isnull=False).annotate(day=TruncDate("change_set__at"))
    by = ("day", "type_id", "change_set__source")
    sums = changes.values(*by).order_by(*by).annotate(
        gone=models.Count("change_set_id", filter=models.Q(added=False)),
        new=models.Count("change_set_id", filter=models.Q(added=True)),
    )  # fmt: skip
    Figure.objects.bulk_create(
        Figure(day=row["day"], type_id=row["type_id"], source=row["change_set__source"], added=row["new"], removed=row["gone"])
        for row in sums
    )  # fmt: skip


class Migration(migrations.Migration):

    dependencies = [
        ("associations", "0004_highest_number"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="associationtype",
            options={
                "default_permissions": ("view",),
                "ordering": ["from_object_type", "to_object_type", "id"],
                "permissions": [("manage_labels", "Can manage association labels and limits")],
                "verbose_name": "association label",
            },
        ),
        migrations.AddField(
            model_name="objecttype",
            name="columns",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Names of the properties that lists of records show; empty: the first few",
            ),
        ),
        migrations.AddField(
            model_name="record",
            name="name_key",
            field=models.BinaryField(db_default=b"", default=b""),
        ),
        migrations.RunPython(write_names, migrations.RunPython.noop, elidable=True),
        migrations.CreateModel(
            name="AssociationFigure",
            fields=[
                ("pk", models.CompositePrimaryKey("day", "type_id", "source", blank=True, editable=False, primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("type", models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="associations.associationtype")),
                ("source", models.CharField(choices=SOURCES, max_length=10)),
                ("added", models.BigIntegerField(default=0)),
                ("removed", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.RunPython(write_figures, migrations.RunPython.noop, elidable=True),
        migrations.CreateModel(
            name="BulkJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(help_text="A key of settings.BULK_KINDS", max_length=30)),
                ("title", models.CharField(help_text="What is done to what, in words", max_length=200)),
                ("object_type", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="associations.objecttype")),
                ("fields", models.JSONField(default=dict, help_text="The selection, and what else the kind asks for")),
                ("state", models.CharField(choices=STATES, default="waiting", max_length=10)),
                ("total", models.PositiveBigIntegerField(help_text="Of how many; empty until they are counted", null=True)),
                ("done", models.PositiveBigIntegerField(default=0)),
                ("position", models.BigIntegerField(default=0, help_text="Up to which id it is done")),
                ("result", models.TextField(blank=True, help_text="What came of it, or why it failed, in words")),
                ("link", models.CharField(blank=True, help_text="Where to see what came of it: a page of the admin", max_length=200)),
                ("started_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={"verbose_name": "bulk job", "ordering": ["-id"]},
        ),
        migrations.CreateModel(
            name="BulkPart",
            fields=[
                ("pk", models.CompositePrimaryKey("job_id", "number", blank=True, editable=False, primary_key=True, serialize=False)),
                ("job", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="associations.bulkjob")),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField(help_text="Compressed (zlib)")),
            ],
        ),
        migrations.AddIndex(
            model_name="bulkjob",
            index=models.Index(condition=models.Q(("finished_at", None)), fields=["id"], name="bulk_job_unfinished"),
        ),
    ]
