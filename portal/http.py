"""The request as our views see it: a signed-in person, what htmx says, words and numbers of an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, QueryDict
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from portal.accounts.models import User


class PortalRequest(HttpRequest):
    """A request past LoginRequiredMiddleware: `user` is a person, never anonymous."""

    user: User
    htmx: HtmxDetails


def words(query: QueryDict, name: str, *, most: int = 100) -> str:
    """What somebody searches for. PostgreSQL cannot look for NUL."""
    return query.get(name, "").replace("\x00", "").strip()[:most]


def whole_number(text: str) -> int | None:
    """A number from an address, or None for anything that a database could not hold."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
