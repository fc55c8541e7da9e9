"""What machines ask: is it alive, is it ready, how is it doing. No session, no HTML."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from .services import monitoring


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: this process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Ready: database, queue and workers are there and events do not pile up. 503 says what is missing."""
    problems = monitoring.not_ready(most_seconds=settings.READY_WITHIN)
    body = {"status": "not ready", "problems": problems} if problems else {"status": "ok"}
    return JsonResponse(body, status=503 if problems else 200)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for whoever has the METRICS_TOKEN or is signed in as staff."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    by_token = bool(settings.METRICS_TOKEN) and constant_time_compare(given, expected)
    if not by_token and not (request.user.is_authenticated and request.user.is_staff):
        return HttpResponse("Sign in as staff, or send the METRICS_TOKEN as a bearer token.\n", status=403)
    return HttpResponse(monitoring.metrics(), content_type="text/plain; version=0.0.4; charset=utf-8")
