"""How a matter stood when somebody last read it, remembered for a while so that filing need not ask again.

The cache may be away at any time: then nothing is known.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.core.cache import cache

logger = logging.getLogger(__name__)

REMEMBERED: Final = 600


class Sighting(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    GONE = "gone"  # or not to be seen by the connected Clio user


def note(connection_id: UUID, matter_id: int, seen: Sighting) -> None:
    with _doing_without():
        cache.set(_key(connection_id, matter_id), seen.value, REMEMBERED)


def last(connection_id: UUID, matter_id: int) -> Sighting | None:
    """None when nobody read it lately: then nothing is known, and nothing is asked."""
    seen: str | None = None
    with _doing_without():
        seen = cache.get(_key(connection_id, matter_id))
    return Sighting(seen) if seen else None


def forget(connection_id: UUID, matter_id: int) -> None:
    with _doing_without():
        cache.delete(_key(connection_id, matter_id))


@contextmanager
def _doing_without() -> Iterator[None]:
    try:
        yield
    except Exception as away:  # noqa: BLE001 - each kind of cache has errors of its own
        logger.warning("The cache did not answer (%s).", type(away).__name__)


def _key(connection_id: UUID, matter_id: int) -> str:
    return f"sighting:{connection_id}:{matter_id}"
