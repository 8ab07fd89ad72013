"""What every page says about stopped filing and broken connections, to whoever it concerns."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from clio_sync import connections
from clio_sync.models import Connection
from portal import gate
from portal.accounts.models import User
from portal.accounts.roles import may_administer, may_review


def connections_to_mend(request: HttpRequest) -> dict[str, object]:
    """Lazy, so that a fragment which shows no banner asks the database nothing."""
    return {
        "connections_to_mend": SimpleLazyObject(lambda: _to_mend(request)),
        "own_connection": SimpleLazyObject(lambda: _own_page(request)),
        "filing_stopped": SimpleLazyObject(lambda: _stopped(request)),
    }


def _stopped(request: HttpRequest) -> dict[str, object]:
    """Why the gate is closed, for those who approve and those who mend; nothing while it is open."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not (may_administer(user) or may_review(user)):
        return {}
    closed = gate.closed()
    return {"sentence": closed.sentence, "may_mend": may_administer(user)} if closed else {}


def _own_page(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    return reverse("clio_sync:mine") if isinstance(user, User) and may_review(user) else ""


def _to_mend(request: HttpRequest) -> list[Connection]:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return []
    if may_administer(user):
        return list(connections.broken())
    return list(connections.broken().filter(owner=user)) if may_review(user) else []
