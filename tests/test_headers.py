"""The headers of every answer: pages, refusals, redirects, files, the API, and what never reaches a view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from portal import blobs
from portal.accounts.models import User
from reviews.models import Version
from tests.cast import Cast
from tests.crawling import Firm, firm, names, path
from tests.reviews.formats.made import pdf

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
PREVIEWS = {"reviews:preview"}


@pytest.fixture
def place(cast: Cast) -> Firm:
    return firm(cast)


def is_well_dressed(answer: Any, *, framed: bool = False, kept: bool = False) -> None:
    """`framed`: our own pages may show it in a frame. `kept`: it is no secret, so a browser may keep it."""
    headers = answer.headers
    policy = headers.get("Content-Security-Policy", "")
    assert headers.get("X-Content-Type-Options") == "nosniff"
    assert headers.get("Referrer-Policy") in {"same-origin", "no-referrer"}
    assert headers.get("Cross-Origin-Opener-Policy") == "same-origin"
    assert headers.get("Cross-Origin-Resource-Policy") == "same-origin"
    assert headers.get("Permissions-Policy")
    assert headers.get("X-Frame-Options") == ("SAMEORIGIN" if framed else "DENY")
    assert "default-src 'none'" in policy
    assert ("frame-ancestors 'self'" if framed else "frame-ancestors 'none'") in policy
    assert "unsafe" not in policy
    assert kept or "no-store" in headers.get("Cache-Control", "")


@pytest.mark.parametrize("who", ["", "mallory", "alice", "carol", "dana", "erin"])
def test_every_address_answers_with_all_headers(
    place: Firm, client: Client, sign_in: SignIn, who: str
) -> None:
    if who:
        sign_in(getattr(place.cast, who))
    for name in names():
        if name == "account_logout":
            continue
        answer = client.get(path(name, place))
        is_well_dressed(answer, framed=name in PREVIEWS and answer.status_code == 200)
        is_well_dressed(client.post(path(name, place), {"version_id": "x"}))


def test_files_and_pictures_of_a_draft_have_them_too(place: Firm, sign_in: SignIn) -> None:
    """No browser keeps them either: they are as privileged as the page they stand on."""
    blob = blobs.store([pdf()], limit=1_000_000)
    shown = Version.objects.create(
        draft=place.draft,
        number=3,
        sha256=blob.sha256,
        size=blob.size,
        media_type="application/pdf",
        file_name="Offer.pdf",
        page_count=1,
        made_by=place.cast.carol,
    )
    client = sign_in(place.cast.alice)
    download = client.get(f"/drafts/{place.draft.pk}/v{shown.number}/download/")
    picture = client.get(f"/drafts/{place.draft.pk}/v{shown.number}/page/1.png")
    for answer, kind in ((download, "application/octet-stream"), (picture, "image/png")):
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
        is_well_dressed(answer)


def test_a_refused_form_has_them(cast: Cast) -> None:
    answer = Client(enforce_csrf_checks=True).post("/account/login/", {"login": cast.dana.email})
    assert answer.status_code == 403
    is_well_dressed(answer)


@pytest.mark.parametrize("address", ["/nothing/", "/static/nothing.css", "/api/v1/nothing", "/drafts/7/"])
def test_what_is_not_there_has_them(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    is_well_dressed(answer)


def test_static_files_have_them_and_may_be_kept(client: Client, settings: Settings) -> None:
    settings.WHITENOISE_AUTOREFRESH = True
    settings.WHITENOISE_USE_FINDERS = True
    answer = Client().get("/static/css/base.css")
    assert answer.status_code == 200
    is_well_dressed(answer, kept=True)


def test_a_strange_host_gets_them(client: Client) -> None:
    answer = client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    is_well_dressed(answer)


def test_the_way_to_https_has_them(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get("/account/login/")
    assert answer.status_code == 301
    is_well_dressed(answer)


def test_a_broken_page_has_them(place: Firm, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(place.cast.alice)
    client.raise_request_exception = False
    monkeypatch.setattr("reviews.queue.counts", lambda *args: 1 / 0)
    answer = client.get("/")
    assert answer.status_code == 500
    is_well_dressed(answer)


def test_a_body_that_cannot_be_a_draft_is_refused_unread(
    place: Firm, client: Client, settings: Settings
) -> None:
    settings.MAX_DRAFT_BYTES = 1024
    for address in ("/account/login/", "/drafts/new/", "/api/v1/drafts"):
        answer = client.generic(
            "POST", address, b"", content_type="multipart/form-data; boundary=b", CONTENT_LENGTH="1050001"
        )
        assert answer.status_code == 413
        is_well_dressed(answer)
    assert (
        client.post("/api/v1/drafts", b"", content_type="a/b", CONTENT_LENGTH="9" * 40).json()["code"]
        == "too_large"
    )


def test_signing_out_clears_what_the_browser_kept(place: Firm, sign_in: SignIn) -> None:
    answer = sign_in(place.cast.alice).post("/account/logout/")
    assert answer.status_code == 302
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    is_well_dressed(answer)
