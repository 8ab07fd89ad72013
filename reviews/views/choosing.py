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
from clio_sync.errors import BadDestination
from clio_sync.models import Connection
from portal.accounts import roles
from portal.audit.events import Event
from portal.audit.log import Actor, record_denied
from portal.http import PortalRequest, whole_number, words
from reviews.errors import ReviewError

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


def connections_to_choose() -> QuerySet[Connection]:
    live = connections.firms().exclude(status=Connection.Status.DISCONNECTED)
    return live.order_by("-is_default", "account_name")


def chosen(data: Mapping[str, Any]) -> dict[str, object]:
    """The matter, folder and category of a form's data, to be shown chosen. Clio may be away."""
    matter_id = data.get("matter_id")
    if matter_id is None:
        return {}
    context: dict[str, object] = {"matter_id": matter_id}
    context |= {name: data.get(name) for name in ("folder_id", "folder_path", "category_id", "document_id")}
    try:
        connection = connections.named(data.get("connection"))
        context["matters"] = [matters.matter(connection, matter_id)]
        context |= _places(connection, matter_id)
    except BadDestination:
        context["is_unread"] = True
    return context


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
