"""What a backfill writes a million of is checked as a set by those who write it, not row by row by foreign keys."""

import django.db.models.deletion
from django.db import migrations, models


def reference(to, related_name, **more):
    return models.ForeignKey(
        to, django.db.models.deletion.CASCADE, related_name=related_name, db_constraint=False, **more
    )


class Migration(migrations.Migration):

    dependencies = [
        ('associations', '0007_ledger'),
        ('workflows', '0003_groups'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='enrollment', name='enrolled_once_at_a_time'),
        migrations.AlterField(
            "actionoutcome", "action_run", reference("workflows.actionrun", "record_outcomes", db_index=False)
        ),
        migrations.AlterField("enrollment", "batch", reference("workflows.batch", "enrollments")),
        migrations.AlterField(
            "enrollment", "record", reference("associations.record", "enrollments", db_index=False)
        ),
        migrations.AlterField(
            "enrollment", "workflow", reference("workflows.workflow", "enrollments", db_index=False)
        ),
        migrations.AddConstraint(
            model_name='enrollment',
            constraint=models.UniqueConstraint(fields=('record', 'workflow', 'ordinal'), name='enrolled_once_at_a_time'),
        ),
    ]
