"""The raw statements of what all apps share, each with the index that it needs. Called by `api.tokens` and `checks`."""

from django.db import connection


def good_token(digest: str) -> list[int | None]:
    """Whose token it is that has this digest and was not revoked: one user's id, None for nobody's or where the user is
    gone; empty if there is no such token (api token by digest)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT user_id FROM crmproject_apitoken WHERE digest = %s AND revoked_at IS NULL", [digest])
        return [user_id for (user_id,) in cursor.fetchall()]


def compiles_statements() -> bool:
    """Whether PostgreSQL compiles large statements in this connection."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        return cursor.fetchall() == [("on",)]
