"""One budget for each connection, shared by every process: how fast Clio may be called, and whose turn it is.

Clio Manage allows a number of calls in 60 seconds for each access token and says so in its answers
(docs.developers.clio.com/api-docs/rate-limits/). The budget is a row: one timestamp, the moment at which the
next call is in step with the pace (GCRA), by the database's clock. A caller books a turn in one short
transaction and waits for it outside.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from clio_sync.api.client import CallReport
from clio_sync.api.errors import RateLimited
from clio_sync.clock import database_now
from clio_sync.models import Connection, RateState
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record

WINDOW: Final = 60.0
SHARE: Final = 0.97
"""Of the limit that is used. The last calls of a window are where clocks and networks disagree."""
LONGEST_BLOCK: Final = 3600.0
UNSAID: Final = 5.0
"""Seconds to stand still after a 429 that does not say how long."""


@dataclass(frozen=True, slots=True)
class _Manner:
    ahead: int
    """Turns this kind may take early, before those that were booked already."""
    patience: float
    """Longest wait in seconds; beyond it the caller is turned away and asks again later."""


class Priority(Enum):
    """Whose turn comes first. What is begun is finished before anything new is begun."""

    INTERACTIVE = _Manner(ahead=2, patience=5.0)  # a person is waiting
    CONFIRM = _Manner(ahead=0, patience=5.0)  # and whatever else finishes or looks after a begun delivery
    RESERVE = _Manner(ahead=0, patience=2.5)
    SWEEP = _Manner(ahead=0, patience=0.0)


NO_TURN: Final = (
    "The calls that Clio allows in a minute are used up. The portal will go on by itself in a moment."
)


def wait_for_turn(connection_id: UUID, priority: Priority) -> None:
    """Return when a call may be made; RateLimited if that takes too long. Never inside a transaction."""
    wait = book(connection_id, priority)
    if wait > 0:
        time.sleep(wait)


def book(connection_id: UUID, priority: Priority) -> float:
    """Take a turn and return the seconds until it.

    Raises RateLimited, and takes none, when it is farther away than this caller has patience. Nothing was
    sent then: the error has no status, and `retry_after` says how long to wait.
    """
    with transaction.atomic():
        state = _locked(connection_id)
        now = database_now()
        pace = timedelta(seconds=WINDOW / (SHARE * state.limit))
        turn = max(now, state.next_at - pace * priority.value.ahead, state.blocked_until or now)
        wait = (turn - now).total_seconds()
        if wait > priority.value.patience:
            raise RateLimited(NO_TURN, retry_after=wait)
        state.next_at = max(state.next_at, turn) + pace
        state.save(update_fields=["next_at"])
    return wait


def gate(connection_id: UUID, priority: Priority = Priority.INTERACTIVE) -> Callable[[str], None]:
    """A client's `before_call` that waits for its turn."""

    def before_call(route: str) -> None:
        wait_for_turn(connection_id, priority)

    return before_call


def note_response(connection: Connection, report: CallReport) -> None:
    """Learn the limit, and stand still when there is nothing left or Clio says so."""
    if report.rate.limit is not None and _states(connection.pk).exclude(limit=report.rate.limit).exists():
        _learn(connection.pk, report.rate.limit)
    if report.status == 429:
        _hit(connection, report)
    elif report.rate.remaining == 0 and report.rate.reset_in:
        _block(connection.pk, database_now() + timedelta(seconds=min(report.rate.reset_in, WINDOW)))


def _learn(connection_id: UUID, limit: int) -> None:
    """A new limit counts at once, also for the turns that were booked at the old pace."""
    with transaction.atomic():
        state, now = _locked(connection_id), database_now()
        state.next_at = now + max(state.next_at - now, timedelta()) * (state.limit / limit)
        state.limit = limit
        state.save(update_fields=["limit", "next_at"])


def _hit(connection: Connection, report: CallReport) -> None:
    said = max(report.retry_after or 0.0, report.rate.reset_in or 0.0) or UNSAID
    still = min(said, LONGEST_BLOCK) + random.random()
    with transaction.atomic():
        _block(connection.pk, database_now() + timedelta(seconds=still))
        record(
            Event.RATELIMIT_HIT,
            actor=Actor.system("limiter"),
            subject=Subject("connection", connection.pk),
            connection=connection.pk,
            region=connection.region,
            limit=report.rate.limit,
            remaining=report.rate.remaining,
            retry_after=round(said),
            request_id=report.request_id or None,
        )


def _block(connection_id: UUID, until: datetime) -> None:
    """Nobody calls before then; a longer block is never made shorter."""
    with transaction.atomic():
        state = _locked(connection_id)
        if state.blocked_until is None or state.blocked_until < until:
            state.blocked_until = until
            state.save(update_fields=["blocked_until"])


def _locked(connection_id: UUID) -> RateState:
    state = _states(connection_id).select_for_update().first()
    if state is None:
        RateState.objects.bulk_create([RateState(connection_id=connection_id)], ignore_conflicts=True)
        state = _states(connection_id).select_for_update().get()
    return state


def _states(connection_id: UUID) -> QuerySet[RateState]:
    return RateState.objects.filter(connection=connection_id)
