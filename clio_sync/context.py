"""What every page says about broken connections, to whoever can mend them."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clio_sync import connections
from clio_sync.models import Connection
from portal.accounts.models import User
from portal.accounts.roles import may_administer, may_review


def connections_to_mend(request: HttpRequest) -> dict[str, object]:
    """Lazy, so that a fragment which shows no banner asks the database nothing."""
    return {"connections_to_mend": SimpleLazyObject(lambda: _to_mend(request))}


def _to_mend(request: HttpRequest) -> list[Connection]:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return []
    if may_administer(user):
        return list(connections.broken())
    return list(connections.broken().filter(owner=user)) if may_review(user) else []
