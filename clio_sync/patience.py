"""Waiting for turns at Clio where nobody waits for the answer."""

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
SHORTEST_NAP: Final = 0.05


class Patience:
    """The naps of one errand, so many seconds in all."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def ask(self, question: Callable[[], T]) -> T:
        """What `question` answers, after naps as long as Clio's limit asks for. It must bear repeating.

        Raises RateLimited when the patience is at an end.
        """
        while True:
            try:
                return question()
            except RateLimited as limited:
                self._nap(limited)

    def turns(self, connection_id: UUID, priority: Priority) -> Callable[[str], None]:
        """A client's `before_call`."""

        def before_call(route: str) -> None:
            self.ask(lambda: limits.wait_for_turn(connection_id, priority))

        return before_call

    def _nap(self, limited: RateLimited) -> None:
        asked = 2.0 if limited.retry_after is None else limited.retry_after
        nap = min(max(asked, SHORTEST_NAP), LONGEST_NAP)
        if nap > self._left:
            raise limited
        self._left -= nap
        time.sleep(nap)
