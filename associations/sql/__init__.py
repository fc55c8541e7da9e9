"""Every raw statement of this app, named, with one sentence each and the index that it needs.

Changes to associations work on *staged pairs*: a temporary table of (record, other) that an action, the admin
or the API fills, and that the statements then write from as one set. The same statements run on SQLite
and PostgreSQL. `record` is the record that is asked about or enrolled, `other` the one associated with it.

Called by services only (and by workflows.sql, which fills the stage and reads the result), always as `sql.name`.
"""

from . import checks
from .base import (
    compiled,
    execute,
    fetch,
    hold_records,
    hold_types,
    holding_nobody_up,
    in_ids,
    is_postgresql,
    json_text,
    lock_object_type,
    marks,
    these,
)
from .figures import add_figure
from .properties import by_code, holds_folded
from .reading import count_associated, first_associated, pages_of_others
from .shadows import only_reading, stand_before, stand_before_associations
from .stage import (
    ADMITTED,
    AMBIGUOUS,
    CAPPED,
    LIMIT_REACHED,
    analyze_stage,
    associated_with,
    clear_stage,
    hold_staged_records,
    lock_staged_records,
    missing_pairs,
    refuse,
    refuse_second_primaries,
    refused_pairs,
    stage_rows,
    stage_select,
    staged_count,
    staged_twice,
    usage,
)
from .writing import (
    adopt_removed,
    count_removed,
    insert_associations,
    insert_first_primaries,
    insert_labels,
    lock_staged_associations,
    remove_all_of,
    remove_other_primaries,
    remove_staged,
    tell_created,
    usage_of_record,
)

__all__ = [
    "ADMITTED",
    "AMBIGUOUS",
    "CAPPED",
    "LIMIT_REACHED",
    "add_figure",
    "adopt_removed",
    "analyze_stage",
    "associated_with",
    "by_code",
    "checks",
    "clear_stage",
    "compiled",
    "count_associated",
    "count_removed",
    "execute",
    "fetch",
    "first_associated",
    "hold_records",
    "hold_staged_records",
    "hold_types",
    "holding_nobody_up",
    "holds_folded",
    "in_ids",
    "insert_associations",
    "insert_first_primaries",
    "insert_labels",
    "is_postgresql",
    "json_text",
    "lock_object_type",
    "lock_staged_associations",
    "lock_staged_records",
    "marks",
    "missing_pairs",
    "only_reading",
    "pages_of_others",
    "record_added",
    "refuse",
    "refuse_second_primaries",
    "refused_pairs",
    "remove_all_of",
    "remove_other_primaries",
    "remove_staged",
    "stage_rows",
    "stage_select",
    "staged_count",
    "staged_twice",
    "stand_before",
    "stand_before_associations",
    "tell_created",
    "these",
    "usage",
    "usage_of_record",
]
