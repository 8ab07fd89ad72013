"""Error answers that say what happened and what to do: a page for people, JSON for programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views import defaults

API = "/api/"


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from an old page, or cookies refused; `reason` is for developers and is not shown."""
    return render(request, "csrf.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return _problem(400, "bad_request", "This request cannot be read.")
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return _problem(404, "not_found", "The API has no such address.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(API):
        return _problem(500, "broken", "Something broke on our side. The same request may succeed later.")
    return defaults.server_error(request)


def too_large(request: HttpRequest, *, megabytes: float) -> HttpResponse:
    """More came than a draft may have. Called before anybody knows who sent it."""
    sentence = (
        f"This is larger than the limit of {megabytes:g} MB. Split it, or ask an admin about the limit."
    )
    if request.path.startswith(API):
        return _problem(413, "too_large", sentence)
    return HttpResponse(render_to_string("413.html", {"sentence": sentence}), status=413)


def _problem(status: int, code: str, message: str) -> JsonResponse:
    """As the API refuses (docs/api.md); for what goes wrong before or behind it."""
    return JsonResponse({"code": code, "message": message, "field": ""}, status=status)
