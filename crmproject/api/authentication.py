"""Who asks: a program with a token (`Authorization: Bearer …`), or a person with a session of the admin.

A session is only good together with its CSRF token. Called by every API view.
"""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.request import Request

from crmproject.models import ApiToken

from . import tokens
from .errors import ApiError, iso

MISSING = (
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at"
    " https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)
HEADERS = {"WWW-Authenticate": "Bearer", "x-hubspot-auth-failure": "401 Unauthorized"}


class BearerToken(BaseAuthentication):
    """`request.auth` is the ApiToken then, and the user nobody."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiToken] | None:
        scheme, _, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = tokens.good_token(secret.strip())
        if token is None:
            raise not_authenticated(MISSING)  # nobody learns which tokens there were
        if token.expires_at is not None and token.expires_at <= timezone.now():
            raise not_authenticated(
                f"The access token expired at {iso(token.expires_at)}; create another one.",
                category="EXPIRED_AUTHENTICATION",
                context={"expire time": [iso(token.expires_at)]},
            )
        tokens.note_use(token)
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class Session(SessionAuthentication):
    """The admin's session, for people who use the browsable API."""


def token_of(request: Request) -> ApiToken | None:
    """The token that a request came with; None for a person's."""
    return request.auth if isinstance(request.auth, ApiToken) else None


def not_authenticated(
    message: str, *, category: str = "INVALID_AUTHENTICATION", context: dict[str, list[str]] | None = None
) -> ApiError:
    return ApiError(401, message, category=category, context=context, headers=HEADERS)
