"""The page that chooses which properties the lists of an object type show, and in which order."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from associations.models import ObjectType, Record
from associations.services import schema

from .base import ServiceAdmin
from .choosing import PARAMETER, chosen_object_type
from .layout import Layout

CHOOSE_COLUMNS = "associations.change_objecttype"


class ColumnsForm(forms.Form):
    """A choice for each place. Places left empty are left out; with none at all the first few properties are shown."""

    def __init__(self, layout: Layout, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "---------"), *((prop.name, prop.label) for prop in layout.properties)]
        shown = [prop.name for prop in layout.shown]
        for place in range(schema.MOST_COLUMNS):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=f"Column {place + 1}",
                choices=choices,
                required=False,
                initial=shown[place] if place < len(shown) else "",
            )

    def columns(self) -> list[str]:
        return [name for name in self.cleaned_data.values() if name]


class ColumnPages(ServiceAdmin[Record]):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.columns_view)
        return [path("columns/", view, name="associations_record_columns"), *super().get_urls()]

    def columns_view(self, request: HttpRequest) -> HttpResponse:
        object_type = chosen_object_type(request)
        if object_type is None:
            raise Http404
        if not request.user.has_perm(CHOOSE_COLUMNS):
            raise PermissionDenied
        form = ColumnsForm(Layout(object_type), request.POST or None)
        if form.is_valid():
            self._choose(request, object_type, form.columns())
            query = {PARAMETER: object_type.name}
            return HttpResponseRedirect(reverse("admin:associations_record_changelist", query=query))
        title = f"Columns of the list of {object_type.plural_label.lower()}"
        return self.page(request, "admin/associations/record/columns.html", title, form=form, object_type=object_type)

    def _choose(self, request: HttpRequest, object_type: ObjectType, names: list[str]) -> None:
        schema.set_columns(object_type, names)
        self.log_change(request, object_type, f"Columns of its list: {', '.join(names) or 'the first few'}.")  # type: ignore[arg-type]
        self.message_user(request, f"The list of {object_type.plural_label.lower()} shows these columns from now on.")
