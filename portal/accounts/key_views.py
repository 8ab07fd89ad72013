"""Pages for admins: the keys with which programs submit drafts."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts import keys
from portal.accounts.forms import AddKeyForm, submitters
from portal.accounts.models import ApiKey
from portal.accounts.roles import may_administer, require
from portal.accounts.stepup import recent_sign_in_required
from portal.audit.log import Actor
from portal.http import PortalRequest

PAGE_SIZE = 50


@require_safe
@require(may_administer)
def index(request: PortalRequest) -> HttpResponse:
    revoked = request.GET.get("show") == "revoked"
    found = ApiKey.objects.filter(revoked_at__isnull=not revoked).select_related("owner", "created_by")
    page = Paginator(found.order_by("-created_at", "pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    tabs = [
        {"label": "In use", "href": request.path, "current": not revoked, "count": None},
        {"label": "Revoked", "href": f"{request.path}?show=revoked", "current": revoked, "count": None},
    ]
    return render(request, "accounts/keys.html", {"page": page, "tabs": tabs, "revoked": revoked})


@require(may_administer)
@recent_sign_in_required
def add(request: PortalRequest) -> HttpResponse:
    """The token is shown by the answer to this one POST and kept nowhere."""
    form = AddKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        key, token = keys.issue(
            form.cleaned_data["name"],
            owner=form.cleaned_data["owner"],
            by=request.user,
            actor=Actor.person(request),
        )
        return render(request, "accounts/key_made.html", {"key": key, "token": token})
    context = {"form": form, "has_submitters": submitters().exists()}
    return render(request, "accounts/add_key.html", context, status=422 if form.errors else 200)


@require_POST
@require(may_administer)
@recent_sign_in_required
def revoke(request: PortalRequest, key_id: uuid.UUID) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=key_id)
    if keys.revoke(key, actor=Actor.person(request)):
        messages.success(request, f"“{key}” is revoked. Programs that use it are refused from now on.")
    else:
        messages.info(request, f"“{key}” was revoked before.")
    return redirect("accounts:keys")
