"""Keeps the parts running: starts them, restarts what dies, passes their warnings on, stops them all.

It has one thread and no pipes: the parts write to files of their own, which it reads like anybody else, so
nothing it does or fails to do can block them.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from portal.stack import processes
from portal.stack.parts import Part

TICK = 0.1
SETTLED_AFTER = 30.0
LONGEST_PAUSE = 10.0
WARNING = re.compile(r"\b(?:WARNING|ERROR|CRITICAL)\b|^Traceback|^\w*(?:Error|Exception)\b")


class NotReady(Exception):
    """A part does not come up; says which, and ends with what it logged last."""


class Supervisor:
    def __init__(
        self, parts: Sequence[Part], *, environment: Mapping[str, str], logs: Path, state: Path
    ) -> None:
        self._runs = [_Run(part, environment=environment, log=logs / f"{part.name}.log") for part in parts]
        self._state = state

    def start(self) -> None:
        for run in self._runs:
            run.begin()
        self._publish()

    def wait_until_ready(self, *, within: float) -> None:
        deadline = time.monotonic() + within
        waiting = list(self._runs)
        while waiting:
            waiting = [run for run in waiting if not run.part.is_ready()]
            failed = next((run for run in waiting if run.deaths > 2), None)
            if failed or (waiting and time.monotonic() > deadline):
                raise NotReady((failed or waiting[0]).obituary())
            self.tend()

    def tend_until(self, done: Callable[[], bool]) -> None:
        while not done():
            self.tend()

    def tend(self) -> None:
        """One look at every part, and a short rest."""
        revived = [run for run in self._runs if run.revive()]
        if revived:
            self._publish()
        for run in self._runs:
            for line in run.new_warnings():
                print(f"{run.part.name}: {line}", flush=True)
        time.sleep(TICK)

    def pids(self) -> dict[str, int]:
        return {run.part.name: run.process.pid for run in self._runs if run.process}

    def stop(self, *, within: float = 6.0) -> None:
        processes.stop_all([run.process for run in self._runs if run.process], within=within)
        self._state.unlink(missing_ok=True)

    def _publish(self) -> None:
        """Which process each part is, for those who measure us or kill a part to see what happens."""
        unfinished = self._state.with_suffix(".new")
        unfinished.write_text(json.dumps({"pids": self.pids()}), encoding="utf-8")
        unfinished.rename(self._state)


class _Run:
    """One part and its present process."""

    def __init__(self, part: Part, *, environment: Mapping[str, str], log: Path) -> None:
        self.part = part
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths = 0
        self._environment = environment
        self._log = log
        self._read_to = 0
        self._begun = 0.0
        self._pause = 0.0

    def begin(self) -> None:
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.1"))
        self._spawn()

    def revive(self) -> bool:
        """Start the part again if it died and has rested; the pause doubles while it keeps dying."""
        if self.process is not None:
            if self.process.poll() is None:
                return False
            self._bury(self.process)
        if time.monotonic() < self._begun + self._pause:
            return False
        self._spawn()
        return True

    def new_warnings(self) -> list[str]:
        with self._log.open("rb") as log:
            log.seek(self._read_to)
            fresh = log.read()
        whole, newline, _ = fresh.rpartition(b"\n")
        self._read_to += len(whole) + len(newline)
        return [line for line in whole.decode("utf-8", "replace").splitlines() if WARNING.search(line)]

    def obituary(self) -> str:
        last = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        return "\n".join([f"{self.part.name} does not come up. The end of {self._log}:", *last])

    def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self.process = processes.start(
                self.part.command,
                environment=self._environment,
                output=log,
                parting_signal=self.part.parting_signal,
            )
        self._begun = time.monotonic()

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        processes.kill_session(process)
        lived = time.monotonic() - self._begun
        self.deaths += 1
        self._pause = 0.5 if lived > SETTLED_AFTER else min(LONGEST_PAUSE, max(0.5, self._pause * 2))
        self._begun = time.monotonic()
        self.process = None
        print(f"{self.part.name} ended ({process.returncode}); starting it again", flush=True)
