"""The ledger in two tables instead of one: what is there names its change set and the values that matched,
what was there stands in FormerAssociation; the view AssociationChange reads as the table did."""

import django.db.models.deletion
from django.db import migrations, models

ENDS = """
CREATE VIEW associations_associationend AS
SELECT source_id AS record_id, target_id AS other_id, type_id, type_id AS association_type_id, change_set_id
FROM associations_association
UNION ALL
SELECT a.target_id, a.source_id, t.inverse_id, a.type_id, a.change_set_id
FROM associations_association a JOIN associations_associationtype t ON t.id = a.type_id
"""
DROP_ENDS = "DROP VIEW associations_associationend"

# Every removal with the last addition of the same row before it.
FORMER = """
INSERT INTO associations_formerassociation
 (source_id, target_id, type_id, added_by_id, removed_by_id, source_value, target_value)
SELECT r.source_id, r.target_id, r.type_id, a.change_set_id, r.change_set_id, a.source_value, a.target_value
FROM associations_associationchange r JOIN associations_associationchange a ON a.id = (
 SELECT max(earlier.id) FROM associations_associationchange earlier
 WHERE earlier.source_id = r.source_id AND earlier.target_id = r.target_id AND earlier.type_id = r.type_id
 AND earlier.added AND earlier.id < r.id)
WHERE NOT r.added
"""
VALUES = """
UPDATE associations_association SET source_value = told.source_value, target_value = told.target_value
FROM associations_associationchange told
WHERE told.source_id = associations_association.source_id AND told.target_id = associations_association.target_id
AND told.type_id = associations_association.type_id AND told.added
AND told.change_set_id = associations_association.change_set_id AND told.source_value IS NOT NULL
"""
LEDGER = """
CREATE VIEW associations_associationchange AS
SELECT change_set_id, source_id, target_id, type_id, true AS added, source_value, target_value
FROM associations_association
UNION ALL
SELECT added_by_id, source_id, target_id, type_id, true, source_value, target_value
FROM associations_formerassociation
UNION ALL
SELECT removed_by_id, source_id, target_id, type_id, false, NULL, NULL
FROM associations_formerassociation
"""


def reference(to, on_delete=django.db.models.deletion.DO_NOTHING, **more):
    return models.ForeignKey(to, on_delete, db_constraint=False, related_name="+", **more)


class Migration(migrations.Migration):

    dependencies = [
        ('associations', '0006_pages_indexes'),
    ]

    operations = [
        # The tables under a view cannot be altered.
        migrations.RunSQL(DROP_ENDS, ENDS),
        migrations.AddField("association", "source_value", models.TextField(null=True)),
        migrations.AddField("association", "target_value", models.TextField(null=True)),
        migrations.AlterField("association", "change_set", reference("associations.changeset")),
        migrations.AlterField(
            "association", "source", reference("associations.record", models.CASCADE, db_index=False)
        ),
        migrations.AlterField(
            "association", "target", reference("associations.record", models.CASCADE, db_index=False)
        ),
        migrations.AlterField(
            "association", "type", reference("associations.associationtype", models.PROTECT, db_index=False)
        ),
        migrations.AlterField(
            model_name='matchkey',
            name='index',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, related_name='keys', to='associations.matchindex'),
        ),
        migrations.AlterField("matchkey", "record", reference("associations.record", models.CASCADE)),
        migrations.CreateModel(
            name='FormerAssociation',
            fields=[
                ('pk', models.CompositePrimaryKey('source_id', 'target_id', 'type_id', 'removed_by_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('source_value', models.TextField(null=True)),
                ('target_value', models.TextField(null=True)),
                ('added_by', reference("associations.changeset")),
                ('removed_by', reference("associations.changeset")),
                ('source', reference("associations.record", db_index=False)),
                ('target', reference("associations.record")),
                ('type', reference("associations.associationtype", db_index=False)),
            ],
        ),
        migrations.RunSQL(FORMER, migrations.RunSQL.noop),
        migrations.RunSQL(VALUES, migrations.RunSQL.noop),
        migrations.DeleteModel("AssociationChange"),
        migrations.CreateModel(
            name='AssociationChange',
            fields=[
                ('pk', models.CompositePrimaryKey('source_id', 'target_id', 'type_id', 'change_set_id', 'added', blank=True, editable=False, primary_key=True, serialize=False)),
                ('added', models.BooleanField()),
                ('source_value', models.TextField(null=True)),
                ('target_value', models.TextField(null=True)),
            ],
            options={'db_table': 'associations_associationchange', 'managed': False},
        ),
        migrations.RunSQL(LEDGER, "DROP VIEW associations_associationchange"),
        migrations.RunSQL(ENDS, DROP_ENDS),
    ]
