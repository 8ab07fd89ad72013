"""Another destination for a draft that is still open."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.audit.log import Actor
from portal.http import PortalRequest
from reviews import actions, lifecycle, places
from reviews.access import get_draft_for
from reviews.errors import ReviewError
from reviews.forms import DestinationForm
from reviews.models import Draft
from reviews.views import choosing


@require_http_methods(["GET", "POST"])
def destination(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    """Where the draft goes, and how it is called there, to be changed."""
    draft = get_draft_for(request.user, draft_id)
    if request.method == "POST":
        return _changed(request, draft)
    if draft.status not in lifecycle.OPEN:
        messages.error(request, "This draft is decided; where it goes can no longer be changed.")
        return redirect("reviews:draft", draft.pk)
    return _page(request, draft, DestinationForm(initial=_as_it_is(draft)))


def _changed(request: PortalRequest, draft: Draft) -> HttpResponseBase:
    form = DestinationForm(request.POST)
    if not form.is_valid():
        return _page(request, draft, form, status=422)
    try:
        actions.expect_change(draft.pk, by=request.user, revision=form.cleaned_data["revision"])
        actions.change_destination(
            draft.pk,
            places.destination(
                places.Where(**form.where),
                file_name=places.file_name(form.cleaned_data["file_name"], draft.media_type),
            ),
            by=request.user,
            actor=Actor.person(request),
            revision=form.cleaned_data["revision"],
        )
    except ReviewError as refused:
        choosing.note_refusal(request, refused)
        draft = get_draft_for(request.user, draft.pk)
        return _page(request, draft, choosing.with_error(form, refused), status=refused.status)
    messages.success(request, "Changed. Whoever approves it sees the new destination.")
    return redirect("reviews:draft", draft.pk)


def _page(request: PortalRequest, draft: Draft, form: DestinationForm, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "draft": draft,
        "form": form,
        "destination": actions.destination_of(draft),
        "connections": choosing.connections_to_choose(),
        **choosing.chosen(form.cleaned_data if form.is_bound else form.initial),
    }
    return render(request, "reviews/destination.html", context, status=status)


def _as_it_is(draft: Draft) -> dict[str, Any]:
    now = actions.destination_of(draft)
    return {
        "matter_id": now.matter_id,
        "matter_text": now.matter_number,
        "connection": now.connection_id,
        "folder_id": None if now.document_id else now.folder_id,
        "folder_path": " / ".join(now.new_folders),
        "category_id": now.category_id,
        "document_id": now.document_id,
        "file_name": now.file_name,
        "revision": draft.revision,
    }
