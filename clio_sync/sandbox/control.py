"""The control API: what a rehearsal needs that Clio itself does not offer. JSON over HTTP, on its own port.

``GET  /health``                 is it up, where are its listeners, how much does it hold
``GET  /ledger``                 every call: ``since`` (id), ``limit``, ``listener``, ``route``, ``method``,
                                 ``status``, ``outcome``, ``token_id``, ``user_id``
``GET  /documents``              every document, its versions and hashes: ``matter_id``, ``include_seeded``
``GET  /documents/ID``           one of them
``GET  /versions/UUID/content``  the bytes that storage holds for a version
``GET  /storage``                every write storage took, with its hash
``GET  /faults``                 the plans, and how often each was met and fired
``POST /faults``                 add a plan, or a list of them (see ``faults.py``); answers with their ids
``DELETE /faults`` ``/faults/ID``  drop all plans, or one
``GET  /clock``                  the sandbox's time
``POST /clock``                  ``{"advance_seconds": n}``, ``{"set": ISO-8601}`` or ``{"reset": true}``
``GET  /switches``               every unverified point of Clio's behaviour, its meaning, choices and value
``POST /switches``               ``{"name": value, ...}``; ``DELETE`` puts all back
``GET  /app`` ``POST /app``      the registered app: client id, redirect URIs, permissions asked for
``POST /tokens``                 ``{"user_id": n}`` gives tokens without the pages, for tests of API clients
``GET  /tokens``                 consents and tokens, without their secrets
``POST /act``                    what a person does in Clio: ``{"act": "close_matter", "matter_id": n}``
``POST /seed``                   fill an empty sandbox; ``{"matters": n}`` adds more matters
``POST /reset``                  forget everything and seed again; ``{"seed": false}`` leaves it empty,
                                 ``{"keep_switches": true}`` keeps switches and clock

It has no sign-in: it listens on this machine unless ``--control-host`` says otherwise, takes JSON only, and
refuses requests that a web page sent. What a person can do is listed in ``acts.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from clio_sync.sandbox import acts, app, faults, ledger, objects, oracle, seed, tokens
from clio_sync.sandbox.faults import BadPlan
from clio_sync.sandbox.server import Request, Response, json_response
from clio_sync.sandbox.state import State, as_dict, iso
from clio_sync.sandbox.switches import SWITCHES, UnknownSwitch


class BadRequest(Exception):
    """The control API was asked for something it does not understand."""


class ControlHost:
    def __init__(self, state: State) -> None:
        self.state = state

    def __call__(self, request: Request) -> Response:
        if "origin" in request.headers or not self._is_for_us(request):
            return json_response(403, {"error": "The control API does not answer web pages."})
        try:
            return self._answer(request)
        except (BadRequest, BadPlan, UnknownSwitch, acts.CannotAct) as error:
            return json_response(400, {"error": str(error)})

    def _is_for_us(self, request: Request) -> bool:
        """A name that was made to point here belongs to a web page that wants to look in."""
        host = urlsplit(f"//{request.headers.get('host')}").hostname
        return host in {"127.0.0.1", "localhost", "::1", urlsplit(self.state.addresses.control).hostname}

    def _answer(self, request: Request) -> Response:
        for method, pattern, act in _ROUTES:
            if request.method == method and (match := re.fullmatch(pattern, request.path)):
                return act(self.state, request, *match.groups())
        return json_response(
            404, {"error": f"There is no {request.method} {request.path}. See clio_sync/sandbox/control.py."}
        )


def _content(request: Request) -> Any:
    if not request.body:
        return {}
    if "application/json" not in (request.headers.get("content-type") or ""):
        raise BadRequest("Send JSON, with Content-Type: application/json.")
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error


def _object(request: Request) -> dict[str, Any]:
    content = _content(request)
    if not isinstance(content, dict):
        raise BadRequest("The body must be a JSON object.")
    return content


def _integer(request: Request, name: str, default: int) -> int:
    text = request.query.get(name) or str(default)
    if not text.isdigit():
        raise BadRequest(f"{name} must be a number.")
    return int(text)


# Reading.


def _health(state: State, _request: Request) -> Response:
    counts = {table: state.count(f"SELECT count(*) FROM {table}") for table in ("matter", "document", "call")}  # noqa: S608
    addresses = state.addresses
    return json_response(
        200,
        {
            "ok": True,
            "now": state.stamp(),
            "api_url": addresses.api,
            "storage_url": addresses.storage,
            "control_url": addresses.control,
            "counts": counts,
        },
    )


def _ledger(state: State, request: Request) -> Response:
    limit, since = _integer(request, "limit", 100_000), _integer(request, "since", 0)
    lines = ledger.lines(state, filters=dict(request.query.pairs), since=since, limit=limit)
    return json_response(200, {"calls": lines, "last_id": state.count("SELECT max(id) FROM call")})


def _documents(state: State, request: Request) -> Response:
    seeded = request.query.get("include_seeded") == "true"
    matter_id = _integer(request, "matter_id", 0) or None
    return json_response(
        200, {"documents": oracle.documents(state, matter_id=matter_id, include_seeded=seeded)}
    )


def _document(state: State, _request: Request, document_id: str) -> Response:
    found = oracle.document(state, int(document_id))
    return (
        json_response(200, found)
        if found
        else json_response(404, {"error": f"There is no document {document_id}."})
    )


def _version_content(state: State, _request: Request, version_uuid: str) -> Response:
    row = state.one("SELECT * FROM version WHERE uuid = ?", version_uuid)
    content = objects.find(state, row["object_key"]) if row else None
    if row is None or content is None:
        return json_response(404, {"error": f"Storage holds nothing for version {version_uuid}."})
    kind = (("Content-Type", row["content_type"]),)
    return Response(200, headers=kind, stream=content.chunks(), length=content.size)


def _storage(state: State, _request: Request) -> Response:
    return json_response(
        200, {"writes": [as_dict(row) for row in state.all("SELECT * FROM storage_write ORDER BY id")]}
    )


# Faults, clock, switches.


def _faults(state: State, _request: Request) -> Response:
    return json_response(200, {"faults": faults.listed(state)})


def _add_faults(state: State, request: Request) -> Response:
    content = _content(request)
    plans = [faults.read_plan(item) for item in (content if isinstance(content, list) else [content])]
    with state.transaction():
        added = [faults.add(state, plan) for plan in plans]
    return json_response(201, {"ids": added})


def _drop_faults(state: State, _request: Request, fault_id: str = "") -> Response:
    dropped = state.run("DELETE FROM fault WHERE ? = '' OR id = ?", fault_id, fault_id)
    return json_response(200, {"dropped": dropped})


def _clock(state: State, _request: Request) -> Response:
    return json_response(200, {"now": state.stamp(), "offset_seconds": state.clock_offset})


def _move_clock(state: State, request: Request) -> Response:
    wanted = _object(request)
    if wanted.get("reset"):
        state.move_clock(0.0)
    elif "set" in wanted:
        state.move_clock(state.clock_offset + (_moment(wanted["set"]) - state.now()).total_seconds())
    elif isinstance(wanted.get("advance_seconds"), int | float):
        state.move_clock(state.clock_offset + wanted["advance_seconds"])
    else:
        raise BadRequest("Say advance_seconds, set or reset.")
    return _clock(state, request)


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise BadRequest(f"{text} is not an ISO-8601 time.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _switches(state: State, _request: Request) -> Response:
    listed = {
        name: {
            "value": state.switch(name),
            "default": switch.default,
            "choices": list(switch.choices),
            "meaning": switch.meaning,
        }
        for name, switch in SWITCHES.items()
    }
    return json_response(200, {"switches": listed})


def _set_switches(state: State, request: Request) -> Response:
    state.set_switches(_object(request))
    return json_response(200, {"switches": state.switches()})


def _default_switches(state: State, _request: Request) -> Response:
    state.default_switches()
    return json_response(200, {"switches": state.switches()})


# The app and its tokens.


def _app(state: State, _request: Request) -> Response:
    known = app.load(state)
    shown = {
        "client_id": known.client_id,
        "name": known.name,
        "redirect_uris": list(known.redirect_uris),
        "permissions": tokens.app_permissions(state),
    }
    return json_response(200, shown)


def _change_app(state: State, request: Request) -> Response:
    wanted = _object(request)
    if unknown := set(wanted) - {"client_id", "client_secret", "name", "redirect_uris", "permissions"}:
        raise BadRequest(f"The app has no {', '.join(sorted(unknown))}.")
    with state.transaction():
        if "permissions" in wanted:
            state.set_meta("app_permissions", json.dumps(wanted.pop("permissions")))
        app.change(state, **wanted)
    return _app(state, request)


def _make_tokens(state: State, request: Request) -> Response:
    user_id = _object(request).get("user_id") or state.count("SELECT min(id) FROM user")
    if state.one("SELECT 1 FROM user WHERE id = ?", user_id) is None:
        raise BadRequest(f"There is no user {user_id}.")
    with state.transaction():
        consent_id = tokens.consent(state, int(user_id))
        issued = tokens.issue(state, consent_id)
    made = {"access_token": issued.access_token, "refresh_token": issued.refresh_token}
    return json_response(
        201, {**made, "expires_in": issued.expires_in, "user_id": user_id, "consent_id": consent_id}
    )


def _tokens(state: State, _request: Request) -> Response:
    rows = state.all(
        "SELECT token.id, token.kind, token.consent_id, consent.user_id, token.created_at,"
        " token.expires_at_s, token.ended, consent.revoked_at"
        " FROM token JOIN consent ON consent.id = consent_id ORDER BY token.id"
    )
    return json_response(200, {"tokens": [as_dict(row) for row in rows]})


# Acts, seed, reset.


def _act(state: State, request: Request) -> Response:
    return json_response(200, acts.act(state, _object(request)))


def _seed(state: State, request: Request) -> Response:
    wanted = _object(request)
    with state.transaction():
        seed.fill(state)
        seed.more_matters(state, int(wanted.get("matters", 0)))
    return _health(state, request)


def _reset(state: State, request: Request) -> Response:
    wanted = _object(request)
    state.empty()
    if not wanted.get("keep_switches"):
        state.default_switches()
        state.move_clock(0.0)
    if wanted.get("seed", True):
        seed.fill(state)
    return json_response(200, {"ok": True, "now": iso(state.now())})


_ROUTES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("GET", "/health", _health),
    ("GET", "/ledger", _ledger),
    ("GET", "/documents", _documents),
    ("GET", "/documents/([0-9]{1,18})", _document),
    ("GET", "/versions/([0-9a-f-]{36})/content", _version_content),
    ("GET", "/storage", _storage),
    ("GET", "/faults", _faults),
    ("POST", "/faults", _add_faults),
    ("DELETE", "/faults", _drop_faults),
    ("DELETE", "/faults/([0-9]{1,18})", _drop_faults),
    ("GET", "/clock", _clock),
    ("POST", "/clock", _move_clock),
    ("GET", "/switches", _switches),
    ("POST", "/switches", _set_switches),
    ("DELETE", "/switches", _default_switches),
    ("GET", "/app", _app),
    ("POST", "/app", _change_app),
    ("POST", "/tokens", _make_tokens),
    ("GET", "/tokens", _tokens),
    ("POST", "/act", _act),
    ("POST", "/seed", _seed),
    ("POST", "/reset", _reset),
)
