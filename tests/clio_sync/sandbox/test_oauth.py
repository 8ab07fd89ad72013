from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox_process import ALICE, BOB, SandboxProcess

BACK = "http://127.0.0.1:9/clio/callback"
WHO = "/api/v4/users/who_am_i.json"


def token(sandbox: SandboxProcess, **form: str) -> httpx.Response:
    whole = {"client_id": "sandbox-app", "client_secret": "sandbox-secret", **form}
    sent = {name: value for name, value in whole.items() if value}
    return sandbox.http.post(f"{sandbox.api_url}/oauth/token", data=sent)


def code(sandbox: SandboxProcess, user_id: int = ALICE) -> str:
    answer = sandbox.decide(sandbox.authorize_url(BACK, state="s1"), user_id=user_id)
    return sandbox.returned(answer)["code"]


def exchange(sandbox: SandboxProcess, given: str, redirect_uri: str = BACK) -> httpx.Response:
    return token(sandbox, grant_type="authorization_code", code=given, redirect_uri=redirect_uri)


def refresh(sandbox: SandboxProcess, given: str) -> httpx.Response:
    return token(sandbox, grant_type="refresh_token", refresh_token=given)


def who(sandbox: SandboxProcess, access_token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {access_token}"}
    return sandbox.http.get(
        f"{sandbox.api_url}{WHO}", headers=headers, params={"fields": "id,account{id,name}"}
    )


def test_allowing_leads_to_tokens_of_the_chosen_user(sandbox: SandboxProcess) -> None:
    back = sandbox.returned(sandbox.decide(sandbox.authorize_url(BACK, state="n8Qd"), user_id=BOB))
    issued = exchange(sandbox, back["code"]).json()

    assert back["state"] == "n8Qd"
    assert issued["token_type"] == "bearer"
    assert issued["expires_in"] == 2592000
    account = {"id": 88120, "name": "Harrow & Quill LLP"}
    assert who(sandbox, issued["access_token"]).json() == {"data": {"id": BOB, "account": account}}


def test_the_page_names_the_account_the_people_and_the_permissions(sandbox: SandboxProcess) -> None:
    page = sandbox.http.get(sandbox.authorize_url(BACK))

    for words in (
        "Harrow &amp; Quill LLP",
        "Alice Harrow",
        "Bob Quill",
        "Priya Raman",
        "documents",
        "Decline",
    ):
        assert words in page.text
    assert "unsafe-inline" not in page.headers["content-security-policy"]
    assert "form-action 'self' http://127.0.0.1:9" in page.headers["content-security-policy"]


def test_declining_comes_back_only_when_asked_to(sandbox: SandboxProcess) -> None:
    asked = sandbox.authorize_url(BACK, state="s", redirect_on_decline="true")
    back = sandbox.decide(asked, decision="decline")
    stays = sandbox.decide(sandbox.authorize_url(BACK, state="s"), decision="decline")

    assert sandbox.returned(back) == {"error": "access_denied", "state": "s"}
    assert stays.status_code == 200
    assert "You declined" in stays.text


@pytest.mark.parametrize(
    "query",
    [
        {"client_id": "someone-else"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1@evil.example/callback"},
        {"redirect_uri": ""},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://[::1"},
    ],
)
def test_a_stranger_is_never_redirected(sandbox: SandboxProcess, query: dict[str, str]) -> None:
    answer = sandbox.http.get(sandbox.authorize_url(BACK, **query))

    assert answer.status_code == 401
    assert "location" not in answer.headers
    assert "<form" not in answer.text


def test_a_registered_address_must_match_exactly(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/app", {"redirect_uris": ["https://portal.example/clio/callback"]})
    exact = sandbox.http.get(sandbox.authorize_url("https://portal.example/clio/callback"))
    longer = sandbox.http.get(sandbox.authorize_url("https://portal.example/clio/callback/"))
    loopback = sandbox.http.get(sandbox.authorize_url(BACK))
    sandbox.control("POST", "/app", {"redirect_uris": ["loopback"]})

    assert [exact.status_code, longer.status_code, loopback.status_code] == [200, 401, 401]


def test_another_response_type_is_refused_at_the_application(sandbox: SandboxProcess) -> None:
    answer = sandbox.http.get(sandbox.authorize_url(BACK, response_type="token", state="s"))

    assert sandbox.returned(answer) == {"error": "unsupported_response_type", "state": "s"}


def test_a_consent_page_works_once(sandbox: SandboxProcess) -> None:
    form = {"request": "made-up", "user_id": str(ALICE), "decision": "allow"}

    assert sandbox.http.post(f"{sandbox.api_url}/oauth/authorize", data=form).status_code == 400


def test_a_code_is_good_once_and_its_second_use_ends_the_grant(sandbox: SandboxProcess) -> None:
    given = code(sandbox)
    first = exchange(sandbox, given).json()
    again = exchange(sandbox, given)

    assert again.status_code == 400
    assert again.json()["error"] == "invalid_grant"
    assert who(sandbox, first["access_token"]).status_code == 401


def test_a_code_lives_ten_minutes(sandbox: SandboxProcess) -> None:
    young, old = code(sandbox), code(sandbox)
    sandbox.advance(599)
    in_time = exchange(sandbox, young)
    sandbox.advance(2)

    assert in_time.status_code == 200
    assert exchange(sandbox, old).json()["error"] == "invalid_grant"


def test_a_code_is_bound_to_its_redirect_address(sandbox: SandboxProcess) -> None:
    assert exchange(sandbox, code(sandbox), "http://127.0.0.1:9/other").json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        (
            {"grant_type": "refresh_token", "refresh_token": "x", "client_secret": "wrong"},
            401,
            "invalid_client",
        ),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "other"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({}, 400, "invalid_request"),
    ],
)
def test_token_errors_are_those_of_the_standard(
    sandbox: SandboxProcess, form: dict[str, str], status: int, error: str
) -> None:
    answer = token(sandbox, **form)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_json_body_is_not_a_form(sandbox: SandboxProcess) -> None:
    form = {"client_id": "sandbox-app", "client_secret": "sandbox-secret", "grant_type": "refresh_token"}

    assert sandbox.http.post(f"{sandbox.api_url}/oauth/token", json=form).json()["error"] == "invalid_request"


def test_refreshing_gives_an_access_token_and_keeps_the_refresh_token(sandbox: SandboxProcess) -> None:
    first = exchange(sandbox, code(sandbox)).json()
    second = refresh(sandbox, first["refresh_token"]).json()
    third = refresh(sandbox, first["refresh_token"])

    assert "refresh_token" not in second
    assert third.status_code == 200
    assert (
        who(sandbox, first["access_token"]).status_code
        == who(sandbox, second["access_token"]).status_code
        == 200
    )


def test_rotation_can_be_switched_on(sandbox: SandboxProcess) -> None:
    first = sandbox.tokens()
    sandbox.switch(refresh_rotation="kill", refresh_reuse_kills_grant=True)
    second = refresh(sandbox, first["refresh_token"]).json()
    reused = refresh(sandbox, first["refresh_token"])

    assert second["refresh_token"] != first["refresh_token"]
    assert reused.json()["error"] == "invalid_grant"
    assert refresh(sandbox, second["refresh_token"]).status_code == 400  # the reuse ended the whole grant


def test_an_access_token_expires(sandbox: SandboxProcess) -> None:
    sandbox.switch(access_token_seconds=60)
    issued = sandbox.tokens()
    sandbox.advance(61)
    answer = who(sandbox, issued["access_token"])

    assert answer.status_code == 401
    assert answer.json() == {
        "error": "invalid_token",
        "error_description": "The access token provided is expired, revoked, malformed"
        " or invalid for other reasons.",
    }
    assert answer.headers["www-authenticate"].startswith('Bearer realm="')
    assert refresh(sandbox, issued["refresh_token"]).status_code == 200


def test_without_a_token_the_401_has_the_other_shape(sandbox: SandboxProcess) -> None:
    answer = sandbox.http.get(f"{sandbox.api_url}{WHO}")

    assert answer.status_code == 401
    assert answer.json() == {"error": {"type": "UnauthorizedError", "message": "User is not authorized"}}
    assert "x-ratelimit-limit" not in answer.headers


def test_deauthorizing_ends_both_tokens(sandbox: SandboxProcess) -> None:
    issued = sandbox.tokens()
    answer = deauthorize(sandbox, issued)

    assert (answer.status_code, answer.content) == (200, b"")
    assert who(sandbox, issued["access_token"]).status_code == 401
    assert refresh(sandbox, issued["refresh_token"]).json()["error"] == "invalid_grant"


def deauthorize(sandbox: SandboxProcess, issued: dict[str, Any]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    form = {"token": issued["access_token"]}
    return sandbox.http.post(f"{sandbox.api_url}/oauth/deauthorize", data=form, headers=headers)


def test_deauthorizing_may_leave_the_refresh_token(sandbox: SandboxProcess) -> None:
    sandbox.switch(deauthorize_ends_refresh=False)
    issued = sandbox.tokens()
    deauthorize(sandbox, issued)

    assert who(sandbox, issued["access_token"]).status_code == 401
    assert refresh(sandbox, issued["refresh_token"]).status_code == 200


def test_removing_the_app_in_clio_ends_that_users_grant_alone(sandbox: SandboxProcess) -> None:
    alice, bob = sandbox.tokens(ALICE), sandbox.tokens(BOB)
    sandbox.act("revoke_grant", user_id=ALICE)

    assert who(sandbox, alice["access_token"]).status_code == 401
    assert refresh(sandbox, alice["refresh_token"]).status_code == 400
    assert who(sandbox, bob["access_token"]).status_code == 200


def test_changed_permissions_wait_for_the_next_consent(sandbox: SandboxProcess) -> None:
    before = sandbox.tokens()["access_token"]
    sandbox.control("POST", "/app", {"permissions": {"documents": "write"}})
    after = sandbox.tokens()["access_token"]
    users = f"{sandbox.api_url}/api/v4/users"
    answers = [
        sandbox.http.get(users, headers={"Authorization": f"Bearer {held}"}) for held in (before, after)
    ]
    sandbox.control(
        "POST", "/app", {"permissions": {"users": "read", "matters": "read", "documents": "write"}}
    )

    assert [answer.status_code for answer in answers] == [200, 403]
    assert answers[1].json()["error"]["type"] == "ForbiddenError"


def test_no_secret_reaches_the_ledger(sandbox: SandboxProcess) -> None:
    given = code(sandbox)
    issued = exchange(sandbox, given).json()
    refresh(sandbox, issued["refresh_token"])
    who(sandbox, issued["access_token"])
    kept = str(sandbox.calls())
    raw = b"".join(path.read_bytes() for path in sandbox.data.glob("sandbox.sqlite3*"))

    for secret in (given, issued["access_token"], issued["refresh_token"]):
        assert secret not in kept
        assert secret.encode() not in raw
