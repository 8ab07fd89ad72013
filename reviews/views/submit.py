"""Submitting by form: a new draft, and a new version of one."""

from __future__ import annotations

import uuid
from typing import TypeVar

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clio_sync import connections, matters
from clio_sync.errors import BadDestination
from clio_sync.models import Connection
from portal.accounts import roles
from portal.audit.events import Event
from portal.audit.log import Actor, record_denied
from portal.http import PortalRequest, whole_number, words
from reviews import intake
from reviews.access import get_draft_for
from reviews.errors import ReviewError
from reviews.forms import SubmitForm, VersionForm
from reviews.views.review import screen

OPTIONS = 12


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
        _note_refusal(request, refused)
        return _form(request, _with_error(form, refused), status=refused.status)
    messages.success(request, "Submitted. It waits for a reviewer; you will hear what they decide.")
    return redirect("reviews:draft", draft.pk)


@require_GET
@roles.require(roles.may_submit)
def matter_options(request: PortalRequest) -> HttpResponse:
    """Matters for what was typed so far, as choices of the form."""
    text = words(request.GET, "matter_text", most=200)
    context: dict[str, object] = {"text": text}
    if len(text) >= 2:
        try:
            context["matters"] = matters.search(_connection(request), text, limit=OPTIONS)
        except BadDestination as bad:
            context["problem"] = bad.sentence
    return render(request, "reviews/_matter_options.html", context)


@require_GET
@roles.require(roles.may_submit)
def places(request: PortalRequest) -> HttpResponse:
    """The folders of the chosen matter and the firm's categories, as choices of the form."""
    matter_id = whole_number(request.GET.get("matter_id", ""))
    context: dict[str, object] = {}
    if matter_id:
        try:
            context |= _places(_connection(request), matter_id)
        except BadDestination as bad:
            context["problem"] = bad.sentence
    return render(request, "reviews/_places.html", context)


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
        _note_refusal(request, refused)
        draft = get_draft_for(request.user, draft_id)
        context = screen(request, draft, latest, form=_with_error(form, refused), problem=refused.sentence)
        return render(request, "reviews/draft.html", context, status=refused.status)
    messages.success(request, f"Version {version.number} is in. Earlier decisions do not apply to it.")
    return redirect("reviews:draft", draft.pk)


def _asked(form: SubmitForm) -> intake.Request:
    data = form.cleaned_data
    return intake.Request(
        matter_id=data["matter_id"],
        matter_number="" if data["matter_id"] else data["matter_text"],
        connection_id=data["connection"],
        folder_id=data["folder_id"],
        category_id=data["category_id"],
        title=data["title"],
        note=data["note"],
        provenance=form.provenance,
    )


def _form(request: PortalRequest, form: SubmitForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "largest": f"{settings.MAX_DRAFT_BYTES / 1_048_576:g} MB",
        "connections": connections.firms()
        .exclude(status=Connection.Status.DISCONNECTED)
        .order_by("-is_default", "account_name"),
    }
    if form.is_bound:
        context |= _chosen(form)
    return render(request, "reviews/submit.html", context, status=status)


def _chosen(form: SubmitForm) -> dict[str, object]:
    """The matter, folder and category of a refused form, to be shown chosen again. Clio may be away."""
    data = form.cleaned_data
    matter_id = data.get("matter_id")
    if matter_id is None:
        return {}
    chosen: dict[str, object] = {"matter_id": matter_id}
    chosen |= {name: data.get(name) for name in ("folder_id", "category_id")}
    try:
        connection = connections.named(data.get("connection"))
        chosen["matters"] = [matters.matter(connection, matter_id)]
        chosen |= _places(connection, matter_id)
    except BadDestination:
        chosen["is_unread"] = True
    return chosen


def _places(connection: Connection, matter_id: int) -> dict[str, object]:
    return {
        "folders": matters.folders(connection, matter_id),
        "categories": matters.categories(connection),
    }


def _connection(request: PortalRequest) -> Connection:
    return connections.named(request.GET.get("connection", ""))


F = TypeVar("F", bound=Form)


def _with_error(form: F, refused: ReviewError) -> F:
    field = getattr(refused, "field", "")
    known = {"matter": "matter_text", "matter_number": "matter_text"}.get(field, field)
    form.add_error(known if known in form.fields else None, refused.sentence)
    return form


def _note_refusal(request: PortalRequest, refused: ReviewError) -> None:
    record_denied(
        Event.DRAFT_SUBMISSION_REFUSED,
        actor=Actor.person(request),
        subject=None,
        reason=refused.code,
        status=refused.status,
        source="form",
    )
