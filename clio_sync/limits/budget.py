"""The arithmetic of one budget: a pace (GCRA), and an order of who comes first. No database, no clock.

`RateState.next_at` is when the next turn is in step with the pace. A person's call books it, also while it
lies ahead, so it is the very next one. Everything else asks again when the turn is due: what finishes a begun
delivery at once, what begins one a little later, housekeeping only when the turn has lain there for a while.
So whoever comes first in rank finds the turn free, and nobody who dies holds one.

The pace is 0.97 of the limit. However Clio cuts its windows, 60 seconds then hold `0.97 limit + 1` calls and
those that late turns and the network crowd into them: up to 1.8 s of both, that is never more than the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, unique
from typing import Final

from clio_sync.limits import breaker
from clio_sync.models import RateState

WINDOW: Final = 60.0
SHARE: Final = 0.97
"""Of the limit that is used. The last calls of a window are where clocks and networks disagree."""
LATENESS: Final = timedelta(seconds=0.3)
"""A turn taken so late still counts as punctual: asking again takes a moment, and must not slow the pace."""
BURST: Final = 3
"""Calls a person may make at once, if the last 60 seconds have room for them."""
SMALL_SHARE: Final = 10
"""Housekeeping, and repeating what went wrong, get one turn in so many."""
RETRIES_KEPT: Final = 5
"""Windows over which unused turns for repeating may be saved up."""
RECOVERY: Final = 5
"""Windows from a 429 until the full pace is reached again."""
MARGIN: Final = 2
"""Seconds by which our own count of a window looks further back: Clio tells whole seconds."""


@dataclass(frozen=True, slots=True)
class Rank:
    behind: float
    """Seconds after a turn is due until this kind asks for it."""
    patience: float
    """Longest wait in seconds; beyond it the caller is turned away and asks again later."""
    books_ahead: bool = False
    """Whether a turn that lies ahead is taken now, before anybody else can ask for it."""


@unique
class Priority(Enum):
    """Whose turn comes first. What is begun is finished before anything new is begun."""

    INTERACTIVE = Rank(behind=0.0, patience=5.0, books_ahead=True)  # a person is waiting
    CONFIRM = Rank(behind=0.0, patience=5.0)  # and whatever else finishes or looks after a begun delivery
    RESERVE = Rank(behind=0.08, patience=5.0)
    SWEEP = Rank(behind=1.5, patience=0.0)


@dataclass(frozen=True, slots=True)
class Turn:
    """One that was booked, in `wait` seconds; or none yet, and `wait` is when to ask again."""

    is_booked: bool
    wait: float
    is_broken: bool = False
    """None, because Clio is down (`breaker`)."""


def take(state: RateState, now: datetime, priority: Priority, *, is_retry: bool = False) -> Turn:
    """Book the next turn on `state`, if it is this caller's."""
    rank, step = priority.value, pace(state, now)
    due = max(now, stands_still_until(state) or now, _in_turn(state, now, priority, is_retry=is_retry))
    wait = (due - now).total_seconds()
    if wait > (rank.patience if rank.books_ahead else 0.0):
        return Turn(is_booked=False, wait=wait, is_broken=breaker.rests(state, now))
    state.next_at = max(state.next_at, due - LATENESS) + step
    if priority is Priority.SWEEP:
        state.sweep_at = due + step * SMALL_SHARE
    if is_retry:
        state.retry_at = max(due, state.retry_at or due) + step * SMALL_SHARE
    breaker.probe(state, due)
    count(state, due)
    return Turn(is_booked=True, wait=wait)


def pace(state: RateState, now: datetime) -> timedelta:
    """From one turn to the next: what is ours of the limit, slower for a while after Clio complained."""
    ours = max(1, state.limit - state.foreign)
    step = timedelta(seconds=WINDOW / (SHARE * ours * recovered(state, now)))
    if state.held_until is not None and now < state.held_until:
        return max(step, timedelta(seconds=state.held_pace))
    return step


def stands_still_until(state: RateState) -> datetime | None:
    """Nobody calls before then."""
    return max(filter(None, (state.blocked_until, state.empty_until, state.open_until)), default=None)


def count(state: RateState, at: datetime) -> None:
    """Note a turn in the second it is taken. The last two windows are kept."""
    second = int(at.timestamp())
    spent = {when: n for when, n in state.spent if when > second - 2 * WINDOW}
    spent[second] = spent.get(second, 0) + 1
    state.spent = sorted([when, n] for when, n in spent.items())


def spent_since(state: RateState, since: datetime) -> int:
    """Our own turns since then, rather too many than too few."""
    first = int(since.timestamp()) - MARGIN
    return sum(n for when, n in state.spent if when >= first)


def _in_turn(state: RateState, now: datetime, priority: Priority, *, is_retry: bool) -> datetime:
    """When this kind of call may have the next turn."""
    if priority.value.books_ahead:
        return state.next_at - pace(state, now) * _ahead(state, now)
    due = state.next_at + timedelta(seconds=priority.value.behind)
    if priority is Priority.SWEEP and state.sweep_at is not None:
        due = max(due, state.sweep_at)
    if is_retry and state.retry_at is not None:
        due = max(due, state.retry_at - timedelta(seconds=RETRIES_KEPT * WINDOW))
    return due


def _ahead(state: RateState, now: datetime) -> int:
    """How many turns a person may take early: as many as the last 60 seconds have room for."""
    room = state.limit - state.foreign - 1 - spent_since(state, now - timedelta(seconds=WINDOW))
    return max(0, min(BURST - 1, room))


def recovered(state: RateState, now: datetime) -> float:
    """The share of the pace that is left after a 429: from `slowed_to` up to 1, fast at first (a cubic)."""
    if state.slowed_at is None:
        return 1.0
    gone = min(1.0, max(0.0, (now - state.slowed_at).total_seconds() / (RECOVERY * WINDOW)))
    return 1.0 - (1.0 - state.slowed_to) * (1.0 - gone) ** 3
