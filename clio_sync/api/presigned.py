"""The two things Clio hands out for storage: headers to send along, and a signed address with a life of its
own.

Both are obeyed to the letter, and both come from outside: a header may not change whom we talk to or as whom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

PutHeaders = tuple[tuple[str, str], ...]

LIFETIME: Final = timedelta(minutes=10)
"""Clio's schema gives put_url ten minutes, its guide eight hours; the shorter one is safe to believe."""

_MOST_HEADERS: Final = 32
_NAME: Final = re.compile(r"content-type|content-length|content-md5|x-amz-[a-z0-9-]{1,64}", re.IGNORECASE)
_VALUE: Final = re.compile(r"[\x20-\x7e]{0,2000}")


def header_problem(headers: Iterable[tuple[str, str]]) -> str:
    """Why these put_headers may not be sent, in words that quote none of them; empty when they may.

    Only Content-Type, Content-Length, Content-MD5 and x-amz-* pass: never Host, Authorization, Cookie or
    Transfer-Encoding, and never a line break.
    """
    listed = list(headers)
    names = [name.lower() for name, _ in listed]
    if len(listed) > _MOST_HEADERS:
        return "has too many headers"
    if len(set(names)) != len(names):
        return "has a header twice"
    if not all(_NAME.fullmatch(name) for name in names):
        return "has a header that is not allowed"
    if not all(_VALUE.fullmatch(value) for _, value in listed):
        return "has a header value that is not allowed"
    return ""


def put_deadline(put_url: str, *, answered_at: float | None = None, now: datetime | None = None) -> datetime:
    """When to stop using a signed address: X-Amz-Date + X-Amz-Expires, at most ten minutes from now.

    `answered_at` is Clio's own time of the answer in Unix seconds; with it, a wrong local clock does no harm.
    """
    now = now or datetime.now(UTC)
    latest = now + LIFETIME
    signed = _signed_window(put_url)
    if signed is None:
        return latest
    skew = now - datetime.fromtimestamp(answered_at, UTC) if answered_at is not None else timedelta()
    try:
        return min(signed[0] + signed[1] + skew, latest)
    except OverflowError:
        return latest


def _signed_window(put_url: str) -> tuple[datetime, timedelta] | None:
    try:
        query = parse_qs(urlsplit(put_url).query, max_num_fields=50)
    except ValueError:
        return None
    signed_at = _stamp(query.get("X-Amz-Date", [""])[0])
    expires = query.get("X-Amz-Expires", [""])[0]
    if signed_at is None or not re.fullmatch(r"\d{1,7}", expires, re.ASCII):
        return None
    return signed_at, timedelta(seconds=int(expires))


def _stamp(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
