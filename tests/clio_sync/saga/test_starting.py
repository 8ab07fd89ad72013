"""What is begun is finished before anything new is begun, and a place known to be closed is not tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from clio_sync import deliveries, matters, sightings
from clio_sync.errors import BadDestination
from clio_sync.filing import starting
from clio_sync.models import Delivery, RateState
from clio_sync.problems import Problem
from clio_sync.sightings import Sighting
from portal.audit.log import Actor
from tests.cast import Cast
from tests.clio_sync.filing_kit import Died, Office, dying_at, office
from tests.clio_sync.test_filing import is_filed_once
from tests.sandbox_process import SandboxProcess

State, Hold = Delivery.State, Delivery.Hold


@pytest.fixture
def firm(cast: Cast, clio_sandbox: SandboxProcess) -> Iterator[Office]:
    cache.clear()
    yield office(cast, clio_sandbox)
    cache.clear()


def begun(firm: Office, number: int) -> list[Delivery]:
    """So many whose workers died before the confirmation."""
    some = [firm.approved(f"begun {each}".encode()) for each in range(number)]
    for delivery in some:
        with dying_at("C13"), pytest.raises(Died):
            firm.work(delivery)
    return some


def at_the_limit_of(firm: Office, limit: int) -> None:
    firm.clio.switch(rate_limit=limit)
    RateState.objects.update(limit=limit)


def test_as_much_is_begun_as_can_be_confirmed_in_half_a_minute(firm: Office) -> None:
    rooms = {}
    for limit in (1, 50, 100_000):
        RateState.objects.update(limit=limit)
        rooms[limit] = starting.room_of(firm.link)
    assert rooms[1] == starting.LEAST
    assert rooms[50] == 24
    assert rooms[100_000] > 40_000


def test_nothing_new_is_begun_while_enough_is_under_way(
    firm: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "room_of", lambda connection: 2)
    first, second = begun(firm, 2)
    third = firm.work(firm.approved(b"third"))
    assert (third.state, third.hold, third.attempts) == (State.QUEUED, Hold.LIMIT, 0)
    assert third.first_call_at is None

    firm.work_until_done(first)
    firm.later(third)
    assert firm.work(third).state == State.FILED
    assert firm.work_until_done(second).state == State.FILED


@pytest.mark.parametrize("hold", [Hold.PERSON, Hold.CONNECTION, Hold.RETRY])
def test_what_stands_still_keeps_nobody_out(firm: Office, monkeypatch: pytest.MonkeyPatch, hold: str) -> None:
    monkeypatch.setattr(starting, "room_of", lambda connection: 2)
    for delivery in begun(firm, 2):
        Delivery.objects.filter(pk=delivery.pk).update(hold=hold, lease_until=None)
    assert firm.work(firm.approved(b"third")).state == State.FILED


def test_a_matter_that_somebody_saw_closed_is_not_tried(firm: Office) -> None:
    """Also where Clio would take the document."""
    delivery = firm.approved()
    firm.clio.act("close_matter", matter_id=firm.matter_id)
    matters.matter(firm.link, firm.matter_id)
    firm.since = firm.clio.last_call_id()

    firm.work(delivery)
    assert (delivery.state, delivery.hold, delivery.problem) == (
        State.QUEUED,
        Hold.PERSON,
        Problem.MATTER_CLOSED,
    )
    assert firm.api_calls() == []

    deliveries.retry_now(delivery, actor=Actor.user(firm.cast.alice))
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_a_matter_that_is_not_to_be_seen_any_more_is_not_tried(firm: Office) -> None:
    delivery = firm.approved()
    firm.clio.act("hide_matter", matter_id=firm.matter_id, user_id=firm.link.clio_user_id)
    with pytest.raises(BadDestination):
        matters.matter(firm.link, firm.matter_id)
    firm.since = firm.clio.last_call_id()
    firm.work(delivery)
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.PLACE_NOT_FOUND)
    assert firm.api_calls() == []


def test_without_a_sighting_nobody_is_asked(firm: Office) -> None:
    firm.work(firm.approved())
    assert firm.api_calls() == ["documents.create", "documents.update"]


def test_a_cache_that_is_away_keeps_nothing_from_being_filed(
    firm: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*words: object) -> None:
        raise ConnectionError("Redis is gone")

    for act in ("get", "set", "delete"):
        monkeypatch.setattr(cache, act, away)
    sightings.note(firm.link.pk, firm.matter_id, Sighting.CLOSED)
    assert sightings.last(firm.link.pk, firm.matter_id) is None
    assert firm.work(firm.approved()).state == State.FILED
