"""Clio is down: after some failures in a row nobody calls for a while, then one probe goes first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from clio_sync.models import RateState

TRIPS_AT: Final = 5
"""Failures in a row: 5xx, or no answer."""
REST: Final = timedelta(seconds=30)


def rests(state: RateState, now: datetime) -> bool:
    """Whether nobody may call now, because Clio is down or because a probe is under way."""
    return state.open_until is not None and now < state.open_until


def probe(state: RateState, at: datetime) -> None:
    """The first call after a rest goes alone: the others rest on until it is answered, or was lost."""
    if state.failures >= TRIPS_AT:
        state.open_until = at + REST


def note_failure(state: RateState, now: datetime) -> None:
    state.failures += 1
    if state.failures >= TRIPS_AT:
        state.open_until = now + REST


def note_answer(state: RateState) -> None:
    """Clio answered, whatever it said."""
    state.failures, state.open_until = 0, None
