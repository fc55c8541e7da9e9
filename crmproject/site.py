"""The admin's site: Django's, but that what people come for stands first in its lists of pages."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest

# Apps and, in them, models; what is not named here comes after, by name.
ORDER = {
    "associations": ("Record", "ObjectType", "Property", "AssociationType", "BulkJob", "ChangeSet"),
    "workflows": ("Workflow", "Run", "Enrollment"),
    "crmproject": (),
    "auth": (),
}


class SiteConfig(AdminConfig):
    default_site = "crmproject.site.Site"


class Site(AdminSite):
    site_header = site_title = "Association workflows"
    index_title = "Records, labels, workflows"
    site_url = None  # the admin is the site

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        for app in apps:
            models = ORDER.get(app["app_label"], ())
            app["models"].sort(key=lambda each: _place(each["object_name"], models))
        return sorted(apps, key=lambda app: _place(app["app_label"], tuple(ORDER)))


def _place(name: str, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order)
