"""Whether the one who asks may: a token by its scopes, a person by the permissions that the admin knows.

Called for every API view, which says what it needs.
"""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from crmproject.models import ApiToken

from .scopes import Needs


class NeedsMet(BasePermission):
    """The token has one of the scopes that the view needs, or the person, one of the staff, the permission."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, ApiToken):
            scopes = needs_of(view).scopes
            return not scopes or not set(scopes).isdisjoint(request.auth.scopes)
        user = request.user
        if not (user.is_authenticated and user.is_staff):
            return False
        permission = needs_of(view).permission
        return not permission or user.has_perm(permission)


def needs_of(view: Any) -> Needs:
    needs: Needs = view.needs()
    return needs
