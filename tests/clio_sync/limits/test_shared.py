"""The budget's row: locked, kept, and told of in the log."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from django.conf import LazySettings
from django.db import DatabaseError
from django.utils import timezone

from clio_sync.api.client import CallReport
from clio_sync.api.errors import RateLimited, Resting
from clio_sync.api.limits import RateReading
from clio_sync.limits import Priority, note_response, private, shared, wait_for_turn
from clio_sync.limits.shared import book
from clio_sync.models import Connection, RateState
from portal.audit.events import Event
from portal.audit.models import Entry
from tests import factories
from tests.cast import Cast

AWAY = mock.patch.object(shared, "_locked", side_effect=DatabaseError("away"))


@pytest.fixture
def link(cast: Cast) -> Connection:
    return factories.connection(connected_by=cast.dana)


def heard(
    link: Connection, status: int | None = 200, *, retry_after: float | None = None, **rate: float
) -> None:
    reading = RateReading(**rate)  # type: ignore[arg-type]
    note_response(link, CallReport("GET matters", status, reading, "", 0.1, retry_after))


def test_a_turn_is_kept_in_the_row(link: Connection) -> None:
    assert book(link.pk, Priority.CONFIRM).is_booked
    state = RateState.objects.get()
    assert state.next_at > timezone.now()
    assert [n for _, n in state.spent] == [1]
    assert not book(link.pk, Priority.CONFIRM).is_booked


def test_one_connection_does_not_slow_another(cast: Cast, link: Connection) -> None:
    other = factories.connection(connected_by=cast.dana, clio_user_id=7)
    heard(link, 429, retry_after=60)
    assert not book(link.pk, Priority.CONFIRM).is_booked
    assert book(other.pk, Priority.CONFIRM).is_booked


def test_what_an_answer_teaches_is_kept(link: Connection) -> None:
    heard(link, limit=25, remaining=20)
    assert RateState.objects.get().limit == 25


def test_a_429_is_one_entry_however_many_calls_met_it(link: Connection) -> None:
    for _ in range(4):
        heard(link, 429, retry_after=30.0, limit=50, remaining=0)
    entry = Entry.objects.get(event=Event.RATELIMIT_HIT)
    assert entry.content["detail"]["retry_after"] == 30
    assert entry.object_id == str(link.pk)


def test_a_long_wait_is_not_waited_for(link: Connection) -> None:
    RateState.objects.create(connection=link, blocked_until=timezone.now() + timedelta(seconds=60))
    with pytest.raises(RateLimited) as turned_away:
        wait_for_turn(link.pk, Priority.CONFIRM)
    assert turned_away.value.retry_after == pytest.approx(60, abs=2)
    assert turned_away.value.status is None


def test_while_clio_rests_callers_hear_why(link: Connection) -> None:
    for _ in range(5):
        heard(link, 503)
    with pytest.raises(Resting) as turned_away:
        wait_for_turn(link.pk, Priority.INTERACTIVE)
    assert turned_away.value.retry_after == pytest.approx(30, abs=2)


def test_a_short_wait_is_waited_for(link: Connection) -> None:
    begin = timezone.now()
    RateState.objects.create(connection=link, next_at=begin + timedelta(seconds=0.3))
    wait_for_turn(link.pk, Priority.CONFIRM)
    assert timezone.now() >= begin + timedelta(seconds=0.3)


def test_without_the_database_a_process_keeps_to_its_own_share(
    link: Connection, settings: LazySettings
) -> None:
    """Never open: nine tenths of the limit that was known, divided by all that may call, from one pace on."""
    settings.CLIO_CALLERS = 4
    heard(link, limit=50, remaining=49)
    book(link.pk, Priority.CONFIRM)
    with AWAY:
        with pytest.raises(RateLimited) as turned_away:
            wait_for_turn(link.pk, Priority.CONFIRM)
        assert turned_away.value.retry_after == pytest.approx(60 / (0.97 * 11), abs=0.5)

    own = private._states[link.pk]
    own.next_at = timezone.now()
    with AWAY:
        wait_for_turn(link.pk, Priority.CONFIRM)
        assert own.next_at > timezone.now()
        heard(link, 429, retry_after=40.0)
    assert own.blocked_until is not None

    assert book(link.pk, Priority.INTERACTIVE)
    assert link.pk not in private._states
