"""Pages for one's own account."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from portal.http import PortalRequest


def me(request: PortalRequest) -> HttpResponse:
    return render(request, "accounts/me.html")
