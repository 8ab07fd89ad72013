"""The two spans of time on which exactness hangs. Read as `timing.LEASE`: a harness shortens both at once."""

from __future__ import annotations

from datetime import timedelta

LEASE = timedelta(seconds=120)
"""How long a claim lasts. Longer than any single call to Clio may take; renewed before each one."""

QUIESCE = timedelta(seconds=90)
"""After this a reservation is over, whatever became of its answer: the call's limit, Clio's time, skew."""
