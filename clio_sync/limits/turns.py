"""What callers use: wait for a turn before a call, tell what came of it afterwards."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.db import Error as DatabaseTrouble

from clio_sync.api.client import CallReport
from clio_sync.api.errors import RateLimited, Resting
from clio_sync.limits import private, shared
from clio_sync.limits.budget import Priority, Turn
from clio_sync.models import Connection

logger = logging.getLogger(__name__)

SOONEST: Final = 0.002
"""Seconds until a turn that was not to be had is asked for again, at least."""
NO_TURN: Final = (
    "The calls that Clio allows in a minute are used up. The portal will go on by itself in a moment."
)


def wait_for_turn(connection_id: UUID, priority: Priority, *, is_retry: bool = False) -> None:
    """Return when a call may be made. Never inside a transaction.

    Raises RateLimited when that takes longer than this kind of caller waits: nothing was sent then, the error
    has no status, and `retry_after` says when to ask again. `is_retry`: something of the kind went wrong
    before, and of such calls only one in ten turns is made.
    """
    give_up = time.monotonic() + priority.value.patience
    while not (turn := _book(connection_id, priority, is_retry=is_retry)).is_booked:
        if time.monotonic() + turn.wait > give_up:
            kind, sentence = (Resting, "") if turn.is_broken else (RateLimited, NO_TURN)
            raise kind(sentence, retry_after=turn.wait)
        time.sleep(max(turn.wait, SOONEST))
    time.sleep(turn.wait)


def gate(connection_id: UUID, priority: Priority = Priority.INTERACTIVE) -> Callable[[str], None]:
    """A client's `before_call` that waits for its turn."""

    def before_call(route: str) -> None:
        wait_for_turn(connection_id, priority)

    return before_call


def note_response(connection: Connection, report: CallReport) -> None:
    """Learn from an answer, or from none."""
    try:
        shared.hear(connection, report)
    except DatabaseTrouble:
        logger.exception("The budget of connection %s could not be kept.", connection.pk)
        private.hear(connection.pk, report)


def _book(connection_id: UUID, priority: Priority, *, is_retry: bool) -> Turn:
    try:
        return shared.book(connection_id, priority, is_retry=is_retry)
    except DatabaseTrouble:
        logger.exception("The budget of connection %s cannot be asked.", connection_id)
        return private.book(connection_id, priority, is_retry=is_retry)
