"""Submitting by form: a new draft, and a new version of one."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts import roles
from portal.audit.log import Actor
from portal.http import PortalRequest
from reviews import actions, intake
from reviews.access import get_draft_for
from reviews.errors import ReviewError
from reviews.forms import SubmitForm, VersionForm
from reviews.views import choosing
from reviews.views.review import screen


@require_http_methods(["GET", "POST"])
@roles.require(roles.may_submit)
def submit(request: PortalRequest) -> HttpResponse:
    """The form for a new draft."""
    if request.method == "GET":
        return _form(request, SubmitForm())
    form = SubmitForm(request.POST, request.FILES)
    if not form.is_valid():
        return _form(request, form, status=422)
    try:
        draft, _ = intake.submit(
            intake.Upload.of(form.cleaned_data["file"]),
            _asked(form),
            submitter=request.user,
            actor=Actor.person(request),
        )
    except ReviewError as refused:
        choosing.note_refusal(request, refused)
        return _form(request, choosing.with_error(form, refused), status=refused.status)
    name = actions.destination_of(draft).file_name
    messages.success(
        request, f"Submitted. Once a reviewer approves it, it is filed as “{name}”; you will hear."
    )
    return redirect("reviews:draft", draft.pk)


@require_POST
def new_version(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponse:
    """A newer file for a draft. It voids what was decided about the older one."""
    draft = get_draft_for(request.user, draft_id)
    latest = draft.latest_version
    assert latest is not None, "submit() always sets the latest version"  # noqa: S101
    form = VersionForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "reviews/draft.html", screen(request, draft, latest, form=form), status=422)
    try:
        version = intake.add_version(
            draft.pk,
            intake.Upload.of(form.cleaned_data["file"]),
            provenance=form.provenance,
            note=form.cleaned_data["note"],
            by=request.user,
            actor=Actor.person(request),
            revision=form.cleaned_data["revision"],
        )
    except ReviewError as refused:
        choosing.note_refusal(request, refused)
        draft = get_draft_for(request.user, draft_id)
        context = screen(
            request, draft, latest, form=choosing.with_error(form, refused), problem=refused.sentence
        )
        return render(request, "reviews/draft.html", context, status=refused.status)
    messages.success(request, f"Version {version.number} is in. Earlier decisions do not apply to it.")
    return redirect("reviews:draft", draft.pk)


def _asked(form: SubmitForm) -> intake.Request:
    data = form.cleaned_data
    return intake.Request(**form.where, title=data["title"], note=data["note"], provenance=form.provenance)


def _form(request: PortalRequest, form: SubmitForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "largest": f"{settings.MAX_DRAFT_BYTES / 1_048_576:g} MB",
        "connections": choosing.connections_to_choose(),
    }
    if form.is_bound:
        context |= choosing.chosen(form.cleaned_data)
    return render(request, "reviews/submit.html", context, status=status)
