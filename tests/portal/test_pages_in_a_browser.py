"""Pages as a person meets them: axe, both colour schemes, narrow and wide, and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from tests.browser import View, accessibility_faults, looking, sideways_scroll, sign_in
from tests.cast import Cast
from tests.portal.accounts.seed import office

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

VIEWS = [View(1280, "light"), View(1280, "dark"), View(390, "light"), View(390, "dark"), View(320, "light")]
SIGNED_OUT = ["/account/login/", "/account/password/reset/", "/account/signup/", "/nothing/"]
SIGNED_IN = [
    "/design/",
    "/people/",
    "/people/?show=off",
    "/people/?q=nobody",
    "/people/add/",
    "/keys/",
    "/keys/?show=revoked",
    "/keys/add/",
    "/me/",
    "/account/password/change/",
    "/account/reauthenticate/",
    "/account/logout/",
    "/nothing/",
]


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_axe_holds_nothing_against_the_pages(
    chromium: Browser, live_server: LiveServer, cast: Cast, view: View
) -> None:
    for name in ("alice", "bob", "carol", "dana", "erin", "mallory"):
        getattr(cast, name)
    office()
    with looking(chromium, view, base_url=live_server.url) as page:
        blocked: list[str] = []
        page.on(
            "console", lambda said: blocked.append(said.text) if "Content Security" in said.text else None
        )
        faults = {}
        for path in SIGNED_OUT:
            page.goto(path)
            faults[path] = accessibility_faults(page), sideways_scroll(page)
        sign_in(page, cast.dana.email)
        for path in [*SIGNED_IN, f"/people/{cast.carol.pk}/"]:
            page.goto(path)
            faults[f"{path} signed in"] = accessibility_faults(page), sideways_scroll(page)
    assert {path: found for path, found in faults.items() if found != ([], 0)} == {}
    assert blocked == []


def test_a_key_is_revoked_in_a_dialog(chromium: Browser, live_server: LiveServer, cast: Cast) -> None:
    cast.carol, cast.dana  # noqa: B018
    office()
    with looking(chromium, View(390, "dark"), base_url=live_server.url) as page:
        sign_in(page, cast.dana.email)
        page.goto("/keys/")
        page.get_by_role("button", name="Revoke Engagement letters").click()
        dialog = page.get_by_role("dialog")
        assert accessibility_faults(page) == []
        dialog.get_by_role("link", name="Cancel").click()
        assert not dialog.is_visible()
        page.get_by_role("button", name="Revoke Engagement letters").click()
        dialog.get_by_role("button", name="Revoke").click()
        page.get_by_text("is revoked. Programs that use it are refused from now on.").wait_for()


def test_everything_works_without_a_script(chromium: Browser, live_server: LiveServer, cast: Cast) -> None:
    cast.carol, cast.dana  # noqa: B018
    office()
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, cast.dana.email)
    page.goto("/keys/")
    page.get_by_role("link", name="Revoke Engagement letters").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    assert "is revoked." in page.content()
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/me/")
    assert "/account/login/" in page.url
    context.close()


def test_the_keyboard_reaches_the_content_first(
    chromium: Browser, live_server: LiveServer, cast: Cast
) -> None:
    with looking(chromium, View(), base_url=live_server.url) as page:
        sign_in(page, cast.dana.email)
        page.goto("/people/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
