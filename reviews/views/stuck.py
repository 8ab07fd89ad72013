"""The page of what is stuck: for reviewers to mend, for admins to see where it comes from."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from clio_sync import problems
from clio_sync.models import Delivery
from portal.accounts import roles
from portal.accounts.models import User
from portal.accounts.roles import require
from portal.audit.log import Actor
from portal.http import PortalRequest
from reviews import stuck
from reviews.models import Draft
from reviews.status import HELD_UP, next_actor
from reviews.views.review import reconnect_address


def may_look(user: User) -> bool:
    """Admins see numbers by problem and connection, and no draft."""
    return roles.may_see_drafts(user) or roles.may_administer(user)


@require_GET
@require(may_look)
def page(request: PortalRequest) -> HttpResponse:
    """What stands still, by problem and connection; and, for those who may see drafts, which they are."""
    filters = stuck.Filters.read(request.GET)
    sees_drafts = roles.may_see_drafts(request.user)
    everything = stuck.visible_to(request.user) if sees_drafts else Delivery.objects.stuck()
    found = filters.apply(everything) if sees_drafts else everything
    groups = stuck.groups(everything)
    drafts, more = stuck.page(found, after=request.GET.get("after", "")) if sees_drafts else ([], "")
    may_retry = roles.may_review(request.user)
    context: dict[str, Any] = {
        "title": "Needs you" if may_retry else HELD_UP,
        "groups": [{"group": group, "reconnect": _reconnect(request.user, group)} for group in groups],
        "total": sum(group.count for group in groups),
        "count": found.count() if filters != stuck.Filters() else sum(group.count for group in groups),
        "filters": filters,
        "is_filtered": filters != stuck.Filters(),
        "problems": {group.problem.value: group.problem.label for group in groups},
        "connections": stuck.names(groups),
        "sees_drafts": sees_drafts,
        "rows": [_row(draft) for draft in drafts],
        "next": filters.address(after=more) if more else "",
        "first": filters.address() if request.GET.get("after") else "",
        "to_retry": stuck.to_try_again(request.user, filters).count() if may_retry else 0,
        "at_once": stuck.AT_ONCE,
        "retry_action": reverse("reviews:try_again") + filters.address(),
    }
    return render(request, "reviews/stuck.html", context)


@require_POST
def try_again(request: PortalRequest) -> HttpResponse:
    """Try everything under the filters again, a number at a time."""
    if not roles.may_review(request.user):
        raise PermissionDenied
    filters = stuck.Filters.read(request.GET)
    waiting = stuck.to_try_again(request.user, filters)
    tried = stuck.try_again(waiting, actor=Actor.person(request))
    left = waiting.count()
    rest = f" {left:,} still wait." if left else ""
    messages.success(request, f"{tried:,} {'is' if tried == 1 else 'are'} being tried again.{rest}")
    return redirect(reverse("reviews:stuck") + filters.address())


def _reconnect(user: User, group: stuck.Group) -> str:
    return reconnect_address(user, group.connection) if group.problem is problems.Problem.CONNECTION else ""


def _row(draft: Draft) -> dict[str, Any]:
    assert draft.delivery is not None  # noqa: S101 - the page is made from deliveries
    return {
        "draft": draft,
        "problem": problems.explain(draft.delivery),
        "since": draft.delivery.created_at,
        "next_actor": next_actor(draft),
    }
