"""A whole running portal for journeys, benchmarks and chaos: the supervisor of `make run`, on free ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from portal.stack import processes
from portal.stack.place import Person, Place
from tests import services
from tests.environment import DEFAULTS

ROOT = Path(__file__).resolve().parents[1]
READY_WITHIN = 120.0
PACE = {"UNDO_SECONDS": "4", "SWEEP_SECONDS": "1"}
SETTINGS = (
    "DATABASE_",
    "CELERY_",
    "CACHE_",
    "CLIO_",
    "EMAIL_",
    "DATA_DIR",
    "TOKEN_KEYS",
    "SECRET_KEY",
    "DEBUG",
)


@dataclass(frozen=True)
class Stack:
    """A running portal: where it is, who can sign in, and what its parts are."""

    place: Place
    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]

    @property
    def site(self) -> str:
        return self.place.site

    def person(self, name: str) -> Person:
        return self.place.person(name)

    def sandbox(self, method: str, path: str, **arguments: Any) -> Any:
        """One call of the sandbox's control API; what it answered, read from JSON."""
        answer = httpx.request(method, f"{self.place.sandbox_control}{path}", timeout=30.0, **arguments)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def set_clio_limit(self, calls_a_minute: int) -> None:
        """Let the sandbox allow more calls than Clio does, for tests that are not about waiting for it."""
        self.sandbox("POST", "/switches", json={"rate_limit": calls_a_minute})

    def pid(self, part: str) -> int:
        state: dict[str, dict[str, int]] = json.loads((self.place.data / "running.json").read_text("utf-8"))
        return state["pids"].get(part, 0)

    def answers(self) -> bool:
        """The site says that it is well."""
        try:
            return httpx.get(f"{self.site}/healthz", timeout=2).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def kill(self, part: str) -> None:
        """SIGKILL a part with all it started, and wait until the supervisor has started it again."""
        pid = self.pid(part)
        os.killpg(pid, signal.SIGKILL)
        wait_until(lambda: self.pid(part) not in {0, pid}, what=f"{part} to be started again")

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A management command on this portal's data."""
        return self.run("manage.py", *words)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Python, with the settings that this portal's parts have."""
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.place.environment() | dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )

    def log(self, part: str) -> str:
        return (self.place.logs / f"{part}.log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def embedded(**settings: str) -> Iterator[Stack]:
    """The default of `make run`: SQLite, and a broker of files."""
    with _started({**PACE, **settings}) as stack:
        yield stack


@contextmanager
def production(**settings: str) -> Iterator[Stack]:
    """PostgreSQL and Redis."""
    with postgresql_and_redis() as servers, _started({**PACE, **servers, **settings}) as stack:
        yield stack


@contextmanager
def postgresql_and_redis() -> Iterator[dict[str, str]]:
    """The settings that lead to a database and a broker of our own."""
    with services.postgresql() as database, services.redis() as redis:
        yield {"DATABASE_URL": database, "CELERY_BROKER_URL": f"{redis}/0", "CACHE_URL": f"{redis}/1"}


def wait_until(ready: Any, *, what: str, within: float = 30.0) -> None:
    """Poll until ready() is true. Raises AssertionError naming what did not come."""
    deadline = time.monotonic() + within
    while not ready():
        assert time.monotonic() < deadline, f"waited {within:g} s for {what}"
        time.sleep(0.05)


def bare_environment() -> dict[str, str]:
    """Ours, without settings of a portal in this shell or test run, nor the mark of its workers."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in DEFAULTS and not name.startswith((*SETTINGS, "PYTEST_XDIST"))
    }


@contextmanager
def _started(settings: Mapping[str, str]) -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="countersign-stack-", ignore_cleanup_errors=True) as folder:
        data, log = Path(folder) / "data", Path(folder) / "log"
        with log.open("wb") as output:
            process = processes.start(
                [sys.executable, "-m", "portal.stack", "serve"],
                environment={**bare_environment(), **settings, "DATA_DIR": str(data)},
                output=output,
                cwd=ROOT,
            )
        try:
            _wait_until_ready(process, log)
            yield Stack(Place.published(data), process, settings)
        finally:
            processes.stop(process, within=15)


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    def is_ready() -> bool:
        said = log.read_text(encoding="utf-8", errors="replace")
        assert process.poll() is None, f"the stack ended: {said[-4000:]}"
        return "ready\n" in said

    wait_until(is_ready, what="the stack", within=READY_WITHIN)
