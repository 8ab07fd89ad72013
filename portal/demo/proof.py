"""What the demo claims of each document, and whether it is so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CALLS_A_DOCUMENT = 2


@dataclass(frozen=True)
class Filed:
    """One document on its way: the SHA-256 at each station, and what the filing cost."""

    name: str
    submitted: str
    approved: str
    stored: str
    document_id: int
    version: int
    calls: int
    is_visible: bool

    def faults(self) -> list[str]:
        """What is not as promised, in sentences; empty when all is."""
        claims = {
            f"approved {self.approved[:12]}, but submitted {self.submitted[:12]}": self.approved
            == self.submitted,
            f"stored {self.stored[:12] or 'nothing'}, but approved {self.approved[:12]}": self.stored
            == self.approved,
            "it cannot be seen in the matter": self.is_visible,
            f"{self.calls} Clio API calls instead of {CALLS_A_DOCUMENT}": self.calls == CALLS_A_DOCUMENT,
        }
        return [f"{self.name}: {fault}" for fault, holds in claims.items() if not holds]


def table(documents: Iterable[Filed]) -> str:
    rows: list[tuple[str, ...]] = [
        ("File", "Clio document", "Version", "SHA-256 submitted = approved = stored", "API calls")
    ]
    rows += [_row(document) for document in documents]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(document: Filed) -> tuple[str, ...]:
    hashes: Sequence[str] = (document.submitted, document.approved, document.stored)
    alike = len(set(hashes)) == 1
    shown = (
        f"{document.stored[:16]}  all alike" if alike else " / ".join(sha256[:8] or "-" for sha256 in hashes)
    )
    return (document.name, str(document.document_id), str(document.version), shown, str(document.calls))
