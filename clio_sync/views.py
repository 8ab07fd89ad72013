"""The pages about connections. Admins see and mend all; a lawyer has a page for their own.

Each act is a form post that ends in a redirect. Connecting, reconnecting, preferring and ending one need a
recent sign-in; each form says in `back_to` where to go on after it.
"""

from __future__ import annotations

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clio_sync import connections, consents, oauth, regions
from clio_sync.api.secret import Secret
from clio_sync.errors import BadDestination
from clio_sync.forms import ConnectForm
from clio_sync.models import Connection, OAuthState
from portal.accounts.models import User
from portal.accounts.roles import may_administer, may_review, require
from portal.accounts.stepup import recent_sign_in_required
from portal.audit.log import Actor
from portal.http import PortalRequest


def may_connect(user: User) -> bool:
    return may_administer(user) or may_review(user)


@require_GET
@require(may_administer)
def connections_page(request: PortalRequest) -> HttpResponse:
    """Every connection of the firm and of its lawyers."""
    listed = list(connections.listed())
    live = [one for one in listed if one.status != Connection.Status.DISCONNECTED]
    return render(
        request,
        "clio_sync/connections.html",
        {
            "firm": [one for one in live if one.owner_id is None],
            "personal": [one for one in live if one.owner_id is not None],
            "ended": [one for one in listed if one.status == Connection.Status.DISCONNECTED],
            "has_default": any(one.is_default for one in live),
            **_region_choice(ConnectForm()),
        },
    )


@require_GET
@require(may_review)
def mine(request: PortalRequest) -> HttpResponse:
    """A lawyer's own connection, which files in their name."""
    own = connections.listed().filter(owner=request.user).exclude(status=Connection.Status.DISCONNECTED)
    return render(request, "clio_sync/mine.html", {"own": own})


@require_http_methods(["GET", "POST"])
@require(may_administer)
def connect(request: PortalRequest) -> HttpResponseBase:
    """Choose a region for a new connection of the firm."""
    return _choose_region(request)


@require_http_methods(["GET", "POST"])
@require(may_review)
def connect_mine(request: PortalRequest) -> HttpResponseBase:
    """Choose a region for one's own connection."""
    return _choose_region(request, is_personal=True)


def _choose_region(request: PortalRequest, *, is_personal: bool = False) -> HttpResponseBase:
    if request.method == "POST":
        return _begin(request, is_personal=is_personal)
    return _region_page(request, ConnectForm(), is_personal=is_personal)


@recent_sign_in_required
def _begin(request: PortalRequest, /, *, is_personal: bool) -> HttpResponseBase:
    form = ConnectForm(request.POST)
    if not form.is_valid():
        return _region_page(request, form, is_personal=is_personal, status=422)
    return _to_clio(request, region=form.chosen(), is_personal=is_personal)


def _region_page(
    request: PortalRequest, form: ConnectForm, *, is_personal: bool, status: int = 200
) -> HttpResponse:
    context = {**_region_choice(form, is_personal=is_personal), "is_personal": is_personal}
    return render(request, "clio_sync/connect.html", context, status=status)


def _region_choice(form: ConnectForm, *, is_personal: bool = False) -> dict[str, object]:
    return {
        "form": form,
        "regions": regions.readiness(),
        "redirect_uri": "" if is_personal else regions.redirect_uri(),  # a lawyer has no use for it
    }


@require_POST
@require(may_connect)
@recent_sign_in_required
def reconnect(request: PortalRequest, connection_id: uuid.UUID) -> HttpResponseBase:
    """To Clio's consent page for a connection that exists; only its own account can come back."""
    connection = _connection_for(request.user, connection_id)
    if connection.owner_id not in {None, request.user.pk}:
        raise PermissionDenied  # a lawyer's own connection is theirs to mend
    return _to_clio(
        request,
        region=connection.region,
        reconnect=connection,
        is_personal=connection.owner_id is not None,
    )


def _to_clio(
    request: PortalRequest, *, region: str, is_personal: bool, reconnect: Connection | None = None
) -> HttpResponseBase:
    try:
        address = oauth.start(
            request.user,
            by=Actor.person(request),
            session_key=request.session.session_key or "",
            region=region,
            reconnect=reconnect,
            is_personal=is_personal,
        )
    except regions.RegionNotReady as error:
        messages.error(request, str(error))
        return _home(request.user)
    return HttpResponseRedirect(address)


@login_not_required
@require_GET
def callback(request: HttpRequest) -> HttpResponseBase:
    """Where Clio sends the browser back to, with a code or a refusal. The state decides what it may do.

    Whoever is signed out meanwhile signs in and starts again: the code is not carried through the sign-in.
    """
    if not request.user.is_authenticated:
        return redirect("account_login")
    return _came_back(cast("PortalRequest", request))


