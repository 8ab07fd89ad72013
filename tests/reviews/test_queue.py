from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clio_sync.models import Connection, Delivery
from portal.accounts.models import User
from reviews.models import Draft, Status
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


def drafts(count: int, *, cast: Cast, link: Connection) -> None:
    for number in range(count):
        place = factories.destination(link, file_name=f"Letter {number}.txt")
        factories.draft(submitter=cast.carol, place=place, status=Status.WAITING)


def test_the_queue_costs_the_same_queries_for_three_and_for_forty_drafts(
    cast: Cast, link: Connection, sign_in: SignIn
) -> None:
    client = sign_in(cast.alice)
    drafts(3, cast=cast, link=link)
    with CaptureQueriesContext(connection) as few:
        client.get("/")
    drafts(37, cast=cast, link=link)
    with CaptureQueriesContext(connection) as many:
        assert client.get("/").content.count(b"table-title") == 40
    assert len(many) == len(few) <= 10


def test_each_draft_stands_under_the_tab_of_its_state(
    cast: Cast, link: Connection, waiting: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.alice)

    def tabs() -> set[str]:
        keys = ["waiting", "mine", "returned", "filing", "stuck", "filed", "closed"]
        return {
            key for key in keys if waiting.title.encode() in client.get(f"/?tab={key}", follow=True).content
        }

    assert tabs() == {"waiting"}
    Draft.objects.filter(pk=waiting.pk).update(status=Status.IN_REVIEW, reviewer=cast.alice)
    assert tabs() == {"waiting", "mine"}
    Draft.objects.filter(pk=waiting.pk).update(status=Status.RETURNED)
    assert tabs() == {"returned"}
    Draft.objects.filter(pk=waiting.pk).update(status=Status.IN_REVIEW)
    waiting.refresh_from_db()
    delivery = factories.approved(waiting, by=cast.alice)
    assert tabs() == {"filing"}
    Delivery.objects.filter(pk=delivery.pk).update(hold=Delivery.Hold.PERSON, problem="refused")
    assert tabs() == {"stuck"}
    Delivery.objects.filter(pk=delivery.pk).update(
        hold="", state="filed", clio_document_id=1, done_at=timezone.now()
    )
    assert tabs() == {"filed"}


def test_filters_narrow_and_stay_in_the_address(cast: Cast, link: Connection, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    old = factories.draft(
        submitter=cast.carol,
        place=factories.destination(link, file_name="Old lease.pdf", matter_number="2026-0007"),
        status=Status.WAITING,
        media_type="application/pdf",
        search_text="old lease.pdf 2026-0007 reyes",
    )
    Draft.objects.filter(pk=old.pk).update(submitted_at=timezone.now() - timedelta(days=8))
    factories.draft(submitter=cast.carol, place=factories.destination(link), status=Status.WAITING)

    def titles(query: str) -> int:
        return client.get(f"/?{query}").content.count(b"table-title")

    assert titles("") == 2
    for query in ("q=reyes+LEASE", "matter=2026-0007", "type=application/pdf", "age=7"):
        assert titles(query) == 1, query
    assert titles("q=nobody") == 0
    for nonsense in ("type=nonsense", "age=nonsense", "tab=nonsense", "page=nonsense"):
        assert titles(nonsense) == 2, nonsense
    assert 'href="?tab=returned&amp;q=reyes' in client.get("/?q=reyes").content.decode()


def test_a_submitter_sees_only_their_own(
    cast: Cast, link: Connection, waiting: Draft, sign_in: SignIn
) -> None:
    assert waiting.title in sign_in(cast.carol).get("/").content.decode()


def test_people_without_drafts_are_led_to_their_own_page(cast: Cast, sign_in: SignIn) -> None:
    assert sign_in(cast.erin).get("/").headers["Location"] == "/log/"
    assert sign_in(cast.dana).get("/").headers["Location"] == "/clio/"
    assert "no role yet" in sign_in(cast.mallory).get("/").content.decode()


def test_a_narrowed_queue_does_not_say_that_nothing_waits(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.alice)
    assert "1 draft waits for a decision." in client.get("/").content.decode()
    narrowed = client.get("/?q=nowhere").content.decode()
    assert "No draft matches" in narrowed
    assert "No draft waits" not in narrowed


def test_only_a_filing_that_needs_somebody_stands_out(cast: Cast, waiting: Draft, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    assert b"count-alarm" not in client.get("/").content
    delivery = factories.approved(waiting, by=cast.alice)
    Delivery.objects.filter(pk=delivery.pk).update(hold=Delivery.Hold.PERSON)
    assert b"count-alarm" in client.get("/").content
