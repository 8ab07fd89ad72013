"""Step-up: some acts need a recent sign-in. Our own gate, because the library's check lets people pass
who have no factor to show, and replays a suspended POST (docs/adr/0005)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from portal.http import PortalRequest

P = ParamSpec("P")
View = Callable[Concatenate[PortalRequest, P], HttpResponseBase]


def seconds_since_sign_in(request: PortalRequest) -> float | None:
    """Seconds since this session last proved who it is, or None if it never did."""
    times = [record["at"] for record in get_authentication_records(request, request.user) if "at" in record]
    return max(0.0, time.time() - max(times)) if times else None


def is_recent(request: PortalRequest) -> bool:
    age = seconds_since_sign_in(request)
    return age is not None and age <= settings.STEP_UP_SECONDS


def ask_again(request: PortalRequest, *, back_to: str) -> HttpResponseBase:
    """To the "Confirm it is you" page, and then back to a page by GET: the refused act is never replayed."""
    address = f"{reverse('account_reauthenticate')}?{urlencode({'next': back_to})}"
    return HttpResponseClientRedirect(address) if request.htmx else HttpResponseRedirect(address)


def recent_sign_in_required(view: View[P]) -> View[P]:
    """Guard a POST: without a recent sign-in the person confirms first and then acts again, knowingly.

    A form may carry `back_to`, a path of this site, to say where to return; default is the page's own path.
    """

    @wraps(view)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if is_recent(request):
            return view(request, *args, **kwargs)
        return ask_again(request, back_to=_safe_path(request.POST.get("back_to", ""), request.path))

    return guarded


def _safe_path(path: str, default: str) -> str:
    is_local = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_local else default
