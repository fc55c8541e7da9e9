"""The addresses of the CRM's API."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
