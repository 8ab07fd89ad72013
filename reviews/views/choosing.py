"""Choosing a place: what the forms for a new draft and for another destination have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from clio_sync import connections, matters
from clio_sync.destinations import Destination
from clio_sync.errors import BadDestination
from clio_sync.models import Connection
from portal.accounts import roles
from portal.audit.events import Event
from portal.audit.log import Actor, record_denied
from portal.http import PortalRequest, whole_number, words
from reviews import alike, formats, intake
from reviews import places as where
from reviews.errors import ReviewError
from reviews.forms import PlaceFields
from reviews.words import LONGEST

OPTIONS = 12
F = TypeVar("F", bound=Form)


@require_GET
@roles.require(roles.may_see_drafts)
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
@roles.require(roles.may_see_drafts)
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


@require_GET
@roles.require(roles.may_see_drafts)
def document_options(request: PortalRequest) -> HttpResponse:
    """Documents of the chosen matter for what was typed so far, one of which may get a new version."""
    matter_id = whole_number(request.GET.get("matter_id", ""))
    text = words(request.GET, "document_text", most=200)
    context: dict[str, object] = {"is_asked": True, "text": text}
    if matter_id:
        try:
            found = matters.documents(_connection(request), matter_id, text)
            context |= {"documents": found[:OPTIONS], "more": max(0, len(found) - OPTIONS)}
        except BadDestination as bad:
            context["problem"] = bad.sentence
    return render(request, "reviews/_document_options.html", context)


@require_GET
@roles.require(roles.may_submit)
def filed_as(request: PortalRequest) -> HttpResponse:
    """How the file would be called in Clio, and what the place holds under that name already."""
    original = formats.composed(words(request.GET, "original_name", most=255))
    form = PlaceFields(request.GET)
    if not (original and form.is_valid() and form.cleaned_data["matter_id"]):
        return render(request, "reviews/_filed_as.html", {})
    try:
        place = _would_be(form, original, title=words(request.GET, "title", most=LONGEST["title"]))
    except ReviewError as refused:
        return render(request, "reviews/_filed_as.html", {"problem": refused.sentence})
    context = {
        "place": place,
        "found": alike.in_place(place, user=request.user),
        "version_of": None if form.cleaned_data["document_id"] else form.cleaned_data["version_of"],
    }
    return render(request, "reviews/_filed_as.html", context)


def _would_be(form: PlaceFields, original: str, *, title: str) -> Destination:
    """The destination that a submission of this form would get."""
    request = intake.Request(**form.where, title=title)
    return intake.named(where.destination(request, file_name=original), original, request)


def connections_to_choose() -> QuerySet[Connection]:
    live = connections.firms().exclude(status=Connection.Status.DISCONNECTED)
    return live.order_by("-is_default", "account_name")


def chosen(data: Mapping[str, Any]) -> dict[str, object]:
    """The matter, folder and category of a form's data, to be shown chosen. Clio may be away."""
    matter_id = data.get("matter_id")
    if matter_id is None:
        return {}
    context: dict[str, object] = {"matter_id": matter_id}
    context |= {name: data.get(name) for name in ("folder_id", "folder_path", "category_id")}
    context["document_id"] = document_id = data.get("document_id") or data.get("version_of")
    try:
        connection = connections.named(data.get("connection"))
        context["matters"] = [matters.matter(connection, matter_id)]
        context |= _places(connection, matter_id)
        context["documents"] = _chosen_document(connection, matter_id, document_id)
    except BadDestination:
        context["is_unread"] = True
    return context


def _chosen_document(
    connection: Connection, matter_id: int, document_id: int | None
) -> list[matters.Document]:
    if document_id is None:
        return []
    return [one for one in matters.documents(connection, matter_id) if one.id == document_id]


def with_error(form: F, refused: ReviewError) -> F:
    field = getattr(refused, "field", "")
    known = {"matter": "matter_text", "matter_number": "matter_text"}.get(field, field)
    form.add_error(known if known in form.fields else None, refused.sentence)
    return form


def note_refusal(request: PortalRequest, refused: ReviewError) -> None:
    record_denied(
        Event.DRAFT_SUBMISSION_REFUSED,
        actor=Actor.person(request),
        subject=None,
        reason=refused.code,
        status=refused.status,
        source="form",
    )


def _places(connection: Connection, matter_id: int) -> dict[str, object]:
    return {
        "is_chosen": True,
        "folders": matters.folders(connection, matter_id),
        "categories": matters.categories(connection),
    }


def _connection(request: PortalRequest) -> Connection:
    return connections.named(request.GET.get("connection", ""))
