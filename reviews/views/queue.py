"""The queue page."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from clio_sync.estimates import Estimate, estimates
from portal.accounts import roles
from portal.accounts.models import User
from portal.http import PortalRequest
from reviews import queue, stuck
from reviews.formats import MediaType
from reviews.models import Draft
from reviews.status import next_actor, shown

PAGE = 50

EMPTY = {
    "waiting": ("Nothing waits", "New drafts appear here as soon as they are submitted."),
    "mine": ("You are reviewing nothing", "Open a waiting draft and choose Start review."),
    "returned": ("Nothing was returned", "Drafts sent back for changes stay here until a new version comes."),
    "filing": ("Nothing is on its way", "Approved drafts pass through here on their way to Clio."),
    "filed": ("Nothing is filed yet", "Approved drafts appear here with their receipt."),
    "closed": ("Nothing is closed", "Rejected and withdrawn drafts are kept here."),
}


@require_GET
def home(request: PortalRequest) -> HttpResponse:
    """The queue for those who see drafts; for the others the page of their own role."""
    if roles.may_see_drafts(request.user):
        return _queue(request)
    if roles.may_read_audit(request.user):
        return redirect("audit:log")
    if roles.may_administer(request.user):
        return redirect("clio_sync:connections")
    return render(request, "reviews/no_role.html")


def _queue(request: PortalRequest) -> HttpResponse:
    filters = queue.Filters.read(request.GET)
    tabs = queue.tabs_for(request.user)
    tab = next((tab for tab in tabs if tab.key == request.GET.get("tab")), tabs[0])
    if tab.key == "stuck":  # it has a page of its own
        return redirect(_address(tab, filters))
    count = queue.counts(request.user, tabs, filters)
    paginator = Paginator(queue.rows(request.user, tab, filters), PAGE)
    paginator.count = count[tab.key]
    page = paginator.get_page(request.GET.get("page"))
    title, text = EMPTY[tab.key]
    context = {
        "tabs": [
            {
                "label": t.label,
                "href": _address(t, filters),
                "current": t is tab,
                "count": count[t.key],
                "alarm": t.key == "stuck",
            }
            for t in tabs
        ],
        "tab": tab,
        "filters": filters,
        "is_filtered": filters != queue.Filters(),
        "media_types": MediaType.choices(),
        "ages": queue.AGES,
        "page": page,
        "rows": _rows(list(page), to=request.user),
        "things": "draft" if count[tab.key] == 1 else "drafts",
        "empty_title": title,
        "empty_text": text,
        "may_submit": roles.may_submit(request.user),
        "waiting": count["waiting"],
    }
    return render(request, "reviews/queue.html", context)


def _address(tab: queue.Tab, filters: queue.Filters) -> str:
    if tab.key != "stuck":
        return filters.address(tab.key)
    return reverse("reviews:stuck") + stuck.Filters(matter=filters.matter).address()


def _rows(drafts: list[Draft], *, to: User) -> list[dict[str, Any]]:
    due = estimates(draft.delivery for draft in drafts if draft.delivery is not None)
    return [_row(draft, due.get(draft.delivery_id) if draft.delivery_id else None, to=to) for draft in drafts]


def _row(draft: Draft, due: Estimate | None, *, to: User) -> dict[str, Any]:
    version = draft.latest_version
    return {
        "draft": draft,
        "status": shown(draft, to=to),
        "due": due.words if due else "",
        "next_actor": next_actor(draft),
        "type": MediaType(draft.media_type).label,
        "version": version.number if version else None,
        "tool": version.provenance.get("tool", "") if version else "",
    }
