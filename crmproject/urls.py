"""The doors: the admin (with the queue's dashboard below it), the API, and what machines ask."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from crmproject.api.renderers import UNKNOWN
from crmproject.api.views import UnknownPath
from workflows import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("metrics", views.metrics),
    path("", include("associations.api.urls")),
    path("", include("workflows.api.urls")),
    path("", include("crmproject.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(template_name="api/docs.html"), name="docs"),
    re_path("^(crm|crm-object-schemas|automation|account-info|oauth|owners|api)/", UnknownPath.as_view(), name=UNKNOWN),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
