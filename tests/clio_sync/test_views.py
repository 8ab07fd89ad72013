from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clio_sync import parking
from clio_sync.models import Connection
from portal.accounts.models import User
from tests import factories
from tests.cast import Cast
from tests.clio_sync.consenting import connect
from tests.sandbox_process import BOB, SandboxProcess

SignIn = Callable[[User], Client]

PAGES = [
    ("get", "connections"),
    ("get", "mine"),
    ("get", "connect"),
    ("get", "connect_mine"),
    ("get", "callback"),
]
ACTS = [("post", "connect"), ("post", "connect_mine")]
ON_ONE = [
    ("post", "test"),
    ("post", "reconnect"),
    ("post", "make_default"),
    ("get", "disconnect"),
    ("post", "disconnect"),
]
ADMINS_ONLY = {"connections", "connect", "make_default"}
REVIEWERS_ONLY = {"mine", "connect_mine"}


@pytest.fixture
def link(cast: Cast) -> Connection:
    return factories.connection(connected_by=cast.dana, is_default=True)


def ask(browser: Client, method: str, name: str, link: Connection | None = None) -> Any:
    address = reverse(f"clio_sync:{name}", args=[link.pk] if link else [])
    return getattr(browser, method)(address)


def every_route(link: Connection) -> list[tuple[str, str, Connection | None]]:
    return [(*one, None) for one in (*PAGES, *ACTS)] + [(*one, link) for one in ON_ONE]


def untouched(link: Connection) -> bool:
    before = vars(link) | {"_state": None}
    return (vars(Connection.objects.get(pk=link.pk)) | {"_state": None}) == before


def test_anonymous_people_are_asked_to_sign_in_everywhere(client: Client, link: Connection) -> None:
    for method, name, one in every_route(link):
        answer = ask(client, method, name, one)
        assert answer.status_code == 302, name
        assert answer.headers["Location"].startswith("/account/login/"), name
    assert untouched(link)


def test_the_code_is_not_carried_through_a_sign_in(client: Client, db: None) -> None:
    answer = client.get("/clio/callback", {"code": "canary-d04e-code", "state": "canary-e15f-state"})
    assert answer.status_code == 302
    assert "canary" not in answer.headers["Location"]


@pytest.mark.parametrize("name", ["mallory", "carol", "erin"])
def test_whoever_is_neither_admin_nor_reviewer_is_refused_everywhere(
    name: str, cast: Cast, sign_in: SignIn, link: Connection
) -> None:
    browser = sign_in(getattr(cast, name))
    for method, route, one in every_route(link):
        assert ask(browser, method, route, one).status_code == 403, route
    assert untouched(link)


def test_a_reviewer_finds_no_connection_but_their_own(cast: Cast, sign_in: SignIn, link: Connection) -> None:
    bobs = factories.connection(connected_by=cast.bob, owner=cast.bob, clio_user_id=BOB)
    browser = sign_in(cast.alice)
    for method, route in ON_ONE:
        for one in (link, bobs, Connection(pk=uuid.uuid4())):
            answer = ask(browser, method, route, one)
            assert answer.status_code == (403 if route in ADMINS_ONLY else 404), route
    for route in ADMINS_ONLY - {"make_default"}:
        assert ask(browser, "get", route).status_code == 403, route
    assert untouched(link)
    assert untouched(bobs)


def test_being_admin_does_not_open_the_lawyers_pages(cast: Cast, sign_in: SignIn) -> None:
    browser = sign_in(cast.dana)
    for route in REVIEWERS_ONLY:
        assert ask(browser, "get", route).status_code == 403


def test_an_admin_cannot_reconnect_a_lawyers_own_connection(cast: Cast, sign_in: SignIn) -> None:
    bobs = factories.connection(connected_by=cast.bob, owner=cast.bob)
    browser = sign_in(cast.dana)
    assert ask(browser, "post", "reconnect", bobs).status_code == 403
    assert f"/clio/{bobs.pk}/reconnect/" not in browser.get("/clio/").content.decode()


