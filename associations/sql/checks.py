"""What must hold of the stored data: a sentence each, and the SELECT of `what` breaks it.

Every statement reads its tables once as a whole and joins by primary keys. Called by services.checking.
"""

from __future__ import annotations

from associations.models import AssociationType

from .messages import fetch

EXAMPLES = 3

_ROW = "a.source_id || '–' || a.target_id || ' (type ' || a.type_id || ')'"
_WITH_TYPE = "associations_association a JOIN associations_associationtype t ON t.id = a.type_id"
_SWAPPED = "u.id = u.inverse_id AND a.target_id < a.source_id"

INVARIANTS = {
    "A type id names one type in one direction.": (
        "SELECT 'type id ' || id AS what FROM (SELECT id FROM associations_associationtype UNION ALL"
        " SELECT inverse_id FROM associations_associationtype WHERE inverse_id <> id) AS ids"
        " GROUP BY id HAVING count(*) > 1"
    ),
    "Every pair of object types has one unlabeled type.": (
        "SELECT o.name || '–' || p.name AS what FROM associations_objecttype o"
        " JOIN associations_objecttype p ON p.id >= o.id LEFT JOIN associations_associationtype t"
        " ON t.from_object_type_id = o.id AND t.to_object_type_id = p.id AND t.name = ''"
        " GROUP BY o.name, p.name HAVING count(t.id) <> 1"
    ),
    "A label's limit does not exceed its pair's.": (
        "SELECT 'type id ' || t.id AS what FROM associations_associationtype t JOIN associations_associationtype u"
        " ON u.from_object_type_id = t.from_object_type_id AND u.to_object_type_id = t.to_object_type_id"
        " AND u.name = '' WHERE t.max_to > u.max_to OR t.inverse_max_to > u.inverse_max_to"
    ),
    "Every object type has its primary display property.": (
        "SELECT o.name AS what FROM associations_objecttype o LEFT JOIN associations_property p"
        " ON p.object_type_id = o.id AND p.name = o.primary_property WHERE p.id IS NULL"
    ),
    "A record is never associated with itself.": (
        f"SELECT {_ROW} AS what FROM associations_association a WHERE a.source_id = a.target_id"
    ),
    "Associated records are there, and of the object types that the association type is for.": (
        f"SELECT {_ROW} AS what FROM associations_association a"
        " LEFT JOIN associations_associationtype t ON t.id = a.type_id"
        " LEFT JOIN associations_record s ON s.id = a.source_id AND s.object_type_id = t.from_object_type_id"
        " LEFT JOIN associations_record o ON o.id = a.target_id AND o.object_type_id = t.to_object_type_id"
        " WHERE s.id IS NULL OR o.id IS NULL"
    ),
    "A claim is on records that are there.": (
        "SELECT 'record ' || c.record_id AS what FROM associations_associationclaim c"
        " LEFT JOIN associations_record s ON s.id = c.source_id LEFT JOIN associations_record o ON o.id = c.target_id"
        " WHERE s.id IS NULL OR o.id IS NULL"
    ),
    "A match key belongs to a record.": (
        "SELECT 'record ' || k.record_id AS what FROM associations_matchkey k"
        " LEFT JOIN associations_record r ON r.id = k.record_id WHERE r.id IS NULL"
    ),
    "A type that is the same both ways stores the smaller record id first.": (
        f"SELECT {_ROW} AS what FROM {_WITH_TYPE} WHERE t.id = t.inverse_id AND a.source_id > a.target_id"
    ),
    "Records with a label are associated under the unlabeled type as well.": (
        f"SELECT {_ROW} AS what FROM {_WITH_TYPE} AND t.name <> '' LEFT JOIN associations_associationtype u"
        " ON u.from_object_type_id = t.from_object_type_id AND u.to_object_type_id = t.to_object_type_id"
        " AND u.name = '' WHERE NOT EXISTS (SELECT 1 FROM associations_association p WHERE p.type_id = u.id"
        f" AND p.source_id = CASE WHEN {_SWAPPED} THEN a.target_id ELSE a.source_id END"
        f" AND p.target_id = CASE WHEN {_SWAPPED} THEN a.source_id ELSE a.target_id END)"
    ),
    "A record has at most one primary company.": (
        "SELECT 'record ' || source_id AS what FROM associations_association"
        f" WHERE type_id IN {AssociationType.PRIMARY_IDS} GROUP BY source_id HAVING count(*) > 1"
    ),
    "What a change set removed was added by another one.": (
        f"SELECT {_ROW} AS what FROM associations_formerassociation a WHERE a.added_by_id = a.removed_by_id"
    ),
    "An association names a change set that was made.": (
        f"SELECT {_ROW} AS what FROM associations_association a"
        " WHERE a.change_set_id > (SELECT coalesce(max(id), 0) FROM associations_changeset)"
    ),
    "A merged record is archived.": (
        "SELECT 'record ' || id AS what FROM associations_record"
        " WHERE merged_into_id IS NOT NULL AND archived_at IS NULL"
    ),
    "An archived record holds no unique value and no match key.": (
        "SELECT 'record ' || r.id AS what FROM associations_record r WHERE r.archived_at IS NOT NULL"
        " AND (EXISTS (SELECT 1 FROM associations_uniquevalue v WHERE v.record_id = r.id)"
        " OR EXISTS (SELECT 1 FROM associations_matchkey k WHERE k.record_id = r.id))"
    ),
}

# Limits are not retroactive, so what is over one may have been there before.
WARNINGS = {
    "Records have no more associations than the limits of today allow.": (
        "SELECT 'record ' || record_id || ' (type ' || type_id || ')' AS what FROM ("
        " SELECT e.record_id, e.type_id, CASE WHEN e.type_id = t.id THEN t.max_to ELSE t.inverse_max_to END AS most"
        " FROM associations_associationend e JOIN associations_associationtype t ON t.id = e.association_type_id"
        " WHERE t.max_to IS NOT NULL OR t.inverse_max_to IS NOT NULL"
        ") AS used GROUP BY record_id, type_id, most HAVING count(*) > most"
    ),
}


def find(select: str) -> tuple[int, list[str]]:
    """How many break a rule, and the first few."""
    rows = fetch(f"SELECT what, count(*) OVER () FROM ({select}) AS broken ORDER BY 1 LIMIT {EXAMPLES}")
    return (rows[0][1] if rows else 0), [what for what, _ in rows]
