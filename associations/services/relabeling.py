"""Put one label in another's place on every pair that has it, range by range. Called by the workflows' bulk job, which
sees to what refers to the label as well."""

from __future__ import annotations

from django.db import transaction

from associations import querysets, sql
from associations.errors import Refused
from associations.models import Association, AssociationType
from associations.types import DirectedType

from . import linking
from .origin import Origin, open_change_set

CHUNK = 5_000


def replacements_of(type_: AssociationType) -> list[AssociationType]:
    """The labels that may come in a label's place: of the same pair, and told from the other direction as it is.

    Primary is none: a record has one primary company.
    """
    beside = querysets.association_types().filter(
        from_object_type=type_.from_object_type_id, to_object_type=type_.to_object_type_id
    )
    return [
        each
        for each in beside.exclude(name="").exclude(pk=type_.pk)
        if each.is_symmetric == type_.is_symmetric and not each.is_primary
    ]


def check_replacement(old: AssociationType, new: AssociationType) -> None:
    """Raises Refused where a label cannot come in the other's place."""
    if old.category == AssociationType.Category.HUBSPOT_DEFINED or old.is_unlabeled:
        raise Refused(f"{old} is built in and cannot be replaced.")
    if new not in replacements_of(old):
        raise Refused(f"{new} cannot come in the place of {old}.")


def relabel_after(old: AssociationType, new: AssociationType, source_id: int, *, origin: Origin) -> tuple[int, int]:
    """Replace the label on the pairs of the next sources after an id, some CHUNK of pairs.

    Atomic per pair: where a limit refuses the new label the old one stays. Returns up to which source it went (the
    given one when there are no more), and how many labels were replaced. Archived records keep their labels for a
    restore, and get the new one, too.
    """
    with transaction.atomic():
        pairs = Association.objects.filter(type=old, source__gt=source_id).order_by("source_id", "target_id")
        sources = list(pairs.values_list("source_id", flat=True)[:CHUNK])
        if not sources:
            return source_id, 0
        last = sources[-1]
        sql.clear_stage()
        sql.stage_select(
            "SELECT source_id, target_id, NULL, NULL, 0 FROM associations_association"
            " WHERE type_id = %s AND source_id > %s AND source_id <= %s",
            [old.pk, source_id, last],
        )
        change_set = open_change_set(origin)
        unlabeled = querysets.unlabeled_type(old.from_object_type, old.to_object_type)
        linking.add_label_staged(DirectedType(new, outgoing=True), unlabeled, change_set)
        replaced = linking.remove_labels_staged([DirectedType(old, outgoing=True)], change_set)
    return last, replaced
