"""Every raw statement of this app: filling the stage for an action, and writing what came of it.

The statements on staged pairs themselves are in associations.sql. All of them work on the set of enrolled
records, given as a SELECT of record_id. Called by actions and services.
"""

from .base import Enrolled, taking_part, those_among
from .outbox import Happened, begin_look, claim, count_waiting, wait_for_open_change_sets
from .outcomes import sum_outcomes, write_lost, write_not_associated, write_pair_outcomes, write_reasons, write_removals
from .running import (
    begin_action,
    close_run,
    commit_without_waiting,
    enroll_ids,
    enroll_range,
    finish_action_run,
    know_young_tables,
    look_again,
    share_sync,
    wait_for_sync,
    write_left_pairs,
)
from .staging import stage_associated, stage_matches

__all__ = [
    "Enrolled",
    "Happened",
    "begin_action",
    "begin_look",
    "claim",
    "close_run",
    "commit_without_waiting",
    "count_waiting",
    "enroll_ids",
    "enroll_range",
    "finish_action_run",
    "know_young_tables",
    "look_again",
    "share_sync",
    "stage_associated",
    "stage_matches",
    "sum_outcomes",
    "taking_part",
    "those_among",
    "wait_for_open_change_sets",
    "wait_for_sync",
    "write_left_pairs",
    "write_lost",
    "write_not_associated",
    "write_pair_outcomes",
    "write_reasons",
    "write_removals",
]
