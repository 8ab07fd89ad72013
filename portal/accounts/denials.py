"""Whoever is turned away at a door is on record: who, where, and what they asked for by id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase

from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record_denied

NAMED_BY: Final = {
    "draft_id": "draft",
    "connection_id": "connection",
    "user_id": "person",
    "key_id": "api_key",
}
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Denials:
    """Middleware. Hears of the refusals that views raise (403, and 404 for what is somebody else's).

    Only of people who have signed in: whoever has not could fill the log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if not isinstance(exception, (PermissionDenied, Http404)) or not request.user.is_authenticated:
            return
        is_role = isinstance(exception, PermissionDenied)
        record_denied(
            Event.ACCESS_DENIED,
            actor=Actor.person(request),
            subject=_subject(request),
            method=request.method if request.method in METHODS else "other",
            route=request.resolver_match.view_name if request.resolver_match else "",
            status=403 if is_role else 404,
            reason_code="role" if is_role else "not_found",
        )


def _subject(request: HttpRequest) -> Subject | None:
    match = request.resolver_match
    named = ((kind, match.kwargs[name]) for name, kind in NAMED_BY.items() if match and name in match.kwargs)
    return next((Subject(kind, value) for kind, value in named), None)
