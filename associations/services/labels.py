"""Define association labels and limits. Called by admin and API; the actions only read them.

Every pair of object types has its unlabeled type from the start; labels come on top.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import PROTECT, Max, QuerySet

from associations import sql
from associations.errors import InUse, Refused
from associations.models import Association, AssociationType, ObjectType
from associations.models.schema import MAX_LIMIT
from associations.types import DirectedType

from .numbering import give_numbers

_OTHER_WAY = {
    "label": "inverse_label",
    "inverse_label": "label",
    "max_to": "inverse_max_to",
    "inverse_max_to": "max_to",
}


def create_unlabeled_types(object_type: ObjectType, others: Iterable[ObjectType]) -> None:
    """The unlabeled type of a new object type with each other one, itself included."""
    pairs = [sorted((object_type, other), key=lambda each: each.pk) for other in others]
    next_id = _next_ids(sum(1 if first == second else 2 for first, second in pairs))
    types = []
    for first, second in pairs:
        inverse_id = next_id if first == second else next_id + 1
        types.append(AssociationType(id=next_id, inverse_id=inverse_id, from_object_type=first, to_object_type=second))
        next_id = inverse_id + 1
    AssociationType.objects.bulk_create(types)


def create_label(
    object_type: ObjectType, other: ObjectType, *, label: str, inverse_label: str = "", name: str = ""
) -> DirectedType:
    """A label as `object_type` sees it: `label` is what the other record is to it.

    Without `inverse_label` it is a single label, one word for both sides; with it a paired one. The internal name
    and the ids are fixed from here on. Raises ValidationError by field.
    """
    label, inverse_label = _read_words(label, inverse_label)
    with transaction.atomic():
        list(ObjectType.objects.select_for_update().order_by("id"))  # one schema change at a time: ids, the 50
        first, second = sorted((object_type, other), key=lambda each: each.pk)
        pair = AssociationType.objects.filter(from_object_type=first, to_object_type=second).exclude(name="")
        if pair.count() >= settings.LABELS_PER_PAIR:
            raise ValidationError(
                {"label": f"{first} and {second} have {settings.LABELS_PER_PAIR} labels already, which is the most."}
            )
        words = (label, inverse_label or label)
        outgoing = object_type == first
        ids = 1 if first == second and not inverse_label else 2
        id_ = _next_ids(ids)
        type_ = AssociationType(
            id=id_,
            inverse_id=id_ + ids - 1,
            from_object_type=first,
            to_object_type=second,
            name=name or _free_name(label, set(pair.values_list("name", flat=True))),
            label=words[0] if outgoing else words[1],
            inverse_label=words[1] if outgoing else words[0],
        )
        directed = DirectedType(type_, outgoing)
        _check_words_free(directed, pair)
        with _errors_facing(directed):
            type_.full_clean()
        type_.save(force_insert=True)
    return directed


def rename_label(directed: DirectedType, *, label: str, inverse_label: str = "") -> None:
    """Change the words of a label; its name and ids stay. Raises ValidationError by field."""
    _refuse_builtin(directed.type, "renamed")
    label, inverse_label = _read_words(label, inverse_label)
    type_ = directed.type
    words = (label, inverse_label or label)
    if type_.is_symmetric and words[0] != words[1]:
        raise ValidationError({"inverse_label": "A single label has one word for both sides."})
    type_.label, type_.inverse_label = words if directed.outgoing else words[::-1]
    with transaction.atomic():
        list(ObjectType.objects.select_for_update().order_by("id"))
        _check_words_free(directed, _types_beside(type_))
        with _errors_facing(directed):
            type_.full_clean()
        type_.save(update_fields=["label", "inverse_label", "updated_at"])


def delete_label(type_: AssociationType) -> None:
    """Delete a label that nothing uses: no association, and no workflow (the database refuses that one)."""
    _refuse_builtin(type_, "deleted")
    with transaction.atomic():
        sql.lock_ends([type_.from_object_type_id, type_.to_object_type_id])
        locked = AssociationType.objects.select_for_update().get(pk=type_.pk)
        if uses := label_uses(locked):
            raise InUse(f"{type_} cannot be deleted while it is used", uses)
        locked.delete()


def label_uses(type_: AssociationType) -> list[str]:
    """Where a label is used, in words: on how many associations, and in what refers to it."""
    uses = []
    if count := Association.objects.filter(type=type_).count():
        uses.append(f"on {count:,} associations")
    for relation in AssociationType._meta.related_objects:
        if relation.on_delete is PROTECT and relation.related_model is not Association:
            referring = relation.related_model._default_manager.filter(**{relation.field.name: type_})
            uses += sorted({str(each) for each in referring[:20]})
    return uses


def set_limits(directed: DirectedType, *, max_to: int | None, inverse_max_to: int | None) -> None:
    """The greatest number of others one record may have, and the same seen from the other side; None is many.

    A label's limit cannot exceed its pair's [H]. Not retroactive: what is there stays. A symmetric type has one
    limit for both ways. Raises ValidationError by field.
    """
    type_ = directed.type
    if type_.is_primary:
        raise ValidationError({"max_to": "A record has one primary company; this is no limit to set."})
    limits = (max_to, inverse_max_to) if directed.outgoing else (inverse_max_to, max_to)
    for name, limit in (("max_to", max_to), ("inverse_max_to", inverse_max_to)):
        if limit is not None and not 1 <= limit <= MAX_LIMIT:
            raise ValidationError({name: f"A limit is a number from 1 to {MAX_LIMIT:,}, or empty for many."})
    if type_.is_symmetric and limits[0] != limits[1]:
        raise ValidationError({"inverse_max_to": "This type is the same both ways and has one limit."})
    with transaction.atomic():
        list(ObjectType.objects.select_for_update().order_by("id"))
        with _errors_facing(directed):
            _check_within_pair(type_, limits)
        type_.max_to, type_.inverse_max_to = limits
        type_.save(update_fields=["max_to", "inverse_max_to", "updated_at"])


def _check_within_pair(type_: AssociationType, limits: tuple[int | None, int | None]) -> None:
    for each in _types_beside(type_):
        for field, limit in zip(("max_to", "inverse_max_to"), limits, strict=True):
            theirs = getattr(each, field)
            if limit is None or theirs is None:
                continue
            if each.is_unlabeled and limit > theirs:
                raise ValidationError({field: f"The limit of the pair itself is {theirs}; a label's cannot exceed it."})
            if type_.is_unlabeled and theirs > limit:
                told = f"The limit of the label {each.label} is {theirs}; lower that one first."
                raise ValidationError({field: told})


def _types_beside(type_: AssociationType) -> QuerySet[AssociationType]:
    """The other types of the same pair of object types."""
    return AssociationType.objects.filter(
        from_object_type=type_.from_object_type_id, to_object_type=type_.to_object_type_id
    ).exclude(pk=type_.pk)


def _refuse_builtin(type_: AssociationType, done: str) -> None:
    if type_.is_unlabeled or type_.category == AssociationType.Category.HUBSPOT_DEFINED:
        raise Refused(f"{type_} is built in and cannot be {done}.")


def _read_words(label: str, inverse_label: str) -> tuple[str, str]:
    """Both words without the space around them; the second one empty for a single label."""
    label, inverse_label = label.strip(), inverse_label.strip()
    if not label:
        raise ValidationError({"label": "A label needs a word."})
    for field, word in (("label", label), ("inverse_label", inverse_label)):
        if word.casefold() in ("unlabeled", "primary"):
            raise ValidationError({field: f"{word} is a word of the product's own."})
    return label, "" if inverse_label == label else inverse_label


def _check_words_free(directed: DirectedType, beside: QuerySet[AssociationType]) -> None:
    """Two labels of a pair that read the same could not be told apart."""
    taken = {word.casefold() for each in beside for word in (each.label, each.inverse_label)}
    inverse_label = DirectedType(directed.type, not directed.outgoing).label
    for field, word in (("label", directed.label), ("inverse_label", inverse_label)):
        if word.casefold() in taken:
            raise ValidationError({field: f"This pair has a label {word!r} already."})


@contextmanager
def _errors_facing(directed: DirectedType) -> Iterator[None]:
    """Errors name the fields of the row; whoever sees it from its other side knows them the other way round."""
    try:
        yield
    except ValidationError as error:
        if directed.outgoing:
            raise
        raise ValidationError(
            {_OTHER_WAY.get(field, field): reasons for field, reasons in error.error_dict.items()}
        ) from None


def _free_name(label: str, taken: set[str]) -> str:
    """An internal name from the label's word: letters, digits, underscore."""
    stem = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
    stem = stem if stem and stem[0].isalpha() else f"label_{stem}".rstrip("_")
    return next(name for number in itertools.count() if (name := f"{stem}_{number}" if number else stem) not in taken)


def _next_ids(count: int) -> int:
    """The first of some ids in a row: ours start above 1000 and are never given twice."""
    used = AssociationType.objects.aggregate(last=Max("id"), inverse=Max("inverse_id"))
    above = max(used["last"] or 0, used["inverse"] or 0, AssociationType.FIRST_OWN_ID - 1)
    return give_numbers("association type", count, above=above)
