"""The Clio host: OAuth, the API with all its rules, and a few pages.

Each call is one transaction: the token is checked and charged, the act is done (or undone), the line in the
ledger is written. Only then is anything sent.
"""

from __future__ import annotations

from collections.abc import Callable

from clio_sync.sandbox import browse, faults, ledger, limits, oauth, routes, tokens
from clio_sync.sandbox.call import Call
from clio_sync.sandbox.errors import BadToken, Refusal, forbidden
from clio_sync.sandbox.faults import Drawn
from clio_sync.sandbox.ledger import Entry
from clio_sync.sandbox.limits import Budget
from clio_sync.sandbox.server import Request, Response, json_response
from clio_sync.sandbox.state import State

VERSION = "4.0.13"
_VERSIONS = {f"4.0.{minor}" for minor in range(4, 14)}
_REALM = 'Bearer realm="clio-sandbox", error="invalid_token", error_description="{}"'
_OAUTH: dict[tuple[str, str], tuple[str, Callable[[State, Request, Entry], Response]]] = {
    ("GET", "/oauth/authorize"): ("oauth.authorize", oauth.authorize),
    ("POST", "/oauth/authorize"): ("oauth.decide", oauth.decide),
    ("POST", "/oauth/token"): ("oauth.token", oauth.token),
}


class ClioHost:
    def __init__(self, state: State) -> None:
        self.state = state

    def __call__(self, request: Request) -> Response:
        path = request.path
        if path.startswith(f"{routes.BASE}/"):
            return self._recorded(request, self._api_route_name(request), "api", self._api)
        if path.startswith("/oauth/"):
            name, act = _OAUTH.get((request.method, path), ("oauth.unknown", _nowhere))
            if (request.method, path) == ("POST", "/oauth/deauthorize"):
                return self._recorded(request, "oauth.deauthorize", "oauth", self._deauthorize)
            return self._recorded(request, name, "oauth", lambda entry: act(self.state, request, entry))
        return browse.page(self.state, request)

    def _recorded(
        self, request: Request, route: str, listener: str, act: Callable[[Entry], Response]
    ) -> Response:
        _ = request.body  # read it before the lock is taken: a slow client must not stop the others
        entry = Entry(listener, route, request)
        drawn = faults.draw(self.state, request, route=route)
        entry.fault_id, entry.outcome = drawn.fault_id, drawn.outcome
        if not faults.wait(self.state, drawn.wait_before):
            return Response(0, mishap="vanish")
        response = self._answer(entry, drawn, act)
        faults.wait(self.state, drawn.wait_after)
        return response

    def _answer(self, entry: Entry, drawn: Drawn, act: Callable[[Entry], Response]) -> Response:
        with self.state.transaction():
            response = drawn.instead() or act(entry)
            response = drawn.spoil(response).with_headers(("X-Request-Id", entry.request_id))
            ledger.write(
                self.state, entry, None if response.mishap == "vanish" and not response.status else response
            )
        return response

    # The API.

    def _api_route_name(self, request: Request) -> str:
        found = routes.find(request.method, request.path)
        return found[0].name if found else "api.unknown"

    def _api(self, entry: Entry) -> Response:
        try:
            bearer = self._bearer(entry)
        except Refusal as refusal:
            return _refused(refusal)
        except BadToken:
            return _bad_token()
        budget = limits.budget(self.state, bearer.token_id)
        if budget.is_spent:
            return self._over_limit(bearer, budget)
        response = self._within_limit(entry, bearer)
        if response.status != 304 or self.state.flag("rate_counts_304"):
            limits.spend(self.state, bearer.token_id)
            budget = budget.spend()
        if response.status >= 400 and not self.state.flag("rate_headers_on_errors"):
            return response
        return response.with_headers(*budget.headers())

    def _bearer(self, entry: Entry) -> tokens.Bearer:
        scheme, _, token = (entry.request.headers.get("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Refusal(401, "UnauthorizedError", "User is not authorized")
        bearer = tokens.bearer(self.state, token.strip())
        entry.token_id, entry.user_id = bearer.token_id, bearer.user_id
        return bearer

    def _over_limit(self, bearer: tokens.Bearer, budget: Budget) -> Response:
        if self.state.flag("rate_counts_429"):
            limits.spend(self.state, bearer.token_id)
        kind = self.state.word("rate_limit_type")
        response = {
            "json": json_response(429, {"error": {"type": kind, "message": "Rate limit exceeded"}}),
            "html": Response(429, b"<h1>Too many requests</h1>", (("Content-Type", "text/html"),)),
            "empty": Response(429),
        }[self.state.word("rate_error_body")]
        wait = budget.retry_after(form=self.state.word("retry_after_format"))
        return response.with_headers(("Retry-After", wait), *budget.headers())

    def _within_limit(self, entry: Entry, bearer: tokens.Bearer) -> Response:
        try:
            with self.state.transaction():
                version = self._version(entry.request)
                response = self._act(entry.request, bearer)
        except Refusal as refusal:
            self._note(refusal)
            return _refused(refusal)
        return response.with_headers(("X-API-VERSION", version))

    def _version(self, request: Request) -> str:
        version = request.headers.get("x-api-version") or VERSION
        if version not in _VERSIONS:
            raise Refusal(410, self.state.word("gone_type"), f"The API version {version} is not available")
        return version

    def _act(self, request: Request, bearer: tokens.Bearer) -> Response:
        found = routes.find(request.method, request.path)
        if found is None:
            raise Refusal(404, self.state.word("not_found_type"), "This path is not part of the sandbox")
        route, ids = found
        if route.permission and not bearer.may(route.permission, write=route.writes):
            raise forbidden()
        return route.act(Call(self.state, request, bearer, ids))

    def _note(self, refusal: Refusal) -> None:
        """A planned timeout of the confirmation is used up although the act itself was undone."""
        if refusal.kind == "UploadTimeoutError":
            self.state.set_switches({"confirm_times_out": int(self.state.number("confirm_times_out")) - 1})

    def _deauthorize(self, entry: Entry) -> Response:
        try:
            return oauth.deauthorize(self.state, self._bearer(entry), entry.request)
        except Refusal as refusal:
            return _refused(refusal)
        except BadToken:
            return _bad_token()


def _nowhere(_state: State, _request: Request, _entry: Entry) -> Response:
    return json_response(404, {"error": "not_found", "error_description": "There is no such endpoint."})


def _refused(refusal: Refusal) -> Response:
    return json_response(refusal.status, {"error": {"type": refusal.kind, "message": refusal.message}})


def _bad_token() -> Response:
    body = {"error": "invalid_token", "error_description": BadToken.DESCRIPTION}
    return json_response(401, body, ("WWW-Authenticate", _REALM.format(BadToken.DESCRIPTION)))