@require(may_connect)
def _came_back(request: PortalRequest) -> HttpResponseBase:
    try:
        state = consents.take(
            request.GET.get("state", ""),
            user=request.user,
            session_key=request.session.session_key or "",
        )
    except consents.StateRefused as refused:
        oauth.refuse(by=Actor.person(request), reason=refused.reason, region=refused.region)
        return _nothing_connected(request, "Clio’s answer was not accepted", refused.sentence, status=400)
    return _answered(request, state)


def _answered(request: PortalRequest, state: OAuthState) -> HttpResponseBase:
    by = Actor.person(request)
    if not _may_still(request.user, state):
        raise PermissionDenied
    if request.GET.get("error") == "access_denied":
        oauth.decline(state, by=by)
        return _nothing_connected(request, "You declined at Clio", "Nothing was connected or changed.")
    code = request.GET.get("code", "")
    if not code:
        oauth.refuse(by=by, reason="no_code", region=state.region, about=state.reconnect)
        sentence = "Clio sent neither a code nor a refusal. Nothing was connected or changed."
        return _nothing_connected(request, "Clio’s answer was not complete", sentence, status=400)
    try:
        done = oauth.finish(state, code=Secret(code), by=by)
    except oauth.ConnectFailed as failed:
        return _nothing_connected(request, "Clio was not connected", failed.sentence, status=409)
    messages.success(request, _told(done))
    return _home(request.user)


def _may_still(user: User, state: OAuthState) -> bool:
    """Roles and ownership may have changed while the person was at Clio."""
    if state.reconnect is not None and state.reconnect.owner_id is not None:
        return state.reconnect.owner_id == user.pk and may_review(user)
    return may_review(user) if state.is_personal else may_administer(user)


def _told(done: oauth.Connected) -> str:
    one = done.connection
    if done.is_new:
        return f"Connected to {one.account_name} as {one.clio_user_name}."
    waiting = f" {done.resumed} waiting deliveries go on now." if done.resumed else ""
    return f"{one.account_name} is connected again.{waiting}"


def _nothing_connected(
    request: PortalRequest, title: str, sentence: str, *, status: int = 200
) -> HttpResponse:
    context = {"title": title, "sentence": sentence, "is_admin": may_administer(request.user)}
    return render(request, "clio_sync/not_connected.html", context, status=status)


@require_POST
@require(may_connect)
def test(request: PortalRequest, connection_id: uuid.UUID) -> HttpResponseBase:
    """Ask Clio who we are."""
    reply = connections.test_connection(
        _connection_for(request.user, connection_id), by=Actor.person(request)
    )
    (messages.success if reply.ok else messages.error)(request, reply.sentence)
    return _home(request.user)


@require_POST
@require(may_administer)
@recent_sign_in_required
def make_default(request: PortalRequest, connection_id: uuid.UUID) -> HttpResponseBase:
    connection = _connection_for(request.user, connection_id)
    try:
        connections.make_default(connection, by=Actor.person(request))
    except BadDestination as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, f"{connection.account_name} is the default now.")
    return _home(request.user)


@require_http_methods(["GET", "POST"])
@require(may_connect)
def disconnect(request: PortalRequest, connection_id: uuid.UUID) -> HttpResponseBase:
    """Say what ending a connection means, and end it."""
    connection = _connection_for(request.user, connection_id)
    if request.method == "POST":
        return _end(request, connection)
    context = {"connection": connection, "waiting": connections.waiting(connection)}
    return render(request, "clio_sync/disconnect.html", context)


@recent_sign_in_required
def _end(request: PortalRequest, connection: Connection, /) -> HttpResponseBase:
    if connections.disconnect(connection, by=Actor.person(request)):
        messages.success(request, f"{connection.account_name} is disconnected.")
    else:
        messages.warning(
            request,
            f"{connection.account_name} is disconnected here, but Clio did not confirm it. "
            "Remove the app in Clio as well, under Settings, Apps.",
        )
    return _home(request.user)


def _connection_for(user: User, connection_id: uuid.UUID) -> Connection:
    """The one door from an address to a connection: an admin's to all, a lawyer's to their own."""
    reachable = Connection.objects.all() if may_administer(user) else connections.personal(user)
    connection = reachable.select_related("owner").filter(pk=connection_id).first()
    if connection is None:
        raise Http404
    return connection


def _home(user: User) -> HttpResponseBase:
    return redirect("clio_sync:connections" if may_administer(user) else "clio_sync:mine")
