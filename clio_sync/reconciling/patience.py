"""Waiting for a turn at Clio as long as it takes: nobody else needs them while the gate is closed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar
from uuid import UUID

from clio_sync import limits
from clio_sync.api.errors import RateLimited
from clio_sync.limits import Priority

T = TypeVar("T")

LONGEST_NAP: Final = 60.0
NAPS: Final = 30


def patiently(ask: Callable[[], T]) -> T:
    """What `ask` answers, after as many waits as Clio's limit asks for. It must bear repeating."""
    for _ in range(NAPS):
        try:
            return ask()
        except RateLimited as limited:
            time.sleep(min(limited.retry_after or 2.0, LONGEST_NAP))
    return ask()


def turns(connection_id: UUID) -> Callable[[str], None]:
    """A client's `before_call`."""

    def before_call(route: str) -> None:
        patiently(lambda: limits.wait_for_turn(connection_id, Priority.CONFIRM))

    return before_call
