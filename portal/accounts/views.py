"""One's own account."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.roles import may_review
from portal.http import PortalRequest


@require_safe
def me(request: PortalRequest) -> HttpResponse:
    keys = request.user.api_keys.filter(revoked_at=None).order_by("-created_at")
    context = {"keys": keys, "files_in_own_name": may_review(request.user)}
    return render(request, "accounts/me.html", context)
