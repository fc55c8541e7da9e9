"""On PostgreSQL a view in place of the temporary table of claimed change sets (see workflows.sql.outbox).

By another name: that table may still stand in a connection that a pooler keeps, where it would be found before the view.
"""

from django.db import migrations

VIEW = """
CREATE VIEW workflows_claimedchangeset AS
SELECT claimed.id FROM unnest(nullif(current_setting('crm.claimed', true), '')::bigint[]) AS claimed(id)
"""


def create_view(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute(VIEW)


def drop_view(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP VIEW workflows_claimedchangeset")


class Migration(migrations.Migration):

    dependencies = [
        ('workflows', '0010_undo_preview'),
    ]

    operations = [
        migrations.AlterModelTable(name='claimedchangeset', table='workflows_claimedchangeset'),
        migrations.RunPython(create_view, drop_view),
    ]
