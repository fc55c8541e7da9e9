"""Keep in sync: take back what a claimant asked for and asks for no longer, where nobody else does.

A claimant is a number; who that is the caller knows (an action of a workflow). Claims are made by
linking.associate_staged, and released there by whoever else asks for the same. Inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from associations import sql
from associations.models import ChangeSet
from associations.types import DirectedType


def take_back(
    claimant: int, records: str, params: sql.Params, types: Sequence[DirectedType], change_set: ChangeSet
) -> int:
    """Remove the associations and labels that a claimant has of some records (a SELECT of record_id) and that are not
    on the stage, under `types`; how many rows.

    What others ask for stays, and so does an association with somebody's label on it, or with an archived record.
    """
    return sql.remove_lost(change_set.pk) if sql.lose_claims(claimant, records, params, types) else 0


def give_up(claimants: Sequence[int]) -> int:
    """Forget what claimants claim: it stays as it is."""
    return sql.give_up_claims(claimants) if claimants else 0
