"""The admin's page of API tokens: made here and shown once, revoked here, never changed otherwise."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from crmproject.api import tokens
from crmproject.api.scopes import SCOPES
from crmproject.models import ApiToken


class TokenForm(forms.ModelForm[ApiToken]):
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
        help_text="What a program with this token may do. Give it no more than it needs.",
    )
    expires_at = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
        help_text="Empty: never",
    )

    class Meta:
        model = ApiToken
        fields = ("name", "scopes", "expires_at", "rate_limit")


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    form = TokenForm
    list_display = ("name", "ending_shown", "state", "scope_count", "created_at", "expires_at", "last_used_at")
    search_fields = ("name", "ending")
    actions = ("revoke",)
    fields = ("name", "scopes", "expires_at", "rate_limit")
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        if obj is None:
            return self.fields
        return ("name", "ending_shown", "state", "scope_list", "rate_limit", *self._times())

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def _times(self) -> tuple[str, ...]:
        return ("user", "created_at", "expires_at", "revoked_at", "last_used_at")

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """A token is what it was made as; the permission is that to revoke."""
        return super().has_change_permission(request, obj) if obj is None else False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False  # what it changed names it

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        given = form.cleaned_data
        made, secret = tokens.create_token(
            given["name"],
            given["scopes"],
            expires_at=given["expires_at"],
            rate_limit=given["rate_limit"],
            user_id=request.user.pk,
        )
        vars(obj).update(vars(made))
        shown = format_html("The token, shown this once: <code>{}</code> Copy it now.", secret)
        self.message_user(request, shown, messages.WARNING)

    @admin.action(description="Revoke: nobody gets in with it any more", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            tokens.revoke(token)
            self.log_change(request, token, "Revoked.")
        self.message_user(request, "Revoked.", messages.SUCCESS)

    @admin.display(description="ends with")
    def ending_shown(self, token: ApiToken) -> str:
        return f"…{token.ending}"

    @admin.display(description="state")
    def state(self, token: ApiToken) -> str:
        if token.revoked_at is not None:
            return "revoked"
        if token.expires_at is not None and token.expires_at <= timezone.now():
            return "expired"
        return "in use" if token.last_used_at else "not used yet"

    @admin.display(description="scopes")
    def scope_list(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="scopes")
    def scope_count(self, token: ApiToken) -> str:
        return f"{len(token.scopes)}" if len(token.scopes) > 3 else ", ".join(token.scopes)
