"""Claims: who keeps which association rows in sync, and what goes when a claim is lost.

A claim holds while its row is the one that it was made for: `coalesce(origin, change set)` names the maker also after
an undo and a redo. The same statements serve whatever number of pairs. Called by services.linking and services.claims.
"""

from __future__ import annotations

from collections.abc import Sequence

from associations.models import AssociationType
from associations.types import DirectedType

from .base import locks_records, then_join
from .messages import Params, execute, fetch, is_postgresql
from .stage import maker_of
from .writing import TELL, delete_as_told

_MAKER = "coalesce({0}.origin_id, {0}.change_set_id)"
_ROW = "{0}.source_id = {1}.source_id AND {0}.type_id = {1}.type_id AND {0}.target_id = {1}.target_id"
_CLAIM = "INSERT INTO associations_associationclaim (claimant, record_id, source_id, type_id, target_id, made_by_id)"


def release_staged(types: Sequence[DirectedType]) -> int:
    """Somebody asks for the rows of the admitted pairs, under some types: they are nobody's to take back (claim by
    row)."""
    released = 0
    for directed in types:
        source, target = directed.ends("s")
        released += execute(
            "DELETE FROM associations_associationclaim WHERE (source_id, type_id, target_id) IN"
            f" (SELECT {source}, CAST(%s AS bigint), {target} FROM staged_pair s WHERE s.state = 0)",
            [directed.type.pk],
        )
    return released


def claim_staged(claimant: int, types: Sequence[DirectedType], change_set_id: int, *, others: bool) -> None:
    """Claim the rows of the admitted pairs that this change set made, and with `others` those that stand only because
    others claim them. A row that stands without a claim is somebody's (association pkey, claim by row)."""
    theirs = "associations_associationclaim c ON c.source_id = {source} AND c.type_id = %s AND c.target_id = {target}"
    if is_postgresql():  # looked up pair by pair: of a young table the planner would read all claims first
        hold = " FOR SHARE" if locks_records() else ""
        theirs = f"LATERAL (SELECT c.* FROM {theirs.replace(' ON ', ' WHERE ')} OFFSET 0{hold}) AS c"
    for directed in types:
        source, target = directed.ends("s")
        select = f"{_CLAIM} SELECT %s, s.record_id, {source}, CAST(%s AS bigint), {target},"
        maker = maker_of(directed)
        execute(
            f"{select} CAST(%s AS bigint) FROM staged_pair s WHERE s.state = 0 AND {maker} = %s ON CONFLICT DO NOTHING",
            [claimant, directed.type.pk, change_set_id, change_set_id],
        )
        if others:
            # Held: who releases the other's claim at this moment waits, and then sees this one, too.
            execute(
                f"{select} c.made_by_id FROM staged_pair s CROSS JOIN {theirs.format(source=source, target=target)}"
                f" WHERE s.state = 0 AND {maker} <> %s AND c.made_by_id = (SELECT {_MAKER.format('a')}"
                f" FROM associations_association a WHERE {_ROW.format('a', 'c')}) ON CONFLICT DO NOTHING",
                [claimant, directed.type.pk, directed.type.pk, change_set_id],
            )


def lose_claims(claimant: int, records: str, params: Params, wanted: Sequence[DirectedType]) -> int:
    """Take away the claims of some records (a SELECT of record_id) on rows that are not staged, or are not the ones
    claimed any more; how many. They stand in lost_claim then. With an archived record nothing changes.

    (claim pkey, staged pair pkey, record pkey, association pkey)
    """
    execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS lost_claim (record_id bigint NOT NULL, source_id bigint NOT NULL,"
        " type_id bigint NOT NULL, target_id bigint NOT NULL, made_by_id bigint NOT NULL,"
        " PRIMARY KEY (record_id, source_id, type_id, target_id))"
        + (" ON COMMIT DELETE ROWS" if is_postgresql() else "")
    )
    execute("DELETE FROM lost_claim")
    other = "CASE WHEN c.source_id = c.record_id THEN c.target_id ELSE c.source_id END"
    # Not as NOT EXISTS, which would read the whole stage for each claim: a set that stands alone is hashed.
    asked = " UNION ALL ".join(
        f"SELECT s.record_id, CAST({directed.type.pk:d} AS bigint), {source}, {target}"
        " FROM staged_pair s WHERE s.state = 0"
        for directed in wanted
        for source, target in [directed.ends("s")]
    )
    stands = (
        f"SELECT 1 FROM associations_association a WHERE {_ROW.format('a', 'c')}"
        f" AND {_MAKER.format('a')} = c.made_by_id"
    )
    lost = execute(
        "INSERT INTO lost_claim SELECT c.record_id, c.source_id, c.type_id, c.target_id, c.made_by_id"
        f" FROM ({records}) AS own"
        f" {then_join()} associations_associationclaim c ON c.claimant = %s AND c.record_id = own.record_id"
        f" WHERE ((c.record_id, c.source_id, c.type_id, c.target_id) NOT IN ({asked})"
        f" AND EXISTS (SELECT 1 FROM associations_record o WHERE o.id = {other} AND o.archived_at IS NULL))"
        f" OR NOT EXISTS ({stands})" + (" FOR UPDATE OF c" if locks_records() else ""),
        [*params, claimant],
    )
    if lost:
        execute(
            "DELETE FROM associations_associationclaim WHERE claimant = %s"
            " AND (record_id, source_id, type_id, target_id) IN"
            " (SELECT record_id, source_id, type_id, target_id FROM lost_claim)",
            [claimant],
        )
    return lost