@pytest.mark.parametrize("name", ["connect", "reconnect", "make_default", "disconnect"])
def test_an_act_needs_a_recent_sign_in_and_is_not_replayed(
    name: str, cast: Cast, sign_in: SignIn, link: Connection
) -> None:
    browser = sign_in(cast.dana)
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 3600
    session.save()
    address = reverse(f"clio_sync:{name}", args=[] if name == "connect" else [link.pk])
    answer = browser.post(address, {"region": "sandbox", "back_to": "/clio/"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/account/reauthenticate/?next=%2Fclio%2F"
    assert untouched(link)


def test_acts_refuse_posts_without_a_csrf_token(cast: Cast, sign_in: SignIn, link: Connection) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = sign_in(cast.dana).cookies
    for method, name in (*ACTS, *ON_ONE):
        if method == "post":
            one = link if (method, name) in ON_ONE else None
            assert ask(browser, "post", name, one).status_code == 403, name
    assert untouched(link)


@pytest.mark.parametrize("name", ["test", "reconnect", "make_default"])
def test_looking_never_acts(name: str, cast: Cast, sign_in: SignIn, link: Connection) -> None:
    assert ask(sign_in(cast.dana), "get", name, link).status_code == 405


def test_the_list_says_what_an_admin_needs_to_know(
    cast: Cast, sign_in: SignIn, clio_sandbox: SandboxProcess
) -> None:
    browser = sign_in(cast.dana)
    link = connect(browser, clio_sandbox)
    link.last_error = "Clio could not be reached."
    link.last_error_at = link.last_call_at = timezone.now()
    link.save()
    page = browser.get("/clio/").content.decode()
    shown = [link.account_name, link.clio_user_name, "Sandbox (rehearsal)", "Connected", "Default"]
    shown += [f"{link.expires_at:%Y}", "Dana", "Clio could not be reached.", "Last call"]
    assert [words for words in shown if words not in re.sub(r"&amp;", "&", page)] == []
    assert clio_sandbox.api_url not in page


def test_a_broken_connection_says_what_waits_for_it(cast: Cast, sign_in: SignIn) -> None:
    link = factories.connection(connected_by=cast.dana, status="needs_reconnecting")
    browser = sign_in(cast.dana)
    assert "what is approved now waits" in browser.get("/clio/").content.decode()
    row = factories.draft(submitter=cast.carol, place=factories.destination(link))
    factories.approved(row, by=cast.alice)
    parking.park_deliveries(link, reason="grant_revoked")
    page = browser.get("/clio/").content.decode()
    assert "1 delivery waits for it and goes on by itself once it is reconnected" in page
    assert "1 approved document is" in browser.get(f"/clio/{link.pk}/disconnect/").content.decode()


def test_an_empty_list_says_what_to_do(cast: Cast, sign_in: SignIn, clio_sandbox: SandboxProcess) -> None:
    page = sign_in(cast.dana).get("/clio/").content.decode()
    assert "Clio is not connected yet" in page
    assert 'value="sandbox"' in page
    assert "CLIO_US_CLIENT_ID" in page
    assert "http://localhost/clio/callback" in page


def test_firms_with_no_default_are_told(cast: Cast, sign_in: SignIn) -> None:
    factories.connection(connected_by=cast.dana)
    assert "No connection is the default" in sign_in(cast.dana).get("/clio/").content.decode()


def test_testing_disconnecting_and_preferring_from_the_pages(
    cast: Cast, sign_in: SignIn, clio_sandbox: SandboxProcess
) -> None:
    browser = sign_in(cast.dana)
    first, second = connect(browser, clio_sandbox), connect(browser, clio_sandbox, user_id=BOB)
    assert "Clio answers: " in browser.post(f"/clio/{first.pk}/test/", follow=True).content.decode()
    assert "is the default now" in browser.post(f"/clio/{second.pk}/default/", follow=True).content.decode()
    asked = browser.get(f"/clio/{second.pk}/disconnect/").content.decode()
    assert "This is the default connection" in asked
    ended = browser.post(f"/clio/{second.pk}/disconnect/", follow=True).content.decode()
    assert "is disconnected" in ended
    assert "Connect again" in ended
    assert "No connection is the default" in ended
    assert len(clio_sandbox.calls(route="oauth.deauthorize", status=200)) == 1


def test_a_disconnect_that_clio_did_not_hear_of_is_told(
    cast: Cast, sign_in: SignIn, clio_sandbox: SandboxProcess
) -> None:
    browser = sign_in(cast.dana)
    link = connect(browser, clio_sandbox)
    clio_sandbox.fault("oauth.deauthorize", "status", status=503)
    ended = browser.post(f"/clio/{link.pk}/disconnect/", follow=True).content.decode()
    assert "Clio did not confirm it" in ended


def test_a_lawyer_sees_and_ends_their_own_connection(
    cast: Cast, sign_in: SignIn, clio_sandbox: SandboxProcess
) -> None:
    browser = sign_in(cast.alice)
    assert "You have not connected Clio yourself" in browser.get("/clio/mine/").content.decode()
    own = connect(browser, clio_sandbox, start="/clio/mine/connect/")
    assert own.clio_user_name in browser.get("/clio/mine/").content.decode()
    page = browser.post(f"/clio/{own.pk}/disconnect/", follow=True).content.decode()
    assert "You have not connected Clio yourself" in page
    own.refresh_from_db()
    assert own.status == Connection.Status.DISCONNECTED


def test_names_from_clio_are_only_text(cast: Cast, sign_in: SignIn) -> None:
    factories.connection(
        connected_by=cast.dana, account_name="<script>alert(1)</script>", clio_user_name="{{ 7|add:7 }}"
    )
    page = sign_in(cast.dana).get("/clio/").content.decode()
    assert "<script>alert" not in page
    assert "{{ 7|add:7 }}" in page


@pytest.mark.parametrize(("name", "sees_it"), [("dana", True), ("alice", False), ("mallory", False)])
def test_the_banner_meets_whoever_can_mend_the_connection(
    name: str, sees_it: bool, cast: Cast, sign_in: SignIn
) -> None:
    factories.connection(connected_by=cast.dana, status="needs_reconnecting", account_name="Okafor LLP")
    page = sign_in(getattr(cast, name)).get("/me/").content.decode()
    assert ("The Clio connection to Okafor LLP needs reconnecting" in page) is sees_it


def test_the_list_takes_few_queries(cast: Cast, sign_in: SignIn, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        owner = cast.bob if number % 2 else None
        factories.connection(connected_by=cast.dana, clio_user_id=number + 1, owner=owner)
    browser = sign_in(cast.dana)
    with django_assert_max_num_queries(12):
        browser.get("/clio/")
