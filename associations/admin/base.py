"""What lets Django's admin be a door to services: it saves and deletes through them and shows their refusals.

Django's admin checks a form and then saves, and has no place for a save that is refused. Here a refusal undoes the
request's transaction, and the same request is answered once more by a form that knows what is wrong with it: so
the reason stands at its field and nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from associations.errors import InvalidRecords, Refused
from associations.services.origin import Origin

M = TypeVar("M", bound=Model)
Reasons = Mapping[str, Sequence[ValidationError]]

# How many names a page asking "are you sure?" lists.
SHOWN_OF_DELETED = 100


class FormRefused(Exception):
    """A service refused what this form asked for."""

    def __init__(self, prefix: str | None, reasons: Reasons) -> None:
        self.prefix, self.reasons = prefix, reasons


def reasons_of(error: Refused | ValidationError) -> Reasons:
    """Why, by the names that the service has for the fields."""
    if isinstance(error, InvalidRecords):
        error = ValidationError({problem.property: sentence(problem.reason) for problem in error.problems})
    elif isinstance(error, Refused):
        error = ValidationError(str(error))
    return error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}


def sentence(reason: str) -> str:
    """A reason that services put after a property's name, as it stands alone at its field."""
    return f"{reason[0].upper()}{reason[1:]}."


@contextmanager
def refused_at(form: forms.BaseForm) -> Iterator[None]:
    """Turn a service's refusal into one of this form."""
    try:
        yield
    except (Refused, ValidationError) as error:
        raise FormRefused(form.prefix, reasons_of(error)) from error


class ServiceForm(forms.ModelForm[M]):
    """A form whose values a service checks and keeps; the model's own checks are left to that service."""

    refusals: ClassVar[Mapping[str | None, Reasons]] = {}

    def field_of(self, name: str) -> str:
        """The field of this form for what the service calls `name`."""
        return name

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound:
            return
        for name, errors in self.refusals.get(self.prefix, {}).items():
            field = self.field_of(name)
            for error in errors:
                self.add_error(field if field in self.fields else None, error)

    def _post_clean(self) -> None:
        """Django would check and fill the model instance here."""


class ShowsMore(admin.ModelAdmin[M]):
    """Its page shows more than a form: subclasses say what (`more_shown`)."""

    def more_shown(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the page's template gets besides; `obj` is None where a new one is added."""
        raise NotImplementedError

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: M | None = None,
    ) -> HttpResponse:
        context |= self.more_shown(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)


class ServiceAdmin(admin.ModelAdmin[M]):
    """Subclasses say which service saves (`save_by_service`) and which one deletes (`delete_model`)."""

    form: type[forms.ModelForm[M]] = ServiceForm[M]

    def save_by_service(self, request: HttpRequest, form: Any, obj: M | None) -> M:
        """Save what the form asks for, a new object if `obj` is None. May raise Refused and ValidationError."""
        raise NotImplementedError

    def origin(self, request: HttpRequest) -> Origin:
        return Origin.user(request.user.pk)

    # Saving ---------------------------------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        for _ in range(2):
            try:
                return super().changeform_view(request, object_id, form_url, extra_context)
            except FormRefused as refused:
                vars(request)["refusals"] = {refused.prefix: refused.reasons}
            except IntegrityError:
                # Another request was faster, with a unique value say. The second time the service sees and names it.
                continue
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.refusals = refusals(request)  # type: ignore[attr-defined]
        return form

    def save_model(self, request: HttpRequest, obj: M, form: Any, change: bool) -> None:
        with refused_at(form):
            saved = self.save_by_service(request, form, obj if change else None)
        vars(obj).update(vars(saved))  # what Django goes on to name, log and link is the object that was saved

    # Deleting -------------------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., str], str, str] | None]:
        """Without Django's bulk deletion, which has no word for a refusal; who wants it names it in `actions`."""
        actions = super().get_actions(request)
        if "delete_selected" not in (self.actions or ()):
            actions.pop("delete_selected", None)
        return actions

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Only what was asked for: services decide what goes with it, and Django would load all of that."""
        count = len(objs)
        names = [str(each) for each in objs[:SHOWN_OF_DELETED]]
        if count > len(names):
            names.append(f"and {count - len(names):,} more")
        return names, {str(self.opts.verbose_name_plural): count}, set(), []

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except Refused as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(self.change_url(object_id))

    # Pages ----------------------------------------------------------------------------------------

    def change_url(self, object_id: object) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        """A page of our own in the admin's frame."""
        frame = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "media": self.media}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, {**frame, **context})


def refusals(request: HttpRequest) -> Mapping[str | None, Reasons]:
    """What a service refused when this request was tried first, by form."""
    return vars(request).get("refusals", {})
