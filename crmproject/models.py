"""API tokens: what a program shows instead of a password.

Written through `crmproject.api.tokens` only; the secret itself is kept nowhere.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """One program's access to the API: what it may do (`scopes`, HubSpot's names), and for how long."""

    name = models.CharField(max_length=100, help_text="What uses it, so that people know what they revoke")
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the secret")
    ending = models.CharField(max_length=4, editable=False, help_text="The last characters, to tell tokens apart")
    scopes = models.JSONField(default=list)
    rate_limit = models.PositiveIntegerField(
        "requests in 10 seconds", null=True, blank=True, help_text="Empty: what API_RATE_LIMIT says"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API token"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} (…{self.ending})"
