"""What a preview is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preview:
    """Harmless HTML for the body of the isolated page, and what a reader of it must be told."""

    html: str
    notes: tuple[str, ...] = ()
