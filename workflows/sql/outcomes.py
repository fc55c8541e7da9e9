"""Write what an action did for each enrolled record, or why it did nothing."""

from __future__ import annotations

from collections.abc import Sequence

from associations import sql
from associations.models import ChangeSet, MatchIndex
from associations.types import DirectedType
from workflows.models import ActionRun, Outcome

from .base import Enrolled, value_of

# Not as NOT EXISTS: the planner knows nothing of rows that this transaction wrote, takes them for one, and would look
# through all of them for each record (10,000 × 10,000). A set that stands alone is read once, into a hash.
_NO_OUTCOME_YET = (
    "enrolled.record_id NOT IN (SELECT had.record_id FROM workflows_actionoutcome had WHERE had.action_run_id = %s)"
)


def _write(outcomes: str, params: sql.Params) -> None:
    """Write what a SELECT of (action run, record, outcome, count, value) yields."""
    into = "INSERT INTO workflows_actionoutcome (action_run_id, record_id, outcome, count, value)"
    sql.send((f"{into} {outcomes}", params))


def write_pair_outcomes(
    action_run: ActionRun,
    change_set: ChangeSet,
    unlabeled: DirectedType | None,
    label: DirectedType | None,
    written: sql.Written,
) -> None:
    """Write what became of the staged pairs, per enrolled record: created, label added, there already, or refused.

    With `unlabeled` the action associates, with `label` it labels; `written` says how many rows. Where it was all of
    the admitted pairs, or none, no row is looked up. A symmetric row that was met from both its ends counts for the
    lower record id (association pkey).
    """
    cases, params = [], []
    for directed, outcome, count in (
        (unlabeled, Outcome.CREATED, written.associations),
        (label, Outcome.LABEL_ADDED, written.labels),
    ):
        if directed is None or not count:
            continue
        if count == written.admitted:
            cases.append(f" WHEN s.state = {sql.ADMITTED} THEN '{outcome}'")
            continue
        cases.append(f" WHEN {sql.maker_of(directed)} = %s AND NOT {sql.staged_twice(directed)} THEN '{outcome}'")
        params.append(change_set.pk)
    _write(
        f"SELECT %s, s.record_id,"
        f" CASE WHEN s.state = {sql.LIMIT_REACHED} THEN '{Outcome.LIMIT_REACHED}'"
        f" WHEN s.state = {sql.CAPPED} THEN '{Outcome.CAPPED}'"
        f" WHEN s.state = {sql.AMBIGUOUS} THEN '{Outcome.AMBIGUOUS}'"
        f"{''.join(cases)} ELSE '{Outcome.ALREADY_THERE}' END AS outcome, count(*), min(s.record_value)"
        " FROM staged_pair s GROUP BY s.record_id, 3 ORDER BY 2, 3",
        [action_run.pk, *params],
    )


def write_removals(
    action_run: ActionRun, change_set: ChangeSet, types: Sequence[DirectedType], outcome: str, *, one_each: bool = False
) -> None:
    """Write how many rows of some types were removed, per enrolled record, by the ledger of the change set.

    `one_each`: there was one for each of the admitted pairs, so no row is looked up.
    A row that was met from both its ends counts for the lower record id. What was removed is read once, by the change
    set, and hashed: in a condition the planner would turn it into a join (former association by removed_by).
    """
    if one_each:
        _write(
            f"SELECT %s, s.record_id, '{outcome}', count(*), NULL FROM staged_pair s"
            " WHERE s.state = 0 GROUP BY s.record_id ORDER BY s.record_id",
            [action_run.pk],
        )
        return
    removed, params = [], []
    for directed in dict.fromkeys(types):
        source, target = directed.ends("s")
        removed.append(
            f"CASE WHEN ({source}, {target}) IN (SELECT c.source_id, c.target_id FROM associations_formerassociation c"
            f" WHERE c.removed_by_id = %s AND c.type_id = {directed.type.pk:d})"
            f" AND NOT {sql.staged_twice_under(directed, types)} THEN 1 ELSE 0 END"
        )
        params.append(change_set.pk)
    _write(
        f"SELECT %s, told.record_id, '{outcome}', sum(told.removed), NULL FROM"
        f" (SELECT s.record_id, {' + '.join(removed)} AS removed FROM staged_pair s WHERE s.state = 0) AS told"
        " WHERE told.removed > 0 GROUP BY told.record_id",
        [action_run.pk, *params],
    )


