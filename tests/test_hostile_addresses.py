"""Odd words and numbers in addresses end in a page or a 404, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from portal.accounts.models import User
from tests.cast import Cast
from tests.crawling import Firm, firm

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
HUGE = "9" * 30
ENDLESS = "9" * 5000


@pytest.fixture
def place(cast: Cast) -> Firm:
    return firm(cast)


@pytest.mark.parametrize(
    ("who", "address"),
    [
        ("alice", "/?q=%00"),
        ("alice", "/?q=" + "x%20" * 400),
        ("alice", "/?matter=%00&type=%00&age=%00&tab=%00"),
        ("alice", f"/?page={ENDLESS}"),
        ("alice", "/?page=-1"),
        ("alice", "/drafts/{draft}/?version=%00"),
        ("alice", f"/drafts/{{draft}}/?version={HUGE}"),
        ("alice", f"/drafts/{{draft}}/?version={ENDLESS}"),
        ("alice", "/drafts/{draft}/?version=%D9%A3"),
        ("alice", f"/drafts/{{draft}}/v{HUGE}/preview/"),
        ("alice", f"/drafts/{{draft}}/v1/page/{HUGE}.png"),
        ("alice", f"/drafts/{{draft}}/compare/{HUGE}/1/"),
        ("carol", "/drafts/new/matters/?matter_text=%00%00%00&connection=%00"),
        ("carol", f"/drafts/new/places/?matter_id={ENDLESS}"),
        ("carol", f"/drafts/new/places/?matter_id={HUGE}"),
        ("carol", "/drafts/new/places/?matter_id=%00&connection=%00"),
        ("dana", "/people/?q=%00"),
        ("dana", f"/people/?page={ENDLESS}"),
        ("dana", f"/people/{HUGE}/"),
        ("dana", "/keys/?show=%00&page=%00"),
        ("dana", "/clio/callback?state=%00&code=%00"),
        ("erin", "/log/?about=%00&event=%00&person=%00"),
        ("erin", f"/log/?before={HUGE}"),
        ("erin", f"/log/?after={ENDLESS}"),
        ("erin", "/log/?since=0001-01-01&until=9999-12-31"),
        ("erin", f"/log/{HUGE}/"),
    ],
)
def test_no_address_breaks_a_page(place: Firm, sign_in: SignIn, who: str, address: str) -> None:
    client = sign_in(getattr(place.cast, who))
    answer = client.get(address.format(draft=place.draft.pk))
    assert answer.status_code in {200, 400, 404}


@pytest.mark.parametrize("sha256", ["0" * 64, "f" * 64])
@pytest.mark.parametrize("act", ["approve", "return", "reject"])
def test_a_decision_on_bytes_that_never_were_is_refused(
    place: Firm, sign_in: SignIn, sha256: str, act: str
) -> None:
    form = {
        "version_id": str(place.draft.latest_version_id),
        "sha256": sha256,
        "revision": place.draft.revision,
        "agreed": ["human_verification", "professional_judgment"],
        "reason_code": "other",
        "reason": "No.",
    }
    answer = sign_in(place.cast.alice).post(f"/drafts/{place.draft.pk}/{act}/", form)
    assert answer.status_code == 409
    place.draft.refresh_from_db()
    assert place.draft.status == "waiting"


def test_lost_bytes_are_told_of_and_nothing_breaks(place: Firm, sign_in: SignIn) -> None:
    from portal import blobs

    version = place.draft.latest_version
    assert version is not None
    blobs.path_of(version.sha256).unlink()
    client = sign_in(place.cast.alice)
    address = f"/drafts/{place.draft.pk}"
    assert client.get(f"{address}/").status_code == 200
    preview = client.get(f"{address}/v2/preview/")
    assert preview.status_code == 200 and "is missing" in preview.text
    compared = client.get(f"{address}/compare/1/2/")
    assert compared.status_code == 200 and "is missing" in compared.text
    download = client.get(f"{address}/v2/download/")
    assert download.status_code == 503 and "is missing" in download.text
    form = {
        "version_id": str(version.pk),
        "sha256": version.sha256,
        "revision": place.draft.revision,
        "agreed": ["human_verification", "professional_judgment"],
    }
    refused = client.post(f"{address}/approve/", form)
    assert refused.status_code == 409 and "tell an admin" in refused.text
