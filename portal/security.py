"""Response headers that every answer carries, beyond what Django sets itself."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

Handler = Callable[[HttpRequest], HttpResponseBase]


def headers(get_response: Handler) -> Handler:
    """Pages of signed-in people are never kept by a cache, and never load into another site's page.

    Whoever signs out leaves nothing behind in the browser.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        response.headers.setdefault("Cache-Control", "no-store")
        if request.method == "POST" and _is_sign_out(request):
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    return middleware


def _is_sign_out(request: HttpRequest) -> bool:
    return request.resolver_match is not None and request.resolver_match.view_name == "account_logout"
