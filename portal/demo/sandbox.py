"""What the sandbox saw and holds, asked of its control API: it knows nothing of the portal's own claims."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Stored:
    """One document as the local Clio holds it."""

    document_id: int
    name: str
    version: int
    sha256: str
    size: int
    is_visible: bool


class Ledger:
    def __init__(self, control: str) -> None:
        self._client = httpx.Client(base_url=control, timeout=30.0)

    def documents(self) -> dict[int, Stored]:
        """Every document that was filed (not those the firm came with), by its id."""
        return {told["id"]: _stored(told) for told in self._read("/documents")["documents"]}

    def filing_calls(self) -> Counter[int]:
        """API calls that touched each document: its creation counts by the id in the answer."""
        calls = self.calls(listener="api")
        return Counter(about for call in calls if (about := document_of(call)) is not None)

    def calls(self, **filters: str) -> list[dict[str, Any]]:
        """Lines of the ledger; the filters are those of the control API."""
        lines: list[dict[str, Any]] = self._read("/ledger", **filters)["calls"]
        return lines

    def _read(self, path: str, **query: str) -> dict[str, Any]:
        answer = self._client.get(path, params=query)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told


def _stored(told: dict[str, Any]) -> Stored:
    newest = told["versions"][-1] if told["versions"] else {}
    return Stored(
        document_id=told["id"],
        name=told["name"],
        version=newest.get("version_number") or 0,
        sha256=newest.get("stored_sha256") or "",
        size=newest.get("stored_size") or 0,
        is_visible=told["visible"],
    )


def document_of(call: dict[str, Any]) -> int | None:
    """The document a call was about; 0 for a call about documents that names none; None for other calls."""
    parts = call["path"].split("?")[0].removesuffix(".json").split("/")
    if "documents" not in parts:
        return None
    after = parts[parts.index("documents") + 1 :]
    if after and after[0].isdecimal():
        return int(after[0])
    answer = call.get("response_body")
    data = answer.get("data") if isinstance(answer, dict) else None
    return int(data["id"]) if isinstance(data, dict) and "id" in data else 0
