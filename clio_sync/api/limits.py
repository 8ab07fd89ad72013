"""What Clio's answer says about its limit: headers in, plain numbers out.

Clio Manage allows a number of calls per access token and 60 second window and tells it on every authenticated
answer (docs.developers.clio.com/api-docs/rate-limits/). The number changes without notice, and a proxy in
between may send anything, so absurd values read as "not said" rather than as an error.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_WAIT: Final = 3600.0
"""Seconds. Clio's window is one minute; an answer that asks for more than an hour gets one hour."""

_MOST_CALLS: Final = 100_000
_SKEW: Final = 3600


@dataclass(frozen=True, slots=True)
class RateReading:
    """One answer's view of the window. None means the answer did not say, or said something absurd."""

    limit: int | None = None
    remaining: int | None = None
    reset: int | None = None
    """Unix seconds, by Clio's clock, when the window ends."""
    reset_in: float | None = None
    """Seconds from the answer to the end of the window, by the answer's own Date where it has one."""


def read_rate(headers: Mapping[str, str], *, now: float | None = None) -> RateReading:
    limit = _whole(headers.get("x-ratelimit-limit"), least=1, most=_MOST_CALLS)
    remaining = _whole(headers.get("x-ratelimit-remaining"), least=0, most=limit or _MOST_CALLS)
    reset = _whole(headers.get("x-ratelimit-reset"), least=1, most=2**40)
    answered = _answered_at(headers, now)
    if reset is None or abs(reset - answered) > _SKEW:
        return RateReading(limit=limit, remaining=remaining)
    return RateReading(limit=limit, remaining=remaining, reset=reset, reset_in=max(0.0, reset - answered))


def read_retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds to wait, from `Retry-After` as seconds or as an HTTP date; None when absent or unreadable."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", value, re.ASCII):
        return min(float(value), LONGEST_WAIT)
    at = _http_date(value)
    if at is None:
        return None
    return min(max(0.0, at - _answered_at(headers, now)), LONGEST_WAIT)


def answered_at(headers: Mapping[str, str]) -> float:
    """When the server says it answered, in Unix seconds; our own clock when it does not say."""
    return _answered_at(headers, None)


def _answered_at(headers: Mapping[str, str], now: float | None) -> float:
    said = _http_date(headers.get("date", ""))
    if said is not None:
        return said
    return time.time() if now is None else now


def _http_date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _whole(value: str | None, *, least: int, most: int) -> int | None:
    if value is None or not re.fullmatch(r"\d{1,12}", value.strip(), re.ASCII):
        return None
    number = int(value)
    return number if least <= number <= most else None
