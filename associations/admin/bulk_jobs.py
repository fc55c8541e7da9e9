"""The admin's pages of bulk jobs: how far they are, what came of them, and the file that an export made."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from associations.models import BulkJob
from associations.services.bulk import kind_of
from associations.services.bulk_records import file_of

from .base import ShowsMore
from .paging import CappedPaginator


@admin.register(BulkJob)
class BulkJobAdmin(ShowsMore[BulkJob]):
    """Whoever may see records may see what is done to many of them; a file, who may do what made it."""

    list_display = ("title", "how_it_stands", "result", "started_by", "created_at")
    list_filter = ("state",)
    list_select_related = ("started_by",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    ordering = ("-id",)
    sortable_by = ()
    actions = None

    class Media:
        css = {"all": ["associations/admin.css", "workflows/runs.css"]}
        js = ["associations/live.js"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download)
        return [path("<int:job_id>/file.csv", view, name="associations_bulkjob_file"), *super().get_urls()]

    @admin.display(description="state")
    def how_it_stands(self, job: BulkJob) -> SafeString:
        return render_to_string("admin/associations/bulkjob/progress.html", {"job": job, "percent": percent(job)})

    def more_shown(self, request: HttpRequest, obj: BulkJob) -> dict[str, Any]:
        may = request.user.has_perm(kind_of(obj.kind).permission)
        return {
            "title": "Bulk job",
            "percent": percent(obj),
            "has_file": may and obj.state == BulkJob.State.FINISHED and obj.parts.exists(),
            "export_days": settings.EXPORT_DAYS,
        }

    def download(self, request: HttpRequest, job_id: int) -> HttpResponseBase:
        job = get_object_or_404(BulkJob.objects.select_related("object_type"), pk=job_id)
        if not self.has_view_permission(request, job) or not request.user.has_perm(kind_of(job.kind).permission):
            raise PermissionDenied
        if job.state != BulkJob.State.FINISHED or not job.parts.exists():
            raise Http404
        name = f"{job.object_type.name if job.object_type else 'file'}-{job.pk}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(file_of(job), content_type="text/csv; charset=utf-8", headers=headers)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: BulkJob | None = None) -> bool:
        return request.user.has_perm("associations.view_record") or request.user.has_perm("associations.change_record")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: BulkJob | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: BulkJob | None = None) -> bool:
        return False


def percent(job: BulkJob) -> int:
    """How much of it is done, in whole percent."""
    return min(100 * job.done // job.total, 100) if job.total else 0
