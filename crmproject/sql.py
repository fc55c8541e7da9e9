"""The raw statements of what all apps share, each with the index that it needs. Called by `crmproject.api.tokens`."""

from django.db import connection


def is_good_token(digest: str) -> bool:
    """Whether a token has this digest and was not revoked (api token by digest)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM crmproject_apitoken WHERE digest = %s AND revoked_at IS NULL", [digest])
        return cursor.fetchone() is not None
