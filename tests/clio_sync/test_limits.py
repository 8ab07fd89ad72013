from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from clio_sync import limits
from clio_sync.api.client import CallReport
from clio_sync.api.errors import RateLimited
from clio_sync.api.limits import RateReading
from clio_sync.limits import Priority, book, note_response
from clio_sync.models import Connection, RateState
from portal.audit.events import Event
from portal.audit.models import Entry
from tests import factories
from tests.cast import Cast

PACE = limits.WINDOW / (limits.SHARE * 50)


@pytest.fixture
def link(cast: Cast) -> Connection:
    return factories.connection(connected_by=cast.dana)


def report(*, status: int = 200, retry_after: float | None = None, **rate: float) -> CallReport:
    reading = RateReading(**rate)  # type: ignore[arg-type]
    return CallReport("GET matters", status, reading, "", 0.1, retry_after)


def book_without_patience(link: Connection, priority: Priority, times: int) -> list[float]:
    """The waits of turns booked at once, until one is refused."""
    waits = []
    for _ in range(times):
        try:
            waits.append(book(link.pk, priority))
        except RateLimited:
            break
    return waits


def test_a_fresh_budget_starts_at_once_and_then_keeps_the_pace(link: Connection) -> None:
    waits = book_without_patience(link, Priority.CONFIRM, 3)
    assert waits == pytest.approx([0.0, PACE, 2 * PACE], abs=0.2)


def test_background_work_is_turned_away_before_it_waits_long(link: Connection) -> None:
    assert len(book_without_patience(link, Priority.RESERVE, 10)) == 3
    with pytest.raises(RateLimited) as turned_away:
        book(link.pk, Priority.RESERVE)
    assert turned_away.value.retry_after == pytest.approx(3 * PACE, abs=0.3)


def test_being_turned_away_costs_no_turn(link: Connection) -> None:
    book_without_patience(link, Priority.RESERVE, 10)
    before = RateState.objects.get().next_at
    with pytest.raises(RateLimited):
        book(link.pk, Priority.RESERVE)
    assert RateState.objects.get().next_at == before


def test_what_is_begun_is_finished_before_more_is_begun(link: Connection) -> None:
    book_without_patience(link, Priority.RESERVE, 10)
    assert book(link.pk, Priority.CONFIRM) <= Priority.CONFIRM.value.patience


def test_a_person_goes_before_the_background(link: Connection) -> None:
    book_without_patience(link, Priority.CONFIRM, 10)
    behind = (RateState.objects.get().next_at - timezone.now()).total_seconds()
    assert book(link.pk, Priority.INTERACTIVE) == pytest.approx(max(0.0, behind - 2 * PACE), abs=0.3)


def test_a_person_may_make_three_calls_at_once(link: Connection) -> None:
    waits = [book(link.pk, Priority.INTERACTIVE) for _ in range(4)]
    assert waits[:3] == pytest.approx([0.0, 0.0, 0.0], abs=0.2)
    assert waits[3] > 0.5


def test_housekeeping_only_uses_an_idle_budget(link: Connection) -> None:
    assert book(link.pk, Priority.SWEEP) == 0
    with pytest.raises(RateLimited):
        book(link.pk, Priority.SWEEP)


def test_in_a_minute_no_more_turns_are_given_than_clio_allows(link: Connection) -> None:
    """A simulated minute: instead of waiting for its turn, each caller moves the budget's time on."""
    elapsed, turns = 0.0, 0
    while elapsed < 60:
        wait = book(link.pk, Priority.CONFIRM)
        elapsed, turns = elapsed + wait, turns + 1
        RateState.objects.update(next_at=F("next_at") - timedelta(seconds=wait))
    assert 47 <= turns <= 50


def test_the_limit_is_learned_and_counts_at_once(link: Connection) -> None:
    book_without_patience(link, Priority.CONFIRM, 4)
    note_response(link, report(limit=500, remaining=499))
    state = RateState.objects.get()
    assert state.limit == 500
    assert state.next_at < timezone.now() + timedelta(seconds=1)

    note_response(link, report(limit=25, remaining=24))
    assert RateState.objects.get().limit == 25


def test_an_empty_window_is_waited_out(link: Connection) -> None:
    note_response(link, report(limit=50, remaining=0, reset_in=20.0))
    with pytest.raises(RateLimited) as turned_away:
        book(link.pk, Priority.INTERACTIVE)
    assert turned_away.value.retry_after == pytest.approx(20, abs=1)


@pytest.mark.parametrize(
    ("retry_after", "reset_in", "stands_still"),
    [
        (30.0, None, 30),
        (None, 40.0, 40),
        (10.0, 40.0, 40),
        (None, None, 5),
        (0.0, None, 5),
        (99999.0, None, 3600),
    ],
)
def test_a_429_stops_the_whole_connection_for_as_long_as_clio_says(
    link: Connection, retry_after: float | None, reset_in: float | None, stands_still: float
) -> None:
    note_response(link, CallReport("x", 429, RateReading(reset_in=reset_in), "", 0.1, retry_after))
    until = RateState.objects.get().blocked_until
    assert until is not None
    assert (until - timezone.now()).total_seconds() == pytest.approx(stands_still + 0.5, abs=1)
    assert Entry.objects.filter(event=Event.RATELIMIT_HIT).count() == 1


def test_a_later_answer_never_shortens_a_block(link: Connection) -> None:
    note_response(link, report(status=429, retry_after=60))
    until = RateState.objects.get().blocked_until
    note_response(link, report(status=429, retry_after=2))
    note_response(link, report(limit=50, remaining=0, reset_in=1.0))
    assert RateState.objects.get().blocked_until == until


def test_one_connection_does_not_slow_another(cast: Cast, link: Connection) -> None:
    other = factories.connection(connected_by=cast.dana, clio_user_id=7)
    book_without_patience(link, Priority.CONFIRM, 10)
    assert book(other.pk, Priority.RESERVE) == 0
