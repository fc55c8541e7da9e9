"""What the CRM's API views have in common: the object types in their addresses, who may, and through what."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import cached_property, lru_cache
from typing import TypeVar

from django.conf import settings
from rest_framework.request import Request

from associations import sql
from associations.models import ChangeSet, ObjectType
from associations.services.origin import Origin
from crmproject.api.authentication import token_of
from crmproject.api.errors import ApiError, bad_request, not_found, shown
from crmproject.api.paging import read_id
from crmproject.api.scopes import CUSTOM, Needs, of_family
from crmproject.api.views import ApiView

T = TypeVar("T")
MAX_BATCH = 100
# What HubSpot has and this product has not. A program that reads all that it may passes over what it may not.
ELSEWHERE = frozenset(
    "call email meeting note task postal_mail communication product line_item quote feedback_submission goal_target"
    " lead order cart invoice discount fee tax commerce_payment subscription user marketing_event partner_client"
    " engagement".split()
)


def object_type_of(word: str) -> ObjectType:
    """The object type that an address or a body names: by its name, in the singular or plural, by its objectTypeId,
    or by its fully qualified name. Raises ApiError if there is none."""
    name = re.sub(rf"^p{settings.PORTAL_ID}_", "", word.strip().lower())
    object_types = _object_types(sql.object_types_version())
    for names_of in _NAMES:
        for each in object_types:
            if name in names_of(each):
                return each
    if name.removesuffix("es").removesuffix("s") in ELSEWHERE or name.removesuffix("s") in ELSEWHERE:
        raise ApiError(403, f"There are no {shown(word)} here.", category="MISSING_SCOPES")
    raise bad_request(f"Unable to infer object type from: {shown(word)}")


# What an object type may be called, the surest first.
_NAMES: Sequence[Callable[[ObjectType], Collection[str]]] = (
    lambda each: (each.type_id, each.name),
    lambda each: (each.label.lower(), each.plural_label.lower()),
    lambda each: (f"{each.name}s", re.sub("y$", "ies", each.name)),
)


@lru_cache(maxsize=2)
def _object_types(version: tuple[object, ...]) -> Sequence[ObjectType]:
    """All of them, which every request asks for one of: read once for each version. Not to be changed by the reader."""
    return list(ObjectType.objects.order_by("id"))


def full_name(object_type: ObjectType) -> str:
    """HubSpot's fullyQualifiedName: CONTACT, or p1_pet for a type of one's own."""
    return object_type.name.upper() if object_type.is_builtin else f"p{settings.PORTAL_ID}_{object_type.name}"


def plural_name(object_type: ObjectType) -> str:
    """What a type is called as a key, whatever people here call its records: contacts, p1_pet."""
    return re.sub("ys$", "ies", f"{object_type.name}s") if object_type.is_builtin else full_name(object_type)


def family_of(object_type: ObjectType) -> str:
    """The word for its records in HubSpot's scopes."""
    return plural_name(object_type) if object_type.is_builtin else CUSTOM


def origin_of(request: Request) -> Origin:
    """Through what a change comes: the token, or the person who is logged in."""
    if token := token_of(request):
        return Origin(ChangeSet.Source.API, source_id=token.pk, note=token.name)
    return Origin.user(request.user.pk)


def refuse_many(inputs: Sequence[object], most: int = MAX_BATCH, what: str = "a batch request") -> None:
    if len(inputs) > most:
        raise bad_request(
            f"The maximum number of inputs supported in {what} is {most:,}, and these are {len(inputs):,}."
            " Please reduce the number of items and try again."
        )


class CrmView(ApiView):
    """A view of one object type, which the address names `objectType`."""

    # Whether a POST only reads, as a search does.
    reads = False
    # The Django permission that a person needs to write, by method.
    write_permissions = {"POST": "add_record", "PATCH": "change_record", "PUT": "change_record"}

    @cached_property
    def object_type(self) -> ObjectType:
        return object_type_of(self.kwargs["objectType"])

    @property
    def origin(self) -> Origin:
        return origin_of(self.request)

    def needs(self) -> Needs:
        if self.reads or not self.writes:
            return Needs(of_family("objects", family_of(self.object_type), "read"), "associations.view_record")
        permission = self.write_permissions.get(self.request.method or "", "change_record")
        return Needs(of_family("objects", family_of(self.object_type), "write"), f"associations.{permission}")


def path_id(raw: str) -> int:
    """The record id in an address. Raises ApiError (404) for what cannot be one."""
    id_ = read_id(raw)
    if id_ is None:
        raise not_found()
    return id_


def invalid_id(raw: str) -> ApiError:
    return bad_request(f"{shown(raw)!r} is no record id; ids are whole numbers.", context={"id": [shown(raw)]})


def body_id(raw: str) -> int:
    """The record id in a body. Raises ApiError (400) for what cannot be one."""
    id_ = read_id(raw)
    if id_ is None:
        raise invalid_id(raw)
    return id_
