"""On PostgreSQL a view in place of the temporary table of claimed change sets (see workflows.sql.outbox)."""

from django.db import migrations

VIEW = """
CREATE VIEW claimed_change_set AS
SELECT claimed.id FROM unnest(nullif(current_setting('crm.claimed', true), '')::bigint[]) AS claimed(id)
"""


def create_view(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute(VIEW)


def drop_view(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP VIEW claimed_change_set")


class Migration(migrations.Migration):

    dependencies = [
        ('workflows', '0010_undo_preview'),
    ]

    operations = [
        migrations.RunPython(create_view, drop_view),
    ]
