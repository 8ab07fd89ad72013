"""The request as our views see it: a signed-in person, and what htmx says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from portal.accounts.models import User


class PortalRequest(HttpRequest):
    """A request past LoginRequiredMiddleware: `user` is a person, never anonymous."""

    user: User
    htmx: HtmxDetails
