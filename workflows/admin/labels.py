"""What labels have on their pages because there are workflows: which of them use a label, and where."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from associations.admin.labels import AssociationTypeAdmin as AssociationTypeAdminOfAssociations
from associations.models import AssociationType
from workflows.models import WorkflowReference
from workflows.services import lifecycle, replacing

from .reading import link


class AssociationTypeAdmin(AssociationTypeAdminOfAssociations):
    def uses(self, type_: AssociationType) -> list[tuple[Any, list[str]]]:
        """The workflows that name the label as people have edited them, or in what ran last."""
        ids = replacing.ids_of(type_)
        places = {
            workflow: replacing.places(lifecycle.definition_json(workflow), ids)
            for workflow in replacing.mentioning(type_)
        }
        for reference in WorkflowReference.objects.filter(association_type=type_).select_related("workflow"):
            places.setdefault(reference.workflow, ["the revision that ran last"])
        return [(link(workflow), where) for workflow, where in places.items()]

    def live_uses(self, types: list[AssociationType]) -> dict[int, list[str]]:
        references = WorkflowReference.objects.filter(association_type__in=types, workflow__is_enabled=True)
        found: dict[int, list[str]] = {}
        for reference in references.select_related("workflow").order_by("workflow__name"):
            assert reference.association_type_id is not None
            found.setdefault(reference.association_type_id, []).append(link(reference.workflow))
        return found


admin.site.unregister(AssociationType)
admin.site.register(AssociationType, AssociationTypeAdmin)
