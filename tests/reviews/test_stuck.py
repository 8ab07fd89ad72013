from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clio_sync.models import Connection, Delivery
from clio_sync.problems import Problem
from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.models import Entry
from reviews import stuck
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
Hold = Delivery.Hold
PAGE = "/needs-you/"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stuck, "PAGE", 3)
    monkeypatch.setattr(stuck, "AT_ONCE", 2)


def held(
    cast: Cast, link: Connection, number: int, problem: Problem = Problem.REFUSED, **fields: object
) -> Delivery:
    matter = str(fields.pop("matter", "2026-0042"))
    place = factories.destination(link, file_name=f"Letter {number}.txt", matter_number=matter)
    row = factories.draft(submitter=cast.carol, place=place, content=f"{number}".encode())
    delivery = factories.approved(row, by=cast.alice)
    changes = {"hold": Hold.PERSON, "problem": problem, **fields}
    Delivery.objects.filter(pk=delivery.pk).update(**changes)
    delivery.refresh_from_db()
    return delivery


def titles(client: Client, address: str) -> list[str]:
    return re.findall(r"Letter \d+\.txt", client.get(address).content.decode())


def test_pages_follow_each_other_without_a_gap_or_a_repeat(
    cast: Cast, link: Connection, sign_in: SignIn
) -> None:
    now = timezone.now()
    for number in range(7):
        held(cast, link, number, created_at=now)  # all at once: the id decides
    client, address, seen = sign_in(cast.alice), PAGE, []
    for _ in range(3):
        seen += titles(client, address)
        found = re.search(r'rel="next" href="([^"]+)"', client.get(address).content.decode())
        address = PAGE + found[1].replace("&amp;", "&") if found else ""
    assert sorted(seen) == [f"Letter {number}.txt" for number in range(7)]
    assert not address


def test_filters_narrow_by_problem_connection_and_matter(
    cast: Cast, link: Connection, sign_in: SignIn
) -> None:
    other = factories.connection(connected_by=cast.dana, clio_user_id=7, clio_user_name="Bob")
    held(cast, link, 1, Problem.PLACE_REFUSED)
    held(cast, link, 2, Problem.CLIO_TROUBLE, hold=Hold.CONNECTION)
    held(cast, other, 3, matter="2026-0007")
    client = sign_in(cast.alice)
    assert titles(client, f"{PAGE}?problem=place_refused") == ["Letter 1.txt"]
    assert titles(client, f"{PAGE}?problem=connection") == ["Letter 2.txt"]
    assert titles(client, f"{PAGE}?connection={other.pk}") == ["Letter 3.txt"]
    assert titles(client, f"{PAGE}?matter=2026-0007") == ["Letter 3.txt"]
    for nonsense in ("problem=nonsense", "connection=nonsense", "after=nonsense", "after=2026-01-01_x"):
        assert len(titles(client, f"{PAGE}?{nonsense}")) == 3, nonsense


def test_counts_are_by_problem_and_connection(cast: Cast, link: Connection) -> None:
    held(cast, link, 1)
    held(cast, link, 2)
    held(cast, link, 3, Problem.CLIO_TROUBLE, hold=Hold.CONNECTION)
    held(cast, link, 4, hold=Hold.RETRY)
    told = [(group.problem, group.count) for group in stuck.groups(Delivery.objects.stuck())]
    assert told == [(Problem.REFUSED, 2), (Problem.CONNECTION, 1)]


def test_an_admin_sees_numbers_and_no_draft(cast: Cast, link: Connection, sign_in: SignIn) -> None:
    held(cast, link, 1, hold=Hold.CONNECTION)
    shown = sign_in(cast.dana).get(PAGE).content.decode()
    assert "The connection needs reconnecting" in shown
    assert f"#connection-{link.pk}" in shown
    assert "Letter" not in shown
    assert "2026-0042" not in shown
    assert sign_in(cast.dana).post(f"{PAGE}try-again/").status_code == 403


def test_a_submitter_sees_their_own_and_sets_nothing_going(
    cast: Cast, link: Connection, sign_in: SignIn
) -> None:
    held(cast, link, 1)
    client = sign_in(cast.carol)
    assert titles(client, PAGE) == ["Letter 1.txt"]
    assert "again…" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}try-again/").status_code == 403


def test_many_are_tried_again_some_at_a_time_each_on_record_and_apart(
    cast: Cast, link: Connection, sign_in: SignIn
) -> None:
    first, second, third = (held(cast, link, number) for number in range(3))
    parked = held(cast, link, 4, hold=Hold.CONNECTION)
    other = held(cast, link, 5, Problem.PLACE_REFUSED)
    client = sign_in(cast.alice)
    assert "Try 3 filings again?" in client.get(f"{PAGE}?problem=refused").content.decode()
    told = client.post(f"{PAGE}try-again/?problem=refused", follow=True).content.decode()
    assert "2 are being tried again. 1 still wait." in told
    for row in (first, second, third, parked, other):
        row.refresh_from_db()
    assert [row.hold for row in (first, second)] == [Hold.NONE, Hold.LIMIT]
    assert (second.not_before - first.not_before).total_seconds() > 2
    assert [row.hold for row in (third, parked, other)] == [Hold.PERSON, Hold.CONNECTION, Hold.PERSON]
    assert Entry.objects.filter(event=Event.DELIVERY_RETRIED).count() == 2


def test_the_page_costs_the_same_queries_for_one_and_for_many(
    cast: Cast, link: Connection, sign_in: SignIn
) -> None:
    client = sign_in(cast.alice)
    held(cast, link, 0)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    for number in range(1, 8):
        held(cast, link, number)
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE)
    assert len(many) == len(few) <= 10
