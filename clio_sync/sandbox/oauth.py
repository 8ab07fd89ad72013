"""OAuth 2.0 as Clio Manage speaks it: authorize, token, deauthorize.

A request whose client or redirect address is wrong is never redirected: it ends on a page. The token endpoint
answers with the codes of RFC 6749; clients must branch on ``error``, the texts are not Clio's own.
"""

from __future__ import annotations

import secrets
from urllib.parse import parse_qsl, urlencode, urlsplit

from clio_sync.sandbox import app, pages, tokens
from clio_sync.sandbox.ledger import Entry
from clio_sync.sandbox.server import Request, Response, html_response, json_response
from clio_sync.sandbox.state import Row, State

_REQUEST_SECONDS = 3600


class OAuthError(Exception):
    """A refusal of the token endpoint."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.code = code
        self.description = description


# The page a person sees.


def authorize(state: State, request: Request, _entry: Entry) -> Response:
    asked = {name: request.query.get(name) or "" for name in ("client_id", "redirect_uri", "response_type")}
    known = app.load(state)
    if asked["client_id"] != known.client_id:
        return _problem(
            401, "This application is not known here", "Its client id does not belong to any app."
        )
    if not known.knows(asked["redirect_uri"]):
        reason = "The address it wants to send you back to is not one of those registered for it."
        return _problem(401, f"{known.name} cannot be connected", reason)
    back = Return(asked["redirect_uri"], request.query.get("state"))
    if asked["response_type"] != "code":
        return back.error("unsupported_response_type")
    return _consent_page(state, request, known)


def _consent_page(state: State, request: Request, known: app.App) -> Response:
    request_id, redirect_uri = secrets.token_urlsafe(16), request.query.get("redirect_uri") or ""
    state.run("DELETE FROM authorization_request WHERE created_at_s < ?", state.now_s() - _REQUEST_SECONDS)
    state.insert(
        "authorization_request",
        id=request_id,
        redirect_uri=redirect_uri,
        state=request.query.get("state"),
        redirect_on_decline=request.query.get("redirect_on_decline") == "true",
        created_at_s=state.now_s(),
    )
    users = state.all("SELECT * FROM user WHERE enabled = 1 ORDER BY id")
    page = pages.consent(
        app_name=known.name,
        firm=firm_name(state),
        request_id=request_id,
        users=users,
        permissions=tokens.app_permissions(state),
        redirect_host=urlsplit(redirect_uri).netloc,
    )
    return html_response(200, page, *pages.headers(form_action=_origin(redirect_uri)))


def decide(state: State, request: Request, entry: Entry) -> Response:
    form = _form(request)
    asked = state.one("SELECT * FROM authorization_request WHERE id = ?", form.get("request", ""))
    if asked is None:
        return _problem(
            400, "This page has been used already", "Go back to the application and connect again."
        )
    if form.get("decision") != "allow":
        return _declined(state, asked)
    user = state.one("SELECT id FROM user WHERE id = ? AND enabled = 1", form.get("user_id", ""))
    if user is None:
        return _problem(400, "Choose who is signing in", "Go back and choose one of the people listed.")
    state.run("DELETE FROM authorization_request WHERE id = ?", asked["id"])
    entry.user_id = user["id"]
    code = tokens.make_code(state, user["id"], redirect_uri=asked["redirect_uri"])
    return Return(asked["redirect_uri"], asked["state"]).code(code)


def _declined(state: State, asked: Row) -> Response:
    state.run("DELETE FROM authorization_request WHERE id = ?", asked["id"])
    if asked["redirect_on_decline"] or state.flag("decline_always_redirects"):
        return Return(asked["redirect_uri"], asked["state"]).error("access_denied")
    return _problem(200, "You declined", "Nothing was shared. You can close this page.")


class Return:
    """The way back to the application."""

    def __init__(self, redirect_uri: str, state: str | None) -> None:
        self.redirect_uri = redirect_uri
        self.state = state

    def code(self, code: str) -> Response:
        return self._to(code=code)

    def error(self, error: str) -> Response:
        return self._to(error=error)

    def _to(self, **values: str) -> Response:
        more = {**values, **({"state": self.state} if self.state is not None else {})}
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        location = f"{self.redirect_uri}{joint}{urlencode(more)}"
        return Response(302, headers=(("Location", location), ("Cache-Control", "no-store")))


def _problem(status: int, title: str, reason: str) -> Response:
    return html_response(status, pages.problem(title, reason), *pages.headers())


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def firm_name(state: State) -> str:
    return state.meta("firm_name") or "Harrow & Quill LLP"


# The endpoints an application calls.


def token(state: State, request: Request, _entry: Entry) -> Response:
    try:
        return _issued(_grant(state, _form(request)))
    except tokens.InvalidGrant:
        return _oauth_error(OAuthError(400, "invalid_grant", state.word("invalid_grant_text")))
    except OAuthError as error:
        return _oauth_error(error)


def _grant(state: State, form: dict[str, str]) -> tokens.Issued:
    for name in ("client_id", "grant_type"):
        if not form.get(name):
            raise OAuthError(400, "invalid_request", f"The parameter {name} is missing.")
    if not app.load(state).is_authentic(form["client_id"], form.get("client_secret", "")):
        raise OAuthError(401, "invalid_client", "The client identifier or secret provided is invalid.")
    if form["grant_type"] == "authorization_code":
        return tokens.exchange(state, _needed(form, "code"), redirect_uri=_needed(form, "redirect_uri"))
    if form["grant_type"] == "refresh_token":
        return tokens.refresh(state, _needed(form, "refresh_token"))
    raise OAuthError(400, "unsupported_grant_type", "The authorization grant type is not supported.")


def _needed(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        raise OAuthError(400, "invalid_request", f"The parameter {name} is missing.")
    return form[name]


def _issued(issued: tokens.Issued) -> Response:
    body: dict[str, object] = {
        "token_type": "bearer",
        "access_token": issued.access_token,
        "expires_in": issued.expires_in,
    }
    if issued.refresh_token:
        body["refresh_token"] = issued.refresh_token
    return json_response(200, body, ("Cache-Control", "no-store"), ("Pragma", "no-cache"))


def _oauth_error(error: OAuthError) -> Response:
    body = {"error": error.code, "error_description": error.description}
    return json_response(error.status, body, ("Cache-Control", "no-store"))


def deauthorize(state: State, bearer: tokens.Bearer, request: Request) -> Response:
    """End the grant behind the bearer token, given that the form names that same token."""
    named = _form(request).get("token", "")
    row = state.one("SELECT id FROM token WHERE hash = ?", tokens.hashed(named))
    if row is None or row["id"] != bearer.token_id:
        body = {
            "error": "invalid_request",
            "error_description": "The parameter token is missing or not yours.",
        }
        return json_response(400, body)
    tokens.deauthorize(state, bearer.consent_id)
    return Response(200)


def _form(request: Request) -> dict[str, str]:
    if "application/x-www-form-urlencoded" not in (request.headers.get("content-type") or ""):
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
