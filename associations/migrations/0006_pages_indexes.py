"""Indexes of what 0005 wrote: PostgreSQL does not alter a table in the transaction that changed its rows."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("associations", "0005_pages")]

    operations = [
        migrations.AddIndex(
            model_name="record",
            index=models.Index(fields=["object_type", "name_key", "id"], name="record_by_name"),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                condition=models.Q(("archived_at", None), _negated=True),
                fields=["object_type", "id"],
                name="record_archived",
            ),
        ),
    ]
