"""Getting, renewing and giving back access to a Clio account. The protocol only: nothing is stored here.

Clio Manage knows the authorization code grant and refresh tokens that neither expire nor rotate
(docs.developers.clio.com/api-docs/clio-manage/authorization/). OAuth lives on the same regional host as the
API. There is no scope parameter: permissions belong to the app's registration at Clio.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from clio_sync.api import errors, exchange
from clio_sync.api.errors import ClioError, ClioSurprised, Unreachable
from clio_sync.api.exchange import Answer, Call
from clio_sync.api.outbound import API_SECONDS, SILENCE, only_origin, outbound_client
from clio_sync.api.reading import Fields, Surprise
from clio_sync.api.regions import checked_origin
from clio_sync.api.secret import Secret

Form = Mapping[str, Secret | str]

REFRESH_SECONDS: Final = 10.0
"""Longest pause of a renewal's answer, and longest reading of its body. It can be repeated, so it gives up
early: others wait for it.
"""

LONGEST_LIFE: Final = 2_592_000
"""Seconds: the thirty days Clio documents. A longer life is not believed."""

ASSUMED_LIFE: Final = 3600
"""Seconds, when Clio does not say how long a token lives or says something absurd: renewing early is
harmless.
"""


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """The portal's registration at one region of Clio."""

    origin: str
    client_id: str
    client_secret: Secret
    sandbox: bool = False

    def url(self, path: str) -> str:
        return f"{checked_origin(self.origin, sandbox=self.sandbox)}/oauth/{path}"


@dataclass(frozen=True, slots=True)
class Tokens:
    access_token: Secret
    refresh_token: Secret | None
    """None when Clio sent none, as it does on refresh: keep the old one."""
    expires_in: int
    """Seconds from the answer, at most thirty days."""


def authorize_url(app: OAuthApp, *, redirect_uri: str, state: str) -> str:
    """Where to send the browser. Clio comes back to `redirect_uri` with `code` and `state`, or with
    `error=access_denied` when the person declines.

    `redirect_on_decline` makes sure of the latter; without it a person who declines is left at Clio.
    """
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "redirect_on_decline": "true",
    }
    return str(httpx.URL(app.url("authorize"), params=query))


def exchange_code(
    app: OAuthApp, *, code: Secret, redirect_uri: str, transport: httpx.BaseTransport | None = None
) -> Tokens:
    """Tokens for the code of the callback, which lives ten minutes and is good once.

    Raises GrantRevoked for a code that is stale, used or another app's, and ClioSurprised when no refresh
    token came along. After an ambiguous error the code may be spent: start again.
    """
    form: Form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    tokens = _token(app, form, transport)
    if tokens.refresh_token is None:
        raise ClioSurprised(
            "refresh_token", "is missing", status=200, route="POST oauth/token", ambiguous=True
        )
    return tokens


def refresh(app: OAuthApp, *, refresh_token: Secret, transport: httpx.BaseTransport | None = None) -> Tokens:
    """A new access token. Safe to repeat. Save `refresh_token` when one comes back, else keep the old one.

    Raises GrantRevoked when the person or the firm has withdrawn the permission.
    """
    form: Form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return _token(app, form, transport, seconds=REFRESH_SECONDS)


def deauthorize(app: OAuthApp, *, access_token: Secret, transport: httpx.BaseTransport | None = None) -> None:
    """Give the access back. TokenRejected means it was gone already."""
    call = Call("POST", "oauth/deauthorize", app.url("deauthorize"), form={"token": access_token})
    error = exchange.failure(_send(app, call, transport, token=access_token))
    if error is not None:
        raise error


def _token(
    app: OAuthApp, form: Form, transport: httpx.BaseTransport | None, *, seconds: float = API_SECONDS
) -> Tokens:
    credentials: Form = {"client_id": app.client_id, "client_secret": app.client_secret}
    call = Call("POST", "oauth/token", app.url("token"), form={**credentials, **form})
    answer = _send(app, call, transport, seconds=seconds)
    error = _failure(answer)
    if error is not None:
        raise error
    tokens = exchange.read(answer, _tokens)
    if isinstance(tokens, ClioSurprised):
        raise tokens
    return tokens


def _send(
    app: OAuthApp,
    call: Call,
    transport: httpx.BaseTransport | None,
    *,
    token: Secret | None = None,
    seconds: float = API_SECONDS,
) -> Answer:
    timeout = httpx.Timeout(min(seconds, SILENCE), connect=5.0, pool=5.0)
    with outbound_client(only_origin(app.origin), transport=transport, timeout=timeout) as http:
        outcome = exchange.send(http, call, token, seconds=seconds)
    if isinstance(outcome, Unreachable):
        raise outcome
    return outcome


def _failure(answer: Answer) -> ClioError | None:
    """As RFC 6749 says: the word in `error` decides, and its description is anyone's wording."""
    error = exchange.failure(answer)
    if error is None:
        return error
    kind = _KINDS.get(error.error_type) or (errors.AppRejected if answer.status == 401 else None)
    if kind is None or answer.status >= 500:
        return error
    return kind(
        status=answer.status, error_type=error.error_type, request_id=error.request_id, route=error.route
    )


_KINDS: Final[dict[str, type[ClioError]]] = {
    "invalid_grant": errors.GrantRevoked,
    "invalid_client": errors.AppRejected,
    "unauthorized_client": errors.AppRejected,
}


def _tokens(body: Fields) -> Tokens:
    kind = body.maybe_text("token_type") or "bearer"
    if kind.lower() != "bearer":
        body.surprise("token_type", "is not bearer")
    return Tokens(
        access_token=_secret(body, "access_token"),
        refresh_token=_secret(body, "refresh_token") if body.has("refresh_token") else None,
        expires_in=_life(body),
    )


def _secret(body: Fields, name: str) -> Secret:
    value = Secret(body.text(name))
    if not re.fullmatch(r"[!-~]{1,4096}", value.reveal()):
        body.surprise(name, "cannot be a token")
    return value


def _life(body: Fields) -> int:
    """Lenient on purpose: a good token is not thrown away over a strange number beside it."""
    try:
        seconds = body.maybe_number("expires_in") or ASSUMED_LIFE
    except Surprise:
        return ASSUMED_LIFE
    return min(seconds, LONGEST_LIFE)
