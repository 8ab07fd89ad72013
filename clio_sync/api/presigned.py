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
    """When to stop using a signed address, at most ten minutes from now.

    It says X-Amz-Date and X-Amz-Expires or, in S3's older way of signing, Expires.

    `answered_at` is Clio's own time of the answer in Unix seconds; with it, a wrong local clock does no harm.
    """
    now = now or datetime.now(UTC)
    latest = now + LIFETIME
    ends = _ends(put_url)
    if ends is None:
        return latest
    skew = now - datetime.fromtimestamp(answered_at, UTC) if answered_at is not None else timedelta()
    try:
        return min(ends + skew, latest)
    except OverflowError:
        return latest


def _ends(put_url: str) -> datetime | None:
    """The end that the address itself names, by its signer's clock."""
    try:
        query = parse_qs(urlsplit(put_url).query, max_num_fields=50)
    except ValueError:
        return None
    signed_at = _stamp(query.get("X-Amz-Date", [""])[0])
    seconds = _whole(query.get("X-Amz-Expires", [""])[0], digits=7)
    if signed_at is not None and seconds is not None:
        try:
            return signed_at + timedelta(seconds=seconds)
        except OverflowError:
            return None
    moment = _whole(query.get("Expires", [""])[0], digits=11)
    return datetime.fromtimestamp(moment, UTC) if moment is not None else None


def _whole(text: str, *, digits: int) -> int | None:
    return int(text) if re.fullmatch(rf"\d{{1,{digits}}}", text, re.ASCII) else None


def _stamp(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
