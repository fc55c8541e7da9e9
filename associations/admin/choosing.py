"""A page that asks for the object type first: what else there is to enter depends on it."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode

from associations.models import ObjectType

from .base import M, ServiceAdmin

PARAMETER = "object_type"


def chosen_object_type(request: HttpRequest) -> ObjectType | None:
    """The object type that the address names; asked for once per request."""
    known = vars(request)
    if "object_type" not in known:
        known["object_type"] = ObjectType.objects.filter(name=request.GET.get(PARAMETER, "")).first()
    return known["object_type"]


class ChoosesObjectType(ServiceAdmin[M]):
    """Adds to an object type: `add/` offers the types, `add/?object_type=contact` has the form."""

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        object_type = chosen_object_type(request)
        if object_type is None and self.has_add_permission(request):
            title = f"Add {self.opts.verbose_name}: of which object type?"
            return self.page(
                request,
                "admin/associations/choose_object_type.html",
                title,
                object_types=ObjectType.objects.all(),
                preserved_filters=self.get_preserved_filters(request),
            )
        return super().add_view(request, form_url, {"object_type": object_type, **(extra_context or {})})

    def response_add(self, request: HttpRequest, obj: M, post_url_continue: str | None = None) -> HttpResponse:
        return self._of_the_same_type(request, obj, super().response_add(request, obj, post_url_continue))

    def response_change(self, request: HttpRequest, obj: M) -> HttpResponse:
        return self._of_the_same_type(request, obj, super().response_change(request, obj))

    def _of_the_same_type(self, request: HttpRequest, obj: M, response: HttpResponse) -> HttpResponse:
        """Whoever saves and adds another one adds it to the same object type."""
        if "_addanother" in request.POST and isinstance(response, HttpResponseRedirect):
            query = urlencode({PARAMETER: object_type_for(request, obj).name})
            return HttpResponseRedirect(f"{response.url}{'&' if '?' in response.url else '?'}{query}")
        return response


def object_type_for(request: HttpRequest, obj: Model | None) -> ObjectType:
    """Of the object on the page or, while there is none yet, the one that was chosen."""
    object_type = obj.object_type if obj else chosen_object_type(request)  # type: ignore[attr-defined]
    assert object_type is not None, "a form is made only once its object type is known"
    return object_type
