"""The doors: the admin (with the queue's dashboard below it), and what machines ask."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from workflows import views

admin.site.site_header = admin.site.site_title = "Association workflows"
admin.site.index_title = "Records, labels, workflows"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("metrics", views.metrics),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
