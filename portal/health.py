"""The health check: the site answers only when it can reach its database."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, JsonResponse

from portal import gate


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """`200` while the database answers; an exception, hence 500, when it does not.

    `filing` is `closed` while the gate is: the pages are needed to mend it, so they are still well.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True, "filing": "closed" if gate.closed() else "open"})
