from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from clio_sync.estimates import WAITS_FOR_RECONNECTING, estimates, in_words
from clio_sync.models import Connection, Delivery, RateState
from portal import gate
from tests import factories
from tests.cast import Cast

State, Hold = Delivery.State, Delivery.Hold

PACE = 60 / (0.97 * 50)
Approve = Callable[..., Delivery]


@pytest.fixture
def link(cast: Cast) -> Connection:
    link = factories.connection(connected_by=cast.dana)
    RateState.objects.create(connection=link)
    return link


@pytest.fixture
def approve(cast: Cast, link: Connection) -> Approve:
    """An approved delivery, the next in line."""

    def approve(connection: Connection = link, **fields: object) -> Delivery:
        place = factories.destination(connection)
        delivery = factories.approved(factories.draft(submitter=cast.carol, place=place), by=cast.alice)
        Delivery.objects.filter(pk=delivery.pk).update(**fields)
        delivery.refresh_from_db()
        return delivery

    return approve


def seconds(delivery: Delivery) -> float:
    until = estimates([delivery])[delivery.pk].seconds
    assert until is not None
    return until


def test_each_stands_behind_those_that_were_approved_before(approve: Approve) -> None:
    line = [approve() for _ in range(4)]
    told = estimates(reversed(line))
    waits = [told[one.pk].seconds or 0.0 for one in line]
    assert waits == pytest.approx([(2 * place - 1) * PACE + 0.7 for place in (1, 2, 3, 4)], abs=0.3)


def test_what_is_begun_comes_first_and_needs_less(approve: Approve) -> None:
    waiting = approve()
    begun = approve(state=State.TRANSFERRED, clio_document_id=7)
    assert seconds(begun) < seconds(waiting)
    assert seconds(waiting) == pytest.approx(2 * PACE + 0.7, abs=0.3)


def test_what_waits_for_a_person_holds_nobody_up(approve: Approve) -> None:
    stuck = approve(hold=Hold.PERSON, problem="refused")
    waiting = approve()
    assert seconds(waiting) == pytest.approx(PACE + 0.7, abs=0.3)
    assert estimates([stuck]) == {}


def test_a_pause_that_clio_asked_for_counts(approve: Approve) -> None:
    RateState.objects.update(blocked_until=timezone.now() + timedelta(seconds=100))
    assert seconds(approve()) == pytest.approx(100 + PACE, abs=2)


def test_a_rest_counts(approve: Approve) -> None:
    RateState.objects.update(open_until=timezone.now() + timedelta(seconds=30), failures=5)
    assert seconds(approve()) == pytest.approx(30 + PACE, abs=2)


def test_the_time_to_undo_counts(approve: Approve) -> None:
    assert seconds(approve(not_before=timezone.now() + timedelta(seconds=60))) == pytest.approx(62, abs=2)


def test_a_slower_pace_counts(approve: Approve) -> None:
    RateState.objects.update(limit=5)
    approve()
    assert seconds(approve()) == pytest.approx(3 * 10 * PACE, abs=2)


def test_another_connection_has_a_line_of_its_own(cast: Cast, approve: Approve) -> None:
    for _ in range(3):
        approve()
    other = factories.connection(connected_by=cast.dana, clio_user_id=7)
    assert seconds(approve(other)) == pytest.approx(PACE, abs=2)


@pytest.mark.parametrize("hold", [Hold.NONE, Hold.CONNECTION])
def test_a_broken_connection_has_no_time_to_tell(
    link: Connection, approve: Approve, hold: Delivery.Hold
) -> None:
    parked = approve(hold=hold)
    Connection.objects.update(status=Connection.Status.NEEDS_RECONNECTING)
    told = estimates([parked])[parked.pk]
    assert (told.words, told.seconds) == (WAITS_FOR_RECONNECTING, None)


@pytest.mark.parametrize("state", [State.FILED, State.WITHDRAWN])
def test_what_is_over_has_none(state: Delivery.State) -> None:
    assert estimates([Delivery(state=state)]) == {}


def test_what_is_being_taken_back_has_none(approve: Approve) -> None:
    assert estimates([approve(withdrawing=True)]) == {}


def test_while_the_gate_is_closed_nothing_is_promised(
    approve: Approve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "closed", lambda: gate.Closed(gate.Reason.BY_HAND))
    assert estimates([approve()]) == {}


def test_a_page_of_rows_is_one_query_and_one_for_the_gate(
    approve: Approve, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rows = [approve() for _ in range(12)]
    with django_assert_max_num_queries(3):
        assert len(estimates(rows)) == 12


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute"),
        (44, "less than a minute"),
        (45, "about 1 minute"),
        (100, "about 2 minutes"),
        (239, "about 4 minutes"),
        (3540, "about 59 minutes"),
        (3600, "about 1 hour"),
        (4790, "about 1 hour 20 minutes"),
        (7300, "about 2 hours"),
        (86_399, "more than a day"),
        (90_000, "more than a day"),
    ],
)
def test_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