def write_lost(action_run: ActionRun, change_set: ChangeSet) -> None:
    """Write how many associations and labels were taken back, per enrolled record, by what stands in lost_claim.

    A row that was met from both its ends counts for the lower record id (former association by removed_by).
    """
    _write(
        f"SELECT %s, told.record_id,"
        f" CASE t.name WHEN '' THEN '{Outcome.ASSOCIATION_REMOVED}' ELSE '{Outcome.LABEL_REMOVED}' END, count(*), NULL"
        " FROM (SELECT min(record_id) AS record_id, source_id, target_id, type_id FROM lost_claim"
        " GROUP BY source_id, target_id, type_id) AS told"
        " JOIN associations_formerassociation f ON f.source_id = told.source_id AND f.target_id = told.target_id"
        " AND f.type_id = told.type_id AND f.removed_by_id = %s"
        " JOIN associations_associationtype t ON t.id = told.type_id GROUP BY told.record_id, 3",
        [action_run.pk, change_set.pk],
    )


def write_not_associated(action_run: ActionRun, enrolled: Enrolled, unlabeled: DirectedType) -> None:
    """Say of the records without an outcome which are not associated at all, but with archived ones (association pkey,
    association_by_target)."""
    records, params = enrolled
    alone = " AND ".join(
        f"(SELECT 1 FROM associations_association a JOIN associations_record o ON o.id = a.{other}_id"
        f" WHERE a.{own}_id = enrolled.record_id AND a.type_id = {unlabeled.type.pk:d} AND o.archived_at IS NULL"
        " LIMIT 1) IS NULL"
        for own, other in unlabeled.orientations
    )
    _write(
        f"SELECT %s, enrolled.record_id, '{Outcome.NOT_ASSOCIATED}', 0, NULL"
        f" FROM ({records}) AS enrolled WHERE {_NO_OUTCOME_YET} AND {alone}",
        [action_run.pk, *params, action_run.pk],
    )


def write_reasons(action_run: ActionRun, enrolled: Enrolled, reason: str, index: MatchIndex | None = None) -> None:
    """Give the records without an outcome the reason why nothing was done.

    With the index that their value was looked up by: no value where they have no key, and the value looked for
    where they have one (match key pkey).
    """
    records, params = enrolled
    if index is None:
        _write(
            f"SELECT %s, enrolled.record_id, '{reason}', 0, NULL FROM ({records}) AS enrolled WHERE {_NO_OUTCOME_YET}",
            [action_run.pk, *params, action_run.pk],
        )
        return
    value, name = value_of("enrolled.record_id", index)
    key = "(SELECT k.index_id FROM associations_matchkey k WHERE k.index_id = %s AND k.record_id = enrolled.record_id)"
    _write(
        f"SELECT %s, enrolled.record_id,"
        f" CASE WHEN {key} IS NULL THEN '{Outcome.NO_VALUE}' ELSE '{reason}' END, 0, {value}"
        f" FROM ({records}) AS enrolled WHERE {_NO_OUTCOME_YET}",
        [action_run.pk, index.pk, *name, *params, action_run.pk],
    )


def sum_outcomes(action_run: ActionRun) -> dict[str, dict[str, int]]:
    """The sums that are kept with the action run (action outcome pkey)."""
    rows = sql.fetch(
        "SELECT outcome, count(*), sum(count) FROM workflows_actionoutcome WHERE action_run_id = %s GROUP BY outcome",
        [action_run.pk],
    )
    return {outcome: {"records": records, "pairs": int(pairs)} for outcome, records, pairs in sorted(rows)}
