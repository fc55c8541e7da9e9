"""Which live workflows a change of the schema would break. Reads only.

Called by associations' schema service (settings.OPTION_USES), within the transaction of the change.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError

from associations.models import Property
from workflows.models import Workflow

from .lifecycle import read_definition


def without_options(prop: Property) -> list[str]:
    """The live workflows that name an option which a property no longer has, each with where and which."""
    live = Workflow.objects.filter(pk__in=prop.workflow_references.values("workflow"), is_enabled=True)
    broken = []
    for workflow in live.select_related("object_type", "revision"):
        assert workflow.revision is not None
        try:
            read_definition(workflow.revision.definition, workflow.object_type)
        except ValidationError as error:
            broken.append(f"“{workflow}” ({' '.join(error.messages).rstrip('.')})")
    return broken
