"""Runs the real sandbox in a process of its own, for any test that needs a Clio.

    sandbox = start_sandbox(tmp_path)
    try:
        token = sandbox.tokens(user_id=350771)["access_token"]
        ...
        assert sandbox.documents()[0]["sha256"] == ...
    finally:
        sandbox.stop()

``running_sandbox(tmp_path)`` is the same as a context manager. ``sandbox.kill()`` is a kill -9;
``sandbox.restart()`` brings it back with the same data and the same addresses.
"""

from __future__ import annotations

import contextlib
import json
import re
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30

# The people of the invented firm.
ALICE, BOB, PRIYA = 350771, 350772, 350773


class SandboxDidNotStart(Exception):
    """The process ended, or stayed silent, before it said where it listens."""


def start_sandbox(folder: Path, *arguments: str, **switches: object) -> SandboxProcess:
    """Start one with its data under ``folder``. Keywords set switches: ``rate_limit=1000``."""
    options = [f"--switch={name}={value}" for name, value in switches.items()]
    sandbox = SandboxProcess(folder / "clio-sandbox", (*arguments, *options))
    sandbox.start()
    return sandbox


@contextlib.contextmanager
def running_sandbox(folder: Path, *arguments: str, **switches: object) -> Iterator[SandboxProcess]:
    sandbox = start_sandbox(folder, *arguments, **switches)
    try:
        yield sandbox
    finally:
        sandbox.stop()


@dataclass
class SandboxProcess:
    data: Path
    arguments: tuple[str, ...] = ()
    api_url: str = ""
    storage_url: str = ""
    control_url: str = ""
    client_id: str = "sandbox-app"
    client_secret: str = "sandbox-secret"
    process: subprocess.Popen[str] | None = field(default=None, repr=False)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, verify=False), repr=False)

    # The process.

    def start(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "clio_sync.sandbox",
            "--data",
            str(self.data),
            *self._ports(),
            *self.arguments,
        ]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        addresses = self._first_line()
        self.api_url, self.storage_url = addresses["api_url"], addresses["storage_url"]
        self.control_url = addresses["control_url"]

    def _ports(self) -> list[str]:
        """Nothing at first; the same ports again after a restart, so that connections outlive it."""
        known = {"api": self.api_url, "storage": self.storage_url, "control": self.control_url}
        return [f"--{name}-port={urlsplit(url).port}" for name, url in known.items() if url]

    def _first_line(self) -> dict[str, str]:
        assert self.process is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if waiting.select(START_SECONDS) else ""
        if not line:
            self.process.kill()
            raise SandboxDidNotStart(self.process.stderr.read())
        return dict(json.loads(line))

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power switch would: no goodbye."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.communicate(timeout=30)
        self.process = None
        self.http.close()
        self.http = httpx.Client(timeout=60, verify=False)

    # The control API.

    def control(self, method: str, path: str, content: object = None, **query: object) -> Any:
        """Call it and return the JSON; anything but success fails loudly."""
        shown = {name: str(value) for name, value in query.items() if value is not None}
        response = self.http.request(method, f"{self.control_url}{path}", json=content, params=shown)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    def health(self) -> dict[str, Any]:
        return dict(self.control("GET", "/health"))

    def calls(self, **filters: object) -> list[dict[str, Any]]:
        """The ledger: ``since=``, ``route=``, ``listener=``, ``status=`` and so on."""
        return list(self.control("GET", "/ledger", **filters)["calls"])

    def last_call_id(self) -> int:
        return int(self.control("GET", "/ledger", limit=1)["last_id"])

    def documents(
        self, *, matter_id: int | None = None, include_seeded: bool = False
    ) -> list[dict[str, Any]]:
        """Every document, finished or not, trashed or not, with hashes; without those of the seed."""
        seeded = "true" if include_seeded else None
        return list(
            self.control("GET", "/documents", matter_id=matter_id, include_seeded=seeded)["documents"]
        )

    def document(self, document_id: int) -> dict[str, Any]:
        return dict(self.control("GET", f"/documents/{document_id}"))

    def content(self, version_uuid: str) -> bytes:
        return self.http.get(f"{self.control_url}/versions/{version_uuid}/content").content

    def fault(self, route: str, kind: str, /, **plan: object) -> int:
        """Plan a misfortune: ``fault("documents.update", "lose_after")``. Returns its id."""
        return int(self.control("POST", "/faults", {"route": route, "kind": kind, **plan})["ids"][0])

    def clear_faults(self) -> None:
        self.control("DELETE", "/faults")

    def switch(self, **values: object) -> None:
        self.control("POST", "/switches", values)

    def advance(self, seconds: float) -> None:
        self.control("POST", "/clock", {"advance_seconds": seconds})

    def act(self, name: str, /, **values: object) -> dict[str, Any]:
        """What a person does in Clio: ``act("close_matter", matter_id=...)``, ``act("revoke_grant")``."""
        return dict(self.control("POST", "/act", {"act": name, **values}))

    def reset(self, **options: object) -> None:
        self.control("POST", "/reset", options)

    def tokens(self, user_id: int = ALICE) -> dict[str, Any]:
        """An access and a refresh token without the consent page."""
        return dict(self.control("POST", "/tokens", {"user_id": user_id}))

    def matter_id(self, display_number: str = "2026-0042") -> int:
        """The id of a seeded matter, found as a client would find it."""
        headers = {"Authorization": f"Bearer {self.tokens()['access_token']}"}
        query = {"query": display_number, "fields": "id,display_number"}
        answer = self.http.get(f"{self.api_url}/api/v4/matters.json", headers=headers, params=query)
        numbers = {matter["display_number"]: int(matter["id"]) for matter in answer.json()["data"]}
        return numbers[display_number]

    # Consent, as a person at a browser gives it.

    def decide(self, authorize_url: str, *, user_id: int = ALICE, decision: str = "allow") -> httpx.Response:
        """Open the authorize URL, choose a user, press a button; the answer is not followed."""
        page = self.http.get(authorize_url)
        assert page.status_code == 200, page.text
        request_id = re.search(r'name="request" value="([^"]+)"', page.text)
        assert request_id is not None
        form = {"request": request_id[1], "user_id": str(user_id), "decision": decision}
        return self.http.post(f"{self.api_url}/oauth/authorize", data=form)

    def authorize_url(self, redirect_uri: str, /, **query: str) -> str:
        given = {"response_type": "code", "client_id": self.client_id, "redirect_uri": redirect_uri, **query}
        return f"{self.api_url}/oauth/authorize?{urlencode(given)}"

    def returned(self, response: httpx.Response) -> Mapping[str, str]:
        """The query that a redirect carries back to the application."""
        assert response.status_code == 302, response.text
        return dict(parse_qsl(urlsplit(response.headers["location"]).query))
