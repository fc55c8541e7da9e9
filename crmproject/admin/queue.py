"""The queue's pages in the admin: Django-RQ's own, for those who have its permission.

Django-RQ opens them to everybody on the staff, with buttons that empty a queue; and it writes scripts and styles into
its pages, which this site's Content-Security-Policy refuses.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path, reverse
from django_rq.admin import QueueAdmin
from django_rq.models import Dashboard
from django_rq.urls import get_admin_urlpatterns, get_api_urlpatterns

PERMISSION = "django_rq.admin"
PREFIX = "django_rq_"
# What the pages are called, instead of by the library that they are from.
NAME, LIBRARY = "Queues", b">Django RQ</a>"
# What browsers would leave out and complain about. The pages work without: Django's own scripts do the same.
INLINE = re.compile(rb'<(script|style)(?: type="text/javascript")?>.*?</\1>| (?:onclick|style)="[^"]*"', re.DOTALL)
ACTIONS = b'<div class="actions">'


def _missing() -> bytes:
    """What Django's script for lists looks for, and Django-RQ's lists lack."""
    counter = '<span class="action-counter" data-actions-icnt="0" hidden></span>'
    return f'{counter}<script src="{reverse("admin:jsi18n")}"></script>'.encode()


class QueuePages(QueueAdmin):
    def get_urls(self) -> list[URLPattern]:
        machine = [
            re_path(str(each.pattern), self._guarded(each.callback), name=each.name)
            for each in get_api_urlpatterns(name_prefix=PREFIX)
        ]
        pages = get_admin_urlpatterns(name_prefix=PREFIX, view_wrapper=self._guarded)
        return [*machine, *pages, *admin.ModelAdmin.get_urls(self)]

    def _guarded(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(PERMISSION):
                raise PermissionDenied
            request.current_app = self.admin_site.name
            response = view(request, *args, **kwargs)
            if response.get("Content-Type", "").startswith("text/html"):
                page = INLINE.sub(b"", response.content).replace(LIBRARY, f">{NAME}</a>".encode())
                response.content = page.replace(ACTIONS, ACTIONS + _missing())
            return response

        return self.admin_site.admin_view(guarded)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return self._guarded(super().changelist_view)(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    has_change_permission = has_view_permission


apps.get_app_config("django_rq").verbose_name = "Queue"
Dashboard._meta.verbose_name_plural = NAME
admin.site.unregister(Dashboard)
admin.site.register(Dashboard, QueuePages)
