"""Another destination for a draft that is still open."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from clio_sync.destinations import Destination
from portal.accounts import roles
from portal.audit.log import Actor
from portal.http import PortalRequest, whole_number
from reviews import actions, alike, lifecycle, naming, places
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
    initial = _as_it_is(draft)
    if document_id := whole_number(request.GET.get("document", "")):
        initial |= {"document_id": document_id}
    return _page(request, draft, DestinationForm(initial=initial))


def _changed(request: PortalRequest, draft: Draft) -> HttpResponseBase:
    form = DestinationForm(request.POST)
    if not form.is_valid():
        return _page(request, draft, form, status=422)
    try:
        actions.expect_change(draft.pk, by=request.user, revision=form.cleaned_data["revision"])
        actions.change_destination(
            draft.pk,
            _asked(form, actions.destination_of(draft)),
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


def _asked(form: DestinationForm, before: Destination) -> Destination:
    name = form.cleaned_data["file_name"]
    place = places.destination(places.Where(**form.where), file_name=before.file_name)
    if name == before.file_name:
        return replace(place, named_by=before.named_by)
    chosen = places.file_name(name, like=before.file_name)
    return replace(place, file_name=chosen, named_by=naming.CHOSEN)


@require_GET
def namesakes(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponse:
    """What the place holds under the name of this draft, and how the document stands that it adds to."""
    draft = get_draft_for(request.user, draft_id)
    place = actions.destination_of(draft)
    context = {
        "draft": draft,
        "found": alike.in_place(place, user=request.user, but=draft),
        "target": alike.target(place),
        "may_change_destination": roles.may_change_destination(request.user, submitter_id=draft.submitter_id)
        and draft.status in lifecycle.OPEN,
    }
    return render(request, "reviews/_namesakes.html", context)


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
