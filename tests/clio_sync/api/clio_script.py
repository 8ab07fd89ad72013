"""Clio as a script behind httpx.MockTransport: answers in order, and everything that was sent to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from clio_sync.api import ClioClient, FixedToken, Secret, StoragePolicy, TokenSource

EXAMPLES = Path(__file__).parents[2] / "clio_contract" / "examples"
ORIGIN = "https://app.clio.com"
TOKEN = "7001-EXAMPLEaccessTOKENnotreal"
STORAGE = StoragePolicy.clio(
    ["clio-documents.s3.us-east-1.amazonaws.com"], resolve=lambda host: ["52.216.0.1"]
)

Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def example(name: str) -> dict[str, Any]:
    """One of the samples of Clio's wire format: `request` and `response`."""
    loaded: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    return loaded


def answer(name: str) -> httpx.Response:
    """The sample's answer, as Clio would send it."""
    return response(example(name)["response"])


def response(told: dict[str, Any]) -> httpx.Response:
    body = told.get("body")
    content = body if isinstance(body, str) else json.dumps(body)
    headers = {name: value for name, value in told.get("headers", {}).items() if name != "Content-Length"}
    return httpx.Response(
        told["status"], headers=headers, content=content.encode() if body is not None else b""
    )


def data(body: object, *, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"data": body}, headers=headers)


@dataclass
class Script:
    """Plays its steps one after another; the last one stays."""

    steps: list[Step]
    sent: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)

    @property
    def last(self) -> httpx.Request:
        return self.sent[-1]


def script(*steps: Step) -> Script:
    return Script([*steps])


def client(clio: Script, *, tokens: TokenSource | None = None, **options: Any) -> ClioClient:
    options = {"storage_policy": STORAGE, **options}
    return ClioClient(ORIGIN, tokens or FixedToken(Secret(TOKEN)), transport=clio.transport, **options)


class Trickle(httpx.SyncByteStream):
    """An answer that comes in pieces from the wire, and may break off."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece
