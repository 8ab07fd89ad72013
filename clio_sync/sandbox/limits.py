"""Requests per token and window, in the three ways Clio may be counting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import formatdate

from clio_sync.sandbox.state import State


@dataclass(frozen=True)
class Budget:
    limit: int
    used: int
    reset_s: float  # unix seconds by the sandbox's clock
    now_s: float

    @property
    def is_spent(self) -> bool:
        return self.used >= self.limit

    @property
    def wait_s(self) -> int:
        return max(1, math.ceil(self.reset_s - self.now_s))

    def spend(self) -> Budget:
        return Budget(self.limit, self.used + 1, self.reset_s, self.now_s)

    def headers(self) -> tuple[tuple[str, str], ...]:
        return (
            ("X-RateLimit-Limit", str(self.limit)),
            ("X-RateLimit-Remaining", str(max(0, self.limit - self.used))),
            ("X-RateLimit-Reset", str(math.ceil(self.reset_s))),
        )

    def retry_after(self, *, form: str) -> str:
        return formatdate(self.now_s + self.wait_s, usegmt=True) if form == "date" else str(self.wait_s)


def budget(state: State, token_id: int) -> Budget:
    """What this token has left in the present window."""
    now, window = state.now_s(), state.number("rate_window_seconds")
    start = _window_start(state, token_id, now=now, window=window)
    used = state.all(
        "SELECT at_s FROM rate_use WHERE token_id = ? AND at_s > ? ORDER BY at_s", token_id, start
    )
    reset = start + window
    if state.word("rate_model") == "sliding":
        reset = _sliding_reset(
            [row["at_s"] for row in used], limit=int(state.number("rate_limit")), window=window
        )
        reset = reset or now + window
    return Budget(int(state.number("rate_limit")), len(used), reset, now)


def _window_start(state: State, token_id: int, *, now: float, window: float) -> float:
    model = state.word("rate_model")
    if model == "sliding":
        return now - window
    if model == "minute":
        return now - now % window
    row = state.one("SELECT at_s FROM rate_anchor WHERE token_id = ?", token_id)
    if row and row["at_s"] <= now < row["at_s"] + window:
        return float(row["at_s"]) - 1e-6  # the call that opened the window belongs to it
    state.run("INSERT OR REPLACE INTO rate_anchor VALUES (?, ?)", token_id, now)
    return now - 1e-6


def _sliding_reset(used: list[float], *, limit: int, window: float) -> float:
    """When the next call becomes possible again: when the oldest of the last ``limit`` leaves the window."""
    return used[-limit] + window if len(used) >= limit > 0 else (used[0] + window if used else 0.0)


def spend(state: State, token_id: int) -> None:
    now = state.now_s()
    state.run("INSERT INTO rate_use VALUES (?, ?)", token_id, now)
    state.run("DELETE FROM rate_use WHERE token_id = ? AND at_s < ?", token_id, now - 3600)
