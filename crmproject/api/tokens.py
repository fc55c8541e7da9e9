"""Make, find and revoke API tokens. Called by the admin, the command `create_api_token` and authentication.

A token is 122 random bits, so a plain SHA-256 of it cannot be turned back and is found by one index look-up.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence

from django.db.models import Q
from django.utils import timezone

from crmproject import sql
from crmproject.models import ApiToken

from .scopes import unknown_scopes

# HubSpot's form of a private app's token; some clients look at how it starts.
PREFIX = "pat-na1-"
# How exact "last used" is: a write a minute and not one a request.
USE_NOTED_EVERY = dt.timedelta(minutes=1)
# By digest. Of a token nothing changes but when it was used, whether it is revoked, and whether its user is gone: the
# last two are asked every time.
_known: dict[str, ApiToken] = {}


def create_token(
    name: str,
    scopes: Sequence[str],
    *,
    expires_at: dt.datetime | None = None,
    rate_limit: int | None = None,
    user_id: int | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is shown now or never. Raises ValueError for a scope there is none of."""
    if unknown := unknown_scopes(scopes):
        raise ValueError(f"There is no scope {unknown[0]!r}.")
    secret = f"{PREFIX}{uuid.uuid4()}"
    token = ApiToken.objects.create(
        name=name,
        digest=_digest(secret),
        ending=secret[-4:],
        scopes=list(dict.fromkeys(scopes)),
        expires_at=expires_at,
        rate_limit=rate_limit,
        user_id=user_id,
    )
    return token, secret


def find_token(secret: str) -> ApiToken | None:
    """The token that was given this secret, revoked and expired ones too."""
    return ApiToken.objects.filter(digest=_digest(secret)).first()


def good_token(secret: str) -> ApiToken | None:
    """The token that was given this secret, unless it is revoked: one query. It may have expired."""
    digest = _digest(secret)
    if not (users := sql.good_token(digest)):
        return None
    if digest not in _known:
        _known[digest] = ApiToken.objects.get(digest=digest)
    token = _known[digest]
    [token.user_id] = users
    return token


def note_use(token: ApiToken) -> None:
    """Remember that it is used; at most once a minute, whoever else uses it at the same moment."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at <= now - USE_NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
        token.last_used_at = now


def revoke(token: ApiToken) -> None:
    """From now on nobody gets in with it."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
