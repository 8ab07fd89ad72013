"""The processes of a run: sandbox, workers, beat. Those that are killed are started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from portal.stack import processes
from portal.stack.parts import CELERY
from tests.sandbox_process import SandboxProcess, running_sandbox

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 120.0
CALLS_A_MINUTE = {1: 300, 4: 600}
"""By the number of workers: what they manage, for the sweep rings for as much as the limit lets through."""


@dataclass
class Fleet:
    """`python` and arguments of each part, and what runs of them."""

    folder: Path
    sandbox: SandboxProcess
    commands: dict[str, list[str]]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        for name in self.commands:
            self._start(name)
        self._wait_until_ready()

    def tend(self) -> None:
        """Start again what has died."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                processes.kill_session(process)
                self._start(name)

    def kill(self, name: str) -> None:
        """SIGKILL a part and everything it forked."""
        processes.kill_session(self.running[name])
        self.running[name].wait()

    def children(self, name: str) -> list[int]:
        """The processes that a part has forked."""
        parent = self.running[name].pid
        listed = Path(f"/proc/{parent}/task/{parent}/children")
        return [int(pid) for pid in listed.read_text().split()] if listed.exists() else []

    def stop(self) -> None:
        processes.stop_all([*self.running.values()], within=2, by=signal.SIGKILL)
        self.running = {}

    def _log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", errors="replace")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while " ready." not in self._log("worker"):
            if time.monotonic() > deadline or self.running["worker"].poll() is not None:
                raise RuntimeError(f"the workers did not start: {self._log('worker')[-3000:]}")
            time.sleep(0.1)

    def _start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = processes.start(
                self.commands[name],
                environment={**os.environ, "CRASH_CONTROL_URL": self.sandbox.control_url},
                output=log,
                cwd=ROOT,
                parting_signal=signal.SIGKILL,
            )


@contextmanager
def at_sea(folder: Path, sandbox: SandboxProcess, *, workers: int) -> Iterator[Fleet]:
    """A fleet that has not been started yet; all of it ends with the block."""
    celery = ["--without-gossip", "--without-mingle", "--hostname", "crash@localhost"]
    pool = ["worker", "--pool", "prefork", "--concurrency", str(workers), "--loglevel", "INFO", *celery]
    beat = ["beat", "--schedule", str(folder / "beat"), "--pidfile", "", "--loglevel", "WARNING"]
    fleet = Fleet(
        folder,
        sandbox,
        {"worker": [sys.executable, "-m", "bench.crash.worker", *pool], "beat": [*CELERY, *beat]},
    )
    try:
        yield fleet
    finally:
        fleet.stop()


@contextmanager
def a_sandbox(folder: Path, *, workers: int) -> Iterator[SandboxProcess]:
    """One that never says 429 by itself: it counts within a second what is meant for a minute."""
    limit = CALLS_A_MINUTE[workers]
    with running_sandbox(folder, rate_limit=limit, rate_window_seconds=1, search_lag_seconds=0) as sandbox:
        yield sandbox
