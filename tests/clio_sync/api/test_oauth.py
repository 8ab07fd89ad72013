"""Consent, tokens and giving them back: in Clio's shapes, and careful with what comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from clio_sync.api import Secret, errors, oauth
from clio_sync.api.oauth import OAuthApp
from tests.clio_sync.api.clio_script import answer, example, script

APP = OAuthApp("https://app.clio.com", "APPKEY123", Secret("APPSECRET456"))
CALLBACK = "https://portal.example.test/clio/callback"
REFRESH = Secret("EXAMPLErefreshTOKENnotreal")


def assert_same_form(sent: httpx.Request, sample: dict[str, Any]) -> None:
    assert (sent.method, sent.url.host, sent.url.path) == (sample["method"], sample["host"], sample["path"])
    assert dict(parse_qsl(sent.content.decode())) == sample["body"]
    for name, value in sample["headers"].items():
        assert sent.headers[name] == value
    assert ("authorization" in sent.headers) == ("Authorization" in sample["headers"])


def tokens(**body: object) -> oauth.Tokens:
    told = {"token_type": "bearer", "access_token": "a", "expires_in": 60, "refresh_token": "r"} | body
    return oauth.refresh(
        APP, refresh_token=REFRESH, transport=script(httpx.Response(200, json=told)).transport
    )


def test_the_browser_is_sent_where_clio_expects_it() -> None:
    sample = example("oauth-authorize")["request"]

    address = httpx.URL(oauth.authorize_url(APP, redirect_uri=CALLBACK, state="n8Qd3vXk"))

    assert (address.host, address.path) == (sample["host"], sample["path"])
    assert dict(address.params) == sample["query"]


def test_a_code_becomes_tokens() -> None:
    clio = script(answer("oauth-token-exchange"))

    got = oauth.exchange_code(
        APP, code=Secret("3tBq9ZEXAMPLEcode"), redirect_uri=CALLBACK, transport=clio.transport
    )

    assert_same_form(clio.last, example("oauth-token-exchange")["request"])
    assert got == oauth.Tokens(Secret("7001-EXAMPLEaccessTOKENnotreal"), REFRESH, 2592000)


def test_a_refresh_keeps_the_refresh_token_clio_does_not_send_again() -> None:
    clio = script(answer("oauth-token-refresh"))

    got = oauth.refresh(APP, refresh_token=REFRESH, transport=clio.transport)

    assert_same_form(clio.last, example("oauth-token-refresh")["request"])
    assert got == oauth.Tokens(Secret("7002-EXAMPLEnewaccessTOKEN"), None, 2592000)


def test_a_refresh_token_that_does_come_is_handed_on() -> None:
    assert tokens(refresh_token="rotated").refresh_token == Secret("rotated")


def test_a_revoked_grant_needs_a_person() -> None:
    clio = script(answer("oauth-token-invalid-grant"))

    with pytest.raises(errors.GrantRevoked) as caught:
        oauth.refresh(APP, refresh_token=Secret("REVOKED"), transport=clio.transport)

    assert_same_form(clio.last, example("oauth-token-invalid-grant")["request"])
    assert isinstance(caught.value, errors.NeedsReconnect)
    assert caught.value.error_type == "invalid_grant"


def test_access_is_given_back_to_clio() -> None:
    clio = script(answer("oauth-deauthorize"))

    oauth.deauthorize(APP, access_token=Secret("7001-EXAMPLEaccessTOKENnotreal"), transport=clio.transport)

    assert_same_form(clio.last, example("oauth-deauthorize")["request"])


def test_giving_back_what_is_gone_says_so() -> None:
    with pytest.raises(errors.TokenRejected):
        oauth.deauthorize(
            APP, access_token=Secret("x"), transport=script(answer("error-401-invalid-token")).transport
        )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), errors.AppRejected),
        (httpx.Response(401, html="<html>"), errors.AppRejected),
        (httpx.Response(400, json={"error": "unauthorized_client"}), errors.AppRejected),
        (httpx.Response(400, json={"error": "invalid_request"}), errors.Invalid),
        (httpx.Response(400, json={"error": {"type": "invalid_grant", "message": "m"}}), errors.GrantRevoked),
        (httpx.Response(429, json={}, headers={"retry-after": "3"}), errors.RateLimited),
        (httpx.Response(500, json={"error": "invalid_grant"}), errors.ServerTrouble),
        (httpx.Response(503, html="<html>"), errors.ServerTrouble),
        (httpx.Response(302, headers={"location": "https://evil.example/"}), errors.ClioSurprised),
        (httpx.Response(200, html="<html>"), errors.ClioSurprised),
        (httpx.Response(200, json=[]), errors.ClioSurprised),
        (httpx.Response(200, json={"token_type": "mac", "access_token": "a"}), errors.ClioSurprised),
        (httpx.Response(200, json={"token_type": "bearer"}), errors.ClioSurprised),
        (httpx.Response(200, json={"access_token": 7}), errors.ClioSurprised),
        (httpx.Response(200, json={"access_token": "a\r\nHost: x"}), errors.ClioSurprised),
        (httpx.Response(200, json={"access_token": "a b"}), errors.ClioSurprised),
        (httpx.Response(200, json={"access_token": "ä"}), errors.ClioSurprised),
        (httpx.Response(200, json={"access_token": "a", "refresh_token": ""}), errors.ClioSurprised),
        (httpx.Response(200, json={"access_token": "a" * 5000}), errors.ClioSurprised),
    ],
)
def test_answers_of_the_token_endpoint_are_told_apart(
    told: httpx.Response, expected: type[errors.ClioError]
) -> None:
    with pytest.raises(errors.ClioError) as caught:
        oauth.refresh(APP, refresh_token=REFRESH, transport=script(told).transport)

    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("told", "believed"),
    [
        (2592000, 2592000),
        (604800, 604800),
        (1, 1),
        (10**12, oauth.LONGEST_LIFE),
        (0, oauth.ASSUMED_LIFE),
        (-5, oauth.ASSUMED_LIFE),
        ("3600", oauth.ASSUMED_LIFE),
        (None, oauth.ASSUMED_LIFE),
        (True, oauth.ASSUMED_LIFE),
        (1.5, oauth.ASSUMED_LIFE),
    ],
)
def test_a_strange_lifetime_does_not_cost_a_good_token(told: object, believed: int) -> None:
    assert tokens(expires_in=told).expires_in == believed


def test_a_code_without_a_refresh_token_is_no_connection() -> None:
    clio = script(httpx.Response(200, json={"access_token": "a"}))

    with pytest.raises(errors.ClioSurprised, match="refresh_token is missing"):
        oauth.exchange_code(APP, code=Secret("c"), redirect_uri=CALLBACK, transport=clio.transport)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.clio.com",
        "https://app.clio.com.evil.example",
        "https://app.clio.com/x",
        "",
    ],
)
def test_codes_and_secrets_go_to_clio_only(origin: str) -> None:
    clio = script(answer("oauth-token-exchange"))

    with pytest.raises(errors.AddressRefused):
        oauth.refresh(replace(APP, origin=origin), refresh_token=REFRESH, transport=clio.transport)

    assert clio.sent == []


def test_a_sandbox_may_live_anywhere_when_it_is_meant() -> None:
    clio = script(answer("oauth-token-refresh"))
    app = replace(APP, origin="http://127.0.0.1:8001", sandbox=True)

    oauth.refresh(app, refresh_token=REFRESH, transport=clio.transport)

    assert str(clio.last.url) == "http://127.0.0.1:8001/oauth/token"
