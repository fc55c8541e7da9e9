"""What the admin's front looks for, and the groups Viewer, Operator and Administrator."""

from django.db import migrations, models

from ._groups import ADMINISTRATOR, OPERATOR, VIEWER, grant

TYPES, RECORDS = ("objecttype", "property"), "associations.{}_record"
VIEW = [
    *(f"associations.view_{model}" for model in ("objecttype", "property", "record", "associationtype", "changeset")),
    *(f"workflows.view_{model}" for model in ("workflow", "run", "enrollment")),
]
OPERATE = [RECORDS.format("add"), RECORDS.format("change"), "workflows.run_workflow"]
ADMINISTER = [
    RECORDS.format("delete"),
    *(f"associations.{verb}_{model}" for verb in ("add", "change", "delete") for model in TYPES),
    "associations.manage_labels",
    *(f"workflows.{verb}_workflow" for verb in ("add", "change", "delete", "enable")),
]


def make_groups(apps, schema_editor):
    groups = {VIEWER: VIEW, OPERATOR: VIEW + OPERATE, ADMINISTRATOR: VIEW + OPERATE + ADMINISTER}
    grant(apps, groups)
    _manage_labels_instead(apps)


def _manage_labels_instead(apps):
    """Whoever could add, change or delete labels may manage them: the three permissions became this one."""
    Permission = apps.get_model("auth", "Permission")
    of_labels = Permission.objects.filter(content_type__app_label="associations", content_type__model="associationtype")
    manage = of_labels.get(codename="manage_labels")
    former = of_labels.filter(codename__in=[f"{verb}_associationtype" for verb in ("add", "change", "delete")])
    for each in former:
        manage.user_set.add(*each.user_set.all())
        manage.group_set.add(*each.group_set.all())
    former.delete()


class Migration(migrations.Migration):

    dependencies = [
        ("associations", "0006_pages_indexes"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("workflows", "0002_triggers"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(condition=models.Q(("state", "failed")), fields=["id"], name="batch_failed"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state__in", ("failed", "refused"))), fields=["id"], name="run_failed"
            ),
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
