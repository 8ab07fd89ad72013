"""One budget for each connection, shared by every process: how fast Clio may be called, and whose turn it is.

Clio Manage allows a number of calls in 60 seconds for each access token and says so in its answers
(docs.developers.clio.com/api-docs/rate-limits/). The budget is a row, `RateState`, by the database's clock:

    budget      the arithmetic: the pace, whose turn comes first, what a turn costs
    feedback    what answers teach: the limit, a 429, somebody else at the same token
    breaker     Clio is down: rest, then one probe
    shared      the row, locked for one short transaction; never across a call or a sleep
    private     the share of one process while the database cannot be asked
    turns       what callers use: wait for a turn, tell what came of it

`budget`, `feedback` and `breaker` touch no database: tests run them through hours of simulated time.
"""

from __future__ import annotations

from clio_sync.limits.budget import SHARE, WINDOW, Priority, pace, stands_still_until
from clio_sync.limits.turns import gate, note_response, wait_for_turn

__all__ = [
    "SHARE",
    "WINDOW",
    "Priority",
    "gate",
    "note_response",
    "pace",
    "stands_still_until",
    "wait_for_turn",
]
