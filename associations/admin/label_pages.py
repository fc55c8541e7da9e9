"""The pages about labels that Django's admin has not: the matrix of object pairs, a pair with its limits, and a label
that is in use and is to go."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from associations import querysets
from associations.models import Association, AssociationType, ObjectType
from associations.models.schema import MAX_LIMIT
from associations.services import bulk, figures, labels, relabeling
from associations.types import DirectedType

from .base import ServiceAdmin

MANAGE = "associations.manage_labels"
LIMITS = ("max_to", "inverse_max_to")


class LimitsForm(forms.Form):
    """The limits of all types of a pair, both ways."""

    def __init__(self, types: list[AssociationType], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.types = [type_ for type_ in types if not type_.is_primary]
        for type_ in self.types:
            for name in LIMITS[:1] if type_.is_symmetric else LIMITS:
                way = DirectedType(type_, outgoing=name == "max_to")
                words = f"{way.other_type.plural_label} per {way.record_type.label.lower()}"
                self.fields[f"{name}_{type_.pk}"] = forms.IntegerField(
                    label=f"Limit of {type_.label or 'all associations'}: {words}",
                    min_value=1,
                    max_value=MAX_LIMIT,
                    required=False,
                    initial=getattr(type_, name),
                    widget=forms.NumberInput(attrs={"placeholder": "many", "aria-label": f"{type_.label}: {words}"}),
                )

    def save(self) -> list[AssociationType]:
        """Set the limits that changed, those that get smaller for labels first, for a label's never exceeds its pair's.

        The types that changed. What a service refuses stands at its field, and nothing is set then.
        """
        changed = [each for each in self.types if self._limits(each) != (each.max_to, each.inverse_max_to)]
        pair_shrinks = any(
            each.is_unlabeled and _shrinks(each.max_to, self._limits(each)[0]) for each in changed
        ) or any(each.is_unlabeled and _shrinks(each.inverse_max_to, self._limits(each)[1]) for each in changed)
        changed.sort(key=lambda each: each.is_unlabeled is pair_shrinks)
        with transaction.atomic():
            for type_ in changed:
                max_to, inverse_max_to = self._limits(type_)
                try:
                    labels.set_limits(DirectedType(type_, True), max_to=max_to, inverse_max_to=inverse_max_to)
                except ValidationError as error:
                    for name, reasons in error.error_dict.items():
                        field = f"{name}_{type_.pk}"
                        self.add_error(field if field in self.fields else f"max_to_{type_.pk}", reasons)
            if self.errors:
                transaction.set_rollback(True)
                return []
        return changed

    def _limits(self, type_: AssociationType) -> tuple[int | None, int | None]:
        max_to = self.cleaned_data[f"max_to_{type_.pk}"]
        return max_to, max_to if type_.is_symmetric else self.cleaned_data[f"inverse_max_to_{type_.pk}"]


def _shrinks(old: int | None, new: int | None) -> bool:
    return new is not None and (old is None or new < old)


class LabelPages(ServiceAdmin[AssociationType]):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("pair/<slug:first>/<slug:second>/", view(self.pair_view), name="associations_pair"),
            path("<int:type_id>/replace/", view(self.replace_view), name="associations_associationtype_replace"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The matrix; with any parameter the list."""
        if not request.GET and request.method == "GET":
            if not self.has_view_or_change_permission(request):
                raise PermissionDenied
            return self._matrix(request)
        return super().changelist_view(request, extra_context)

    def _matrix(self, request: HttpRequest) -> HttpResponse:
        """Each pair of object types once: on the diagonal and above, whichever way round the pair is stored."""
        object_types = list(ObjectType.objects.all())
        usage = figures.usage_of_types()
        cells: dict[frozenset[int], list[tuple[AssociationType, int]]] = {}
        for type_ in querysets.association_types().order_by("id"):
            cell = cells.setdefault(frozenset((type_.from_object_type_id, type_.to_object_type_id)), [])
            cell.append((type_, usage.get(type_.pk, 0)))
        for cell in cells.values():
            cell.sort(key=lambda each: not each[0].is_unlabeled)
        rows = [
            (
                first,
                [
                    (second, cells.get(frozenset((first.pk, second.pk)), []) if place >= row else [])
                    for place, second in enumerate(object_types)
                ],
            )
            for row, first in enumerate(object_types)
        ]
        return self.page(
            request,
            "admin/associations/associationtype/matrix.html",
            "Association labels",
            object_types=object_types,
            rows=rows,
            may_manage=request.user.has_perm(MANAGE),
        )

    def pair_view(self, request: HttpRequest, first: str, second: str) -> HttpResponse:
        """All types of a pair, with their limits to be changed at once."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        pair = Q(from_object_type__name=first, to_object_type__name=second)
        pair |= Q(from_object_type__name=second, to_object_type__name=first)
        types = list(querysets.association_types().filter(pair).order_by("name"))
        if not types:
            raise Http404
        may_manage = request.user.has_perm(MANAGE)
        if request.method == "POST" and not may_manage:
            raise PermissionDenied
        form = LimitsForm(types, request.POST or None)
        if form.is_valid():
            changed = form.save()
            if not form.errors:
                for type_ in changed:
                    self.log_change(request, type_, f"Limits: {self.limits(type_)}.")
                self.message_user(request, f"Limits changed: {len(changed)}." if changed else "Nothing was changed.")
                return HttpResponseRedirect(request.path)
        usage, live = figures.usage_of_types(), self.live_uses(types)
        rows = [
            (type_, usage.get(type_.pk, 0), [form[name] for name in _fields_of(form, type_)], live.get(type_.pk, []))
            for type_ in types
        ]
        sides = (types[0].from_object_type, types[0].to_object_type)
        return self.page(
            request,
            "admin/associations/associationtype/pair.html",
            f"{sides[0].plural_label} and {sides[1].plural_label.lower()}",
            first=sides[0],
            second=sides[1],
            rows=rows,
            form=form,
            may_manage=may_manage,
        )

    def limits(self, type_: AssociationType) -> str:
        raise NotImplementedError

    # A label that is to go ------------------------------------------------------------------------

    def uses(self, type_: AssociationType) -> list[tuple[Any, list[str]]]:
        """What names a label, and where in it; workflows know (see workflows.admin.labels)."""
        return []

    def live_uses(self, types: list[AssociationType]) -> dict[int, list[str]]:
        """What names each of some labels and runs, by the label's id."""
        return {}

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A label in use cannot be deleted [H]: the page says where it is used, and offers another in its place."""
        type_ = self.get_object(request, object_id)
        if type_ is None or not self.has_delete_permission(request, type_):
            return super().delete_view(request, object_id, extra_context)
        count, uses = Association.objects.filter(type=type_).count(), self.uses(type_)
        is_own = type_.category == AssociationType.Category.USER_DEFINED and not type_.is_unlabeled
        if request.method == "GET" and is_own and (count or uses):
            return self.page(
                request,
                "admin/associations/associationtype/in_use.html",
                f"{type_} is in use",
                original=type_,
                count=count,
                uses=uses,
                replacements=relabeling.replacements_of(type_),
            )
        return super().delete_view(request, object_id, extra_context)

    def replace_view(self, request: HttpRequest, type_id: int) -> HttpResponse:
        type_ = self.get_object(request, str(type_id))
        if type_ is None:
            raise Http404
        if request.method != "POST" or not self.has_delete_permission(request, type_):
            raise PermissionDenied
        chosen = [each for each in relabeling.replacements_of(type_) if str(each.pk) == request.POST.get("replacement")]
        if not chosen:
            self.message_user(request, "Choose the label that comes in its place.", messages.ERROR)
            return HttpResponseRedirect(reverse("admin:associations_associationtype_delete", args=[type_.pk]))
        title = f"Replace {type_} by {chosen[0].label}"
        with transaction.atomic():
            job = bulk.start("replace_label", title, user=request.user, old=type_.pk, new=chosen[0].pk)
            self.log_change(request, type_, f"{title} (bulk job {job.pk}).")
        return HttpResponseRedirect(reverse("admin:associations_bulkjob_change", args=[job.pk]))


def _fields_of(form: LimitsForm, type_: AssociationType) -> list[str]:
    return [name for name in (f"{limit}_{type_.pk}" for limit in LIMITS) if name in form.fields]
