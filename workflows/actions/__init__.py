"""The kinds of action there are. A new one is a line here."""

from .apply_label import ApplyLabel
from .base import ActionKind
from .create_associations import CreateAssociations
from .remove_labels import RemoveLabels
from .update_labels import UpdateLabels

__all__ = ["ACTIONS", "ActionKind"]

ACTIONS: dict[str, ActionKind] = {  # type: ignore[type-arg]
    action.kind: action for action in (CreateAssociations(), ApplyLabel(), UpdateLabels(), RemoveLabels())
}
