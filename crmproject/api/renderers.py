"""Answers as JSON for programs; for people the same as a page with forms (the browsable API).

The forms are REST framework's own; a view's `example` is what stands in them at first.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.urls import resolve
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer
from rest_framework.request import Request, clone_request

# The name of the address that takes what no other one does.
UNKNOWN = "unknown-api-path"


class BrowsableRenderer(BrowsableAPIRenderer):
    template = "api/browsable.html"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        """REST framework's page does not say in which language it is."""
        page: str = super().render(data, accepted_media_type, renderer_context)
        return page.replace("<html>", '<html lang="en">', 1)

    def get_breadcrumbs(self, request: Request) -> list[tuple[str, str]]:
        """Only addresses that there are: the rest of the API's answers 404."""
        return [each for each in super().get_breadcrumbs(request) if not _is_unknown(each[1])]

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        form = super().get_raw_data_form(data, view, method, request)
        if form and hasattr(view, "example"):
            before, view.request = view.request, clone_request(request, method)
            example = view.example()
            view.request = before
            if example is not None:
                form.fields["_content"].initial = json.dumps(example, indent=2, ensure_ascii=False)
        return form


def _is_unknown(address: str) -> bool:
    return resolve(urlsplit(address).path).url_name == UNKNOWN


class LenientNegotiation(DefaultContentNegotiation):
    """A client that accepts nothing of what there is gets JSON, as from HubSpot."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type
