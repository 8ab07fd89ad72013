"""Holding on to a delivery through a long transfer, and telling how far it came."""

from __future__ import annotations

import time
from typing import Final

from clio_sync.filing.work import Work

EVERY: Final = 2.0
"""Seconds between two writes. What is sent sooner costs none."""


class Pulse:
    """Renews the claim as it is told of progress. Raises LostClaim or CalledBack (`Work.hold_on`).

    For the thread that has the claim: it writes to the database.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._last = time.monotonic()

    def beat(self, bytes_sent: int | None = None) -> None:
        if time.monotonic() - self._last < EVERY:
            return
        self._work.hold_on(bytes_sent=bytes_sent)
        self._last = time.monotonic()
