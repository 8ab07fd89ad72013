"""What answers teach a budget."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clio_sync.api.limits import RateReading, read_retry_after
from clio_sync.limits import breaker, budget, feedback
from clio_sync.limits.budget import Priority, take
from clio_sync.limits.feedback import hear
from clio_sync.models import RateState
from tests.clio_sync.limits.simulation import START, report
from tests.clio_sync.limits.test_budget import after, fresh


def rate(**fields: Any) -> RateReading:
    return RateReading(**fields)


def seconds_blocked(state: RateState) -> float:
    assert state.blocked_until is not None
    return (state.blocked_until - START).total_seconds()


def busy(turns: int = 49, **fields: object) -> RateState:
    """A budget with this many turns spread over the last minute."""
    state = fresh(**fields)
    for number in range(turns):
        budget.count(state, START - timedelta(seconds=60 * (number + 1) / turns))
    return state


def test_the_first_answer_tells_the_limit() -> None:
    state = fresh()
    hear(state, START, report(200, rate=rate(limit=600, remaining=599)))
    assert state.limit == 600


def test_a_higher_limit_is_learned_step_by_step() -> None:
    state, learned = fresh(limit=25, learned_at=START), []
    for _ in range(6):
        hear(state, START, report(200, rate=rate(limit=75, remaining=60)))
        learned.append(state.limit)
    assert learned == [32, 41, 52, 66, 75, 75]


def test_a_lower_limit_counts_at_once_also_for_turns_that_were_booked() -> None:
    state = fresh(limit=500, learned_at=START, next_at=after(1))
    hear(state, START, report(200, rate=rate(limit=50, remaining=40)))
    assert state.limit == 50
    assert state.next_at == after(10)


def test_what_is_left_under_a_lower_limit_lasts_until_the_window_ends() -> None:
    state = busy(10, learned_at=START)
    hear(state, START, report(200, rate=rate(limit=25, remaining=21, reset_in=50.0)))
    assert budget.pace(state, START).total_seconds() == pytest.approx(50 / 19)
    assert budget.pace(state, after(51)).total_seconds() == pytest.approx(60 / (0.97 * 25))


def test_an_answer_without_headers_teaches_nothing() -> None:
    state, before = busy(), busy()
    assert not hear(state, START, report(200))
    assert (state.limit, state.spent, budget.stands_still_until(state)) == (50, before.spent, None)


def test_an_empty_window_is_waited_out() -> None:
    state = fresh()
    hear(state, START, report(200, rate=rate(limit=50, remaining=0, reset_in=20.0)))
    assert take(state, START, Priority.INTERACTIVE).wait == pytest.approx(20)


def test_a_window_never_lasts_longer_than_a_minute() -> None:
    state = fresh()
    hear(state, START, report(200, rate=rate(limit=50, remaining=0, reset_in=3000.0)))
    assert take(state, START, Priority.CONFIRM).wait == pytest.approx(60)


@pytest.mark.parametrize(
    ("header", "reset_in", "stands_still"),
    [
        ("30", None, 30),
        ("", 40.0, 40),
        ("10", 40.0, 40),
        ("", None, 5),
        ("0", None, 5),
        ("99999999", None, 3600),
        ("Sat, 21 Nov 2026 12:00:25 GMT", None, 25),
        ("Mon, 21 Nov 2050 12:00:00 GMT", None, 3600),
        ("soon", None, 5),
        ("-7", None, 5),
    ],
)
def test_a_429_stops_everything_for_as_long_as_clio_says(
    header: str, reset_in: float | None, stands_still: float
) -> None:
    waits = read_retry_after({"retry-after": header, "date": "Sat, 21 Nov 2026 12:00:00 GMT"})
    state = fresh()
    assert hear(state, START, report(429, retry_after=waits, rate=rate(reset_in=reset_in)))
    assert stands_still <= seconds_blocked(state) <= stands_still + 1
    assert not take(state, START, Priority.INTERACTIVE).is_booked


def test_calls_that_were_under_way_belong_to_the_same_429() -> None:
    state = fresh()
    said = [hear(state, after(at), report(429, retry_after=10)) for at in (0, 0.2, 0.4)]
    assert said == [True, False, False]
    assert state.slowed_to == pytest.approx(0.7)
    assert hear(state, after(20), report(429, retry_after=10))


def test_a_window_that_is_empty_does_not_hide_a_429() -> None:
    state = fresh()
    hear(state, START, report(200, rate=rate(limit=50, remaining=0, reset_in=20.0)))
    assert hear(state, START, report(429, retry_after=20))


def test_a_later_answer_never_shortens_a_pause() -> None:
    state = fresh()
    hear(state, START, report(429, retry_after=60))
    until = state.blocked_until
    hear(state, START, report(429, retry_after=2))
    hear(state, START, report(200, rate=rate(limit=50, remaining=0, reset_in=1.0)))
    assert budget.stands_still_until(state) == until


def test_after_a_429_the_pace_recovers_over_five_windows() -> None:
    state = fresh()
    hear(state, START, report(429, retry_after=1))
    shares = [budget.recovered(state, after(60 * windows)) for windows in range(6)]
    assert shares[0] == pytest.approx(0.7)
    assert shares == sorted(shares)
    assert shares[1] > 0.8
    assert shares[5] == 1


def test_a_second_429_slows_down_further() -> None:
    state = fresh()
    hear(state, START, report(429, retry_after=1))
    hear(state, after(3), report(429, retry_after=1))
    assert state.slowed_to == pytest.approx(0.5, abs=0.02)


def test_calls_of_others_are_left_to_them() -> None:
    """Clio counts seven more than we made since its window began."""
    state = busy(24, limit=50)
    used = budget.spent_since(state, START - timedelta(seconds=30)) + 7
    hear(state, START, report(200, rate=rate(limit=50, remaining=50 - used, reset_in=30.0)))
    assert state.foreign == 7
    assert budget.pace(state, after(31)).total_seconds() == pytest.approx(60 / (0.97 * 43))


def test_our_own_calls_are_not_taken_for_anothers() -> None:
    state = busy(48)
    for reset_in in (1.0, 15.0, 30.0, 45.0, 59.0):
        used = budget.spent_since(state, START - timedelta(seconds=60 - reset_in))
        hear(state, START, report(200, rate=rate(limit=50, remaining=50 - used, reset_in=reset_in)))
    assert state.foreign == 0


def test_others_are_forgotten_when_they_are_not_seen_any_more() -> None:
    state = fresh(foreign=2, foreign_at=START)
    quiet = report(200, rate=rate(limit=50, remaining=49, reset_in=59.0))
    for minutes, left in ((1, 2), (3, 1), (4, 1), (6, 0)):
        hear(state, after(60 * minutes + 1), quiet)
        assert state.foreign == left


@pytest.mark.parametrize("status", [None, 500, 502, 503, 408])
def test_after_five_failures_in_a_row_clio_is_given_a_rest(status: int | None) -> None:
    state = fresh()
    for _ in range(4):
        hear(state, START, report(status))
    assert budget.stands_still_until(state) is None
    hear(state, START, report(status))
    turn = take(state, START, Priority.INTERACTIVE)
    assert (turn.is_booked, turn.is_broken, turn.wait) == (False, True, 30)


def test_after_the_rest_one_probe_goes_alone() -> None:
    state = fresh(failures=5, open_until=after(30))
    assert take(state, after(30), Priority.CONFIRM).is_booked
    assert take(state, after(40), Priority.CONFIRM).is_broken
    hear(state, after(41), report(503))
    assert take(state, after(70), Priority.CONFIRM).is_broken
    assert take(state, after(71), Priority.CONFIRM).is_booked


def test_a_probe_that_never_comes_back_blocks_nobody_for_long() -> None:
    state = fresh(failures=5, open_until=after(30))
    assert take(state, after(30), Priority.CONFIRM).is_booked
    assert take(state, after(30) + breaker.REST, Priority.CONFIRM).is_booked


@pytest.mark.parametrize("status", [200, 404, 422, 429])
def test_any_answer_ends_the_rest(status: int) -> None:
    state = fresh(failures=7, open_until=after(30))
    hear(state, after(31), report(status))
    assert (state.failures, state.open_until) == (0, None)


def test_failures_that_are_not_in_a_row_cause_no_rest() -> None:
    state = fresh()
    for _ in range(10):
        hear(state, START, report(503))
        hear(state, START, report(200))
    assert budget.stands_still_until(state) is None


def test_an_odd_answer_costs_little() -> None:
    """A proxy that names an enormous limit once."""
    state = fresh(learned_at=START)
    hear(state, START, report(200, rate=rate(limit=100_000, remaining=99_999)))
    assert state.limit <= 50 * feedback.STEP_UP + 1
    hear(state, START, report(200, rate=rate(limit=50, remaining=49)))
    assert state.limit == 50
