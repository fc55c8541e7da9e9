"""Every raw statement of this app: filling the stage for an action, and writing what came of it.

The statements on staged pairs themselves are in associations.sql. All of them work on the set of enrolled
records, given as a SELECT of record_id. Called by actions and services.
"""

from .base import select_ids
from .outcomes import sum_outcomes, write_lost, write_not_associated, write_pair_outcomes, write_reasons, write_removals
from .running import (
    Happened,
    begin_action,
    begin_look,
    claim,
    close_run,
    commit_without_waiting,
    enroll_ids,
    enroll_range,
    know_young_tables,
    look_again,
    share_sync,
    wait_for_open_change_sets,
    wait_for_sync,
    what_happened,
    write_left_pairs,
)
from .staging import stage_associated, stage_matches

__all__ = [
    "Happened",
    "begin_action",
    "begin_look",
    "claim",
    "close_run",
    "commit_without_waiting",
    "enroll_ids",
    "enroll_range",
    "know_young_tables",
    "look_again",
    "select_ids",
    "share_sync",
    "stage_associated",
    "stage_matches",
    "sum_outcomes",
    "wait_for_open_change_sets",
    "wait_for_sync",
    "what_happened",
    "write_left_pairs",
    "write_lost",
    "write_not_associated",
    "write_pair_outcomes",
    "write_reasons",
    "write_removals",
]
