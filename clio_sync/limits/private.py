"""While the database cannot be asked, each process keeps to its own share: fewer calls, never too many.

Nine tenths of the limit as it was last known, divided by the processes that may call (`CLIO_CALLERS`).
"""

from __future__ import annotations

import threading
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from clio_sync.api.client import CallReport
from clio_sync.limits import feedback
from clio_sync.limits.budget import Priority, Turn, pace, take
from clio_sync.models import RateState

SHARE: Final = 0.9

_lock = threading.Lock()
_limits: dict[UUID, int] = {}
_states: dict[UUID, RateState] = {}


def remember(shared: RateState) -> None:
    """The shared budget answers: what it allows is known, and our own is over."""
    with _lock:
        _limits[shared.connection_id] = max(1, shared.limit - shared.foreign)
        _states.pop(shared.connection_id, None)


def book(connection_id: UUID, priority: Priority, *, is_retry: bool = False) -> Turn:
    with _lock:
        return take(_own(connection_id), timezone.now(), priority, is_retry=is_retry)


def hear(connection_id: UUID, report: CallReport) -> None:
    """A pause counts for this process; a limit does not, because it is everybody's."""
    if report.status == 429:
        with _lock:
            feedback.stop(_own(connection_id), timezone.now(), report)


def _own(connection_id: UUID) -> RateState:
    """It begins after one pace of its own: the shared budget may have given turns until a moment ago."""
    if connection_id not in _states:
        limit = _limits.get(connection_id, RateState().limit)
        own = RateState(limit=max(1, int(SHARE * limit / settings.CLIO_CALLERS)))
        own.next_at = timezone.now() + pace(own, timezone.now())
        _states[connection_id] = own
    return _states[connection_id]
