"""What every page knows about the person looking at it: the places they may go, and whom to ask."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from portal.accounts.models import Role, User
from portal.accounts.roles import Question, may_administer, may_read_audit, may_see_drafts, may_submit


@dataclass(frozen=True)
class Place:
    label: str
    href: str
    current: bool


PLACES: list[tuple[str, str, Question]] = [
    ("Queue", "reviews:queue", may_see_drafts),
    ("Submit", "reviews:submit", may_submit),
    ("Connections", "clio_sync:connections", may_administer),
    ("People", "accounts:people", may_administer),
    ("API keys", "accounts:keys", may_administer),
    ("File names", "reviews:naming", may_administer),
    ("Audit log", "audit:log", may_read_audit),
]


def navigation(request: HttpRequest) -> dict[str, object]:
    """Lazy, so that a fragment which shows no navigation asks the database nothing."""
    return {
        "places": SimpleLazyObject(lambda: _places(request)),
        "admins_to_ask": SimpleLazyObject(_admins),
        "time_zone": settings.TIME_ZONE,
    }


def _places(request: HttpRequest) -> list[Place]:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return []
    open_places = [(label, _address(name)) for label, name, question in PLACES if question(user)]
    here = _here(request, [href for _, href in open_places])
    return [Place(label, href, current=href == here) for label, href in open_places if href]


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:  # an area that this installation does not have is no place to go
        return ""


def _here(request: HttpRequest, addresses: list[str]) -> str | None:
    """The longest address that the page lies under; the start page only stands for itself and the drafts."""
    match = request.resolver_match
    in_drafts = match is not None and match.namespace == "reviews" and match.url_name != "naming"
    under = [a for a in addresses if a and request.path.startswith(a) and (a != "/" or in_drafts)]
    return max(under, key=len, default=None)


def _admins() -> list[User]:
    return list(User.objects.filter(is_active=True, grants__role=Role.ADMIN).order_by("full_name"))
