"""The arithmetic of one budget, at moments the tests choose."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from clio_sync.limits import budget
from clio_sync.limits.budget import Priority, Turn, take
from clio_sync.models import RateState
from tests.clio_sync.limits.simulation import START

PACE = 60 / (0.97 * 50)
LATE = timedelta(seconds=Priority.RESERVE.value.behind)


def booked_in(seconds: float) -> Turn:
    return Turn(is_booked=True, wait=pytest.approx(seconds))  # type: ignore[arg-type]


def ask_again_in(seconds: float, *, within: float | None = None) -> Turn:
    return Turn(is_booked=False, wait=pytest.approx(seconds, abs=within))  # type: ignore[arg-type]


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def fresh(**fields: object) -> RateState:
    return RateState(**{"next_at": START, **fields})


def spend_a_busy_minute(state: RateState) -> datetime:
    """Every turn of a minute is taken as soon as it can be; the moment of the last one."""
    now = START
    while now < after(60):
        turn = take(state, now, Priority.CONFIRM)
        last, now = now, now + timedelta(seconds=max(turn.wait, 0.001))
    return last


def test_a_fresh_budget_starts_at_once_and_then_keeps_the_pace() -> None:
    state = fresh()
    assert take(state, START, Priority.CONFIRM) == Turn(is_booked=True, wait=0)
    assert take(state, START, Priority.CONFIRM) == ask_again_in(PACE)
    assert take(state, after(PACE), Priority.CONFIRM).is_booked


def test_asking_in_vain_costs_no_turn() -> None:
    state = fresh(next_at=after(1))
    assert not take(state, START, Priority.CONFIRM).is_booked
    assert (state.next_at, state.spent) == (after(1), [])


def test_a_person_books_the_very_next_turn_and_the_background_moves_back() -> None:
    state = fresh(next_at=after(1), spent=[[int(START.timestamp()), 49]])
    assert take(state, START, Priority.INTERACTIVE) == booked_in(1)
    assert take(state, after(1), Priority.CONFIRM) == ask_again_in(PACE)


def test_a_second_person_comes_behind_the_first() -> None:
    state = fresh(next_at=after(1), spent=[[int(START.timestamp()), 49]])
    waits = [take(state, START, Priority.INTERACTIVE).wait for _ in range(2)]
    assert waits == pytest.approx([1, 1 + PACE])


def test_a_person_is_turned_away_rather_than_kept_waiting_for_long() -> None:
    state = fresh(next_at=after(5.1), spent=[[int(START.timestamp()), 49]])
    assert not take(state, START, Priority.INTERACTIVE).is_booked


def test_what_is_begun_is_finished_before_anything_is_begun() -> None:
    """Both wait for the same turn: the one that confirms asks first."""
    state = fresh(next_at=after(1))
    confirm, reserve = (take(state, START, one).wait for one in (Priority.CONFIRM, Priority.RESERVE))
    assert confirm < reserve
    assert take(state, after(confirm), Priority.CONFIRM).is_booked
    assert not take(state, after(reserve), Priority.RESERVE).is_booked


def test_asking_late_does_not_slow_the_pace_down() -> None:
    state, now = fresh(), START
    for _ in range(40):
        now += timedelta(seconds=take(state, now, Priority.RESERVE).wait)
        assert take(state, now, Priority.RESERVE).is_booked
    assert (now - START).total_seconds() == pytest.approx(39 * PACE + LATE.total_seconds(), abs=0.01)


def test_housekeeping_takes_only_turns_that_nobody_wanted() -> None:
    state = fresh()
    assert not take(state, START, Priority.SWEEP).is_booked
    assert take(state, after(1.5), Priority.SWEEP).is_booked


def test_housekeeping_takes_one_turn_in_ten_at_most() -> None:
    state, now, taken = fresh(), START, 0
    while now < after(600):
        taken += take(state, now, Priority.SWEEP).is_booked
        now += timedelta(seconds=0.5)
    assert 40 <= taken <= 49


def test_repeating_what_went_wrong_takes_one_turn_in_ten_once_its_savings_are_spent() -> None:
    state, now, taken = fresh(), START, 0
    while now < after(1800):
        turn = take(state, now, Priority.CONFIRM, is_retry=True)
        taken += turn.is_booked
        now += timedelta(seconds=0.25)
    saved, earned = 5 * 48.5 / 10, 1800 / PACE / 10
    assert taken == pytest.approx(saved + earned, abs=2)
    assert take(state, now + timedelta(seconds=PACE), Priority.CONFIRM).is_booked


def test_a_person_may_make_three_calls_at_once() -> None:
    state = fresh()
    waits = [take(state, START, Priority.INTERACTIVE).wait for _ in range(4)]
    assert waits == pytest.approx([0, 0, 0, PACE])


def test_a_burst_is_only_for_a_minute_that_has_room() -> None:
    state = fresh()
    last = spend_a_busy_minute(state)
    assert take(state, last, Priority.INTERACTIVE).wait > PACE / 2


def test_a_minute_holds_fewer_turns_than_clio_allows() -> None:
    state = fresh()
    spend_a_busy_minute(state)
    assert sum(n for _, n in state.spent) == 49


@pytest.mark.parametrize("limit", [1, 2, 5, 10, 25, 33, 50, 75, 100, 600])
def test_any_sixty_seconds_hold_no_more_than_the_limit_for_any_limit(limit: int) -> None:
    """The first turn as late as still counts as punctual, the others early, and a second lost on the way."""
    state = fresh(limit=limit)
    taken, now = 0, START + budget.LATENESS
    while now < after(61) + budget.LATENESS:
        turn = take(state, now, Priority.CONFIRM)
        taken, now = taken + turn.is_booked, now + timedelta(seconds=max(turn.wait, 0.0001))
    assert taken <= limit


def test_nobody_calls_while_the_budget_stands_still() -> None:
    state = fresh(blocked_until=after(20), empty_until=after(10))
    for priority in Priority:
        assert take(state, START, priority) == ask_again_in(20, within=2)


def test_after_a_pause_the_turns_that_passed_are_not_made_up_for() -> None:
    state = fresh(blocked_until=after(30))
    assert take(state, after(30), Priority.CONFIRM).is_booked
    assert not take(state, after(30), Priority.CONFIRM).is_booked


def test_own_turns_are_remembered_for_two_windows() -> None:
    state = fresh()
    for at in (0, 0.3, 100, 130):
        budget.count(state, after(at))
    assert [n for _, n in state.spent] == [1, 1] or [n for _, n in state.spent] == [2, 1, 1]
    assert budget.spent_since(state, after(99)) == 2
