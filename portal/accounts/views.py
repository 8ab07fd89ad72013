"""One's own account."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.http import PortalRequest


@require_safe
def me(request: PortalRequest) -> HttpResponse:
    keys = request.user.api_keys.filter(revoked_at=None).order_by("-created_at")
    return render(request, "accounts/me.html", {"keys": keys})
