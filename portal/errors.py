"""Error pages that say what happened and what to do."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from an old page, or cookies refused; `reason` is for developers and is not shown."""
    return render(request, "csrf.html", status=403)
