"""PDF pages for the review screen. Each call is a short-lived process; about a fifth of a second."""

from __future__ import annotations

from typing import BinaryIO

from reviews.formats import confine


def page_count(file: BinaryIO) -> int:
    return int(confine.run("page_count", file).facts["pages"])


def page_png(file: BinaryIO, page: int, scale: float = 1.5) -> bytes:
    """One page, counted from 1. Raises NoSuchPage, and Refused when it cannot be shown."""
    return confine.run("page_png", file, page=page, scale=scale).body


def page_text(file: BinaryIO, page: int) -> str:
    """What a screen reader is given for the picture of the page."""
    return confine.run("page_text", file, page=page).body.decode()
