"""How a matter stood when somebody last read it, remembered for a while so that filing need not ask again."""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from uuid import UUID

from django.core.cache import cache

REMEMBERED: Final = 600


class Sighting(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    GONE = "gone"  # or not to be seen by the connected Clio user


def note(connection_id: UUID, matter_id: int, seen: Sighting) -> None:
    cache.set(_key(connection_id, matter_id), seen.value, REMEMBERED)


def last(connection_id: UUID, matter_id: int) -> Sighting | None:
    """None when nobody read it lately: then nothing is known, and nothing is asked."""
    seen: str | None = cache.get(_key(connection_id, matter_id))
    return Sighting(seen) if seen else None


def forget(connection_id: UUID, matter_id: int) -> None:
    cache.delete(_key(connection_id, matter_id))


def _key(connection_id: UUID, matter_id: int) -> str:
    return f"sighting:{connection_id}:{matter_id}"
