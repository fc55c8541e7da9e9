"""What a web server and a queue take to do nothing, or next to nothing: the floors of single changes.

Run by gunicorn with the product's settings, but these addresses only, and by workers (`empty_job`).
"""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from associations.models import ObjectType, Record

CONTACT: list[int] = []


class Bare(APIView):
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()


class EmptyView(Bare):
    def get(self, request: Request) -> Response:
        return Response({})


class InsertView(Bare):
    """One row of a record for each POST, and nothing of what the product does about it."""

    def post(self, request: Request) -> Response:
        if not CONTACT:
            CONTACT.append(ObjectType.objects.get(name="contact").pk)
        now = timezone.now()
        properties = cast("dict[str, Any]", request.data)["properties"]
        made = Record.objects.create(object_type_id=CONTACT[0], properties=properties, created_at=now, updated_at=now)
        return Response({"id": made.pk}, 201)


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def empty_job() -> None:
    """What a worker finds in an empty job."""


urlpatterns = [path("healthz", healthz), path("empty", EmptyView.as_view()), path("insert", InsertView.as_view())]


def serve_floors() -> None:
    """Have this process answer these addresses instead of the product's; before the first request."""
    settings.ROOT_URLCONF = __name__