def remove_lost(change_set_id: int) -> int:
    """Remove the rows whose last claim was lost, the ledger first; how many. An association stays while somebody's
    label is on it; Primary that came along with it goes with it.

    The rows are locked in a statement of their own: of two who lose their claims on a row at once the later one sees
    that nobody claims it, and a label that is just being put on is there (claim by row, association pkey).
    """
    lost = (
        "(SELECT DISTINCT source_id, type_id, target_id, made_by_id FROM lost_claim) AS l"
        f" JOIN associations_association u ON {_ROW.format('u', 'l')} AND {_MAKER.format('u')} = l.made_by_id"
    )
    update = ""
    if is_postgresql():
        update = " FOR UPDATE OF a"
        fetch(f"SELECT 1 FROM {lost} ORDER BY u.source_id, u.target_id, u.type_id FOR UPDATE OF u")
    claimed = (
        f"EXISTS (SELECT 1 FROM associations_associationclaim c WHERE {_ROW.format('c', '{0}')}"
        f" AND c.made_by_id = {_MAKER.format('{0}')})"
    )
    unclaimed = f"NOT {claimed.format('u')}"
    of_type = "JOIN associations_associationtype t ON t.id = u.type_id AND t.name {0} ''"
    execute(
        f"{TELL} {lost} {of_type.format('<>')} JOIN associations_association a ON {_ROW.format('a', 'u')}"
        f" WHERE {unclaimed}{update}",
        [change_set_id],
    )
    removed = delete_as_told(change_set_id)
    came_along = (
        f"x.type_id IN {AssociationType.PRIMARY_IDS} AND {_MAKER.format('x')} = {_MAKER.format('u')}"
        f" AND NOT {claimed.format('x')}"
    )
    labelled = " OR ".join(
        f"EXISTS (SELECT 1 FROM associations_association x WHERE x.source_id = u.{source}_id"
        f" AND x.target_id = u.{target}_id AND x.type_id <> u.type_id AND NOT ({came_along}))"
        for source, target in (("source", "target"), ("target", "source"))
    )
    for types in (f"IN {AssociationType.PRIMARY_IDS}", "= u.type_id"):
        execute(
            f"{TELL} {lost} {of_type.format('=')} JOIN associations_association a ON a.source_id = u.source_id"
            f" AND a.target_id = u.target_id AND a.type_id {types} WHERE {unclaimed} AND NOT ({labelled}){update}",
            [change_set_id],
        )
    return removed + delete_as_told(change_set_id)


def give_up_claims(claimants: Sequence[int]) -> int:
    """Forget who claims what; the rows stay as they are (claim pkey)."""
    marks = ", ".join(f"{each:d}" for each in claimants) or "NULL"
    return execute(f"DELETE FROM associations_associationclaim WHERE claimant IN ({marks})")


def forget_stale_claims(before_id: int) -> int:
    """Forget claims on rows that are no longer there as they were made, made before a change set (association pkey)."""
    return execute(
        "DELETE FROM associations_associationclaim AS c WHERE c.made_by_id < %s AND NOT EXISTS (SELECT 1 FROM"
        f" associations_association a WHERE {_ROW.format('a', 'c')} AND {_MAKER.format('a')} = c.made_by_id)",
        [before_id],
    )
