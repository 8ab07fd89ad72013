"""What Clio's answers teach a budget. No database, no clock.

A lower limit counts at once, a higher one step by step, because one odd answer must not cost a window. A 429
stops the whole connection. When Clio counts more calls than we made, somebody else uses the same token: then
their share is left to them.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

from clio_sync.api.client import CallReport
from clio_sync.api.limits import RateReading
from clio_sync.limits import breaker
from clio_sync.limits.budget import WINDOW, pace, recovered, spent_since
from clio_sync.models import RateState

STEP_UP: Final = 1.25
"""By how much one answer may raise a limit that was learned before."""
SLOWER: Final = 0.7
LONGEST_BLOCK: Final = 3600.0
UNSAID: Final = 5.0
"""Seconds to stand still after a 429 that does not say how long."""
UNNOTICED: Final = 2
"""Calls that Clio may count beyond ours before we believe in somebody else."""
REMEMBERED: Final = timedelta(seconds=2 * WINDOW)
"""How long another's calls are reckoned with after they were last seen."""


def hear(state: RateState, now: datetime, report: CallReport) -> bool:
    """Learn from one answer, or from none. True when it begins a pause because of a 429, once for each."""
    if report.status is None or report.status >= 500 or report.status in (408, 425):
        breaker.note_failure(state, now)
        return False
    breaker.note_answer(state)
    _notice_others(state, now, report.rate)
    _learn(state, now, report.rate)
    if report.status == 429:
        return stop(state, now, report)
    if report.rate.remaining == 0 and report.rate.reset_in:
        _wait_for_window(state, now, report.rate.reset_in)
    return False


def asked_pause(report: CallReport) -> float:
    """Seconds to stand still after a 429."""
    said = max(report.retry_after or 0.0, report.rate.reset_in or 0.0) or UNSAID
    return min(said, LONGEST_BLOCK)


def _learn(state: RateState, now: datetime, rate: RateReading) -> None:
    """A new limit counts also for the turns that were booked at the old pace."""
    if rate.limit is None:
        return
    is_lower = rate.limit < state.limit
    believed = rate.limit
    if state.learned_at is not None and not is_lower:
        believed = min(rate.limit, int(state.limit * STEP_UP) + 1)
    state.learned_at = now if state.learned_at is None or believed != state.limit else state.learned_at
    if believed == state.limit:
        return
    ahead = max(state.next_at - now, timedelta())
    state.next_at = now + ahead * (state.limit / believed)
    state.limit = believed
    if is_lower:
        _hold(state, now, rate)


def _notice_others(state: RateState, now: datetime, rate: RateReading) -> None:
    """Compare Clio's count of its window with ours since that window began."""
    if rate.limit is None or rate.remaining is None or rate.reset_in is None:
        return
    began = now - timedelta(seconds=max(0.0, WINDOW - rate.reset_in))
    others = rate.limit - rate.remaining - spent_since(state, began)
    if others > UNNOTICED:
        state.foreign = min(max(others, state.foreign), rate.limit - 1)
        state.foreign_at = now
        _hold(state, now, rate)
    elif state.foreign_at is not None and now - state.foreign_at > REMEMBERED:
        state.foreign = max(0, state.foreign - 1)
        state.foreign_at = now if state.foreign else None


def _hold(state: RateState, now: datetime, rate: RateReading) -> None:
    """Make what is left in this window last until its end, two calls aside."""
    if rate.remaining is None or not rate.reset_in:
        return
    until_end = min(rate.reset_in, WINDOW)
    left = rate.remaining - UNNOTICED
    if left <= 0:
        _wait_for_window(state, now, until_end)
    elif timedelta(seconds=until_end / left) > pace(state, now):
        state.held_until, state.held_pace = now + timedelta(seconds=until_end), until_end / left


def stop(state: RateState, now: datetime, report: CallReport) -> bool:
    """Stand still for as long as Clio says, then go on more slowly. Calls that were under way count once."""
    is_first = state.blocked_until is None or state.blocked_until <= now
    if is_first:
        state.slowed_to, state.slowed_at = SLOWER * recovered(state, now), now
    pause = timedelta(seconds=asked_pause(report) + random.random())
    state.blocked_until = max(
        now + pause, state.blocked_until or now
    )  # a later answer never makes it shorter
    return is_first


def _wait_for_window(state: RateState, now: datetime, seconds: float) -> None:
    until = now + timedelta(seconds=min(seconds, WINDOW))
    state.empty_until = max(until, state.empty_until or now)
