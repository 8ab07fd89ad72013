"""The drafting program: it has an API key, submits files, and asks what became of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from portal.demo.browser import Unexpected
from portal.demo.examples import Example


@dataclass(frozen=True)
class Outcome:
    """What the API tells about a draft."""

    state: str
    sha256: str
    document_id: int | None
    told: dict[str, Any]


class Program:
    def __init__(self, site: str, key: str) -> None:
        self.key = key
        self._client = httpx.Client(
            base_url=f"{site}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=60.0
        )

    def submit_twice(self, example: Example) -> str:
        """Send a file twice, as a program does that lost the first answer; both must be one draft."""
        key = str(uuid.uuid4())
        first, second = self.submit(example, key), self.submit(example, key)
        if first != second:
            raise Unexpected(f"{example.name}: one Idempotency-Key made two drafts, {first} and {second}")
        return first

    def outcome(self, draft_id: str) -> Outcome:
        told = self._read(self._client.get(f"/drafts/{draft_id}"))
        return Outcome(
            state=told["status"],
            sha256=told["versions"][-1]["sha256"],
            document_id=(told["receipt"] or {}).get("clio_document_id"),
            told=told,
        )

    def submit(self, example: Example, key: str) -> str:
        """Send a file under this Idempotency-Key; the id of its draft."""
        answer = self._client.post(
            "/drafts",
            headers={"Idempotency-Key": key},
            data={"matter_number": example.matter, "title": example.title, **_provenance(example)},
            files={"file": (example.name, example.content)},
        )
        return str(self._read(answer)["id"])

    @staticmethod
    def _read(answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code not in {200, 201}:
            raise Unexpected(f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:600]}")
        told: dict[str, Any] = answer.json()
        return told


def _provenance(example: Example) -> dict[str, str]:
    """Who made the file, in the API's words: `model_version` is the version of the AI, not of the draft."""
    if not example.provenance:
        return {"made_by_ai": "false"}
    said = dict(example.provenance)
    return {"made_by_ai": "true", "model_version": said.pop("version"), **said}
