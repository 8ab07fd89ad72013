"""The whole suite: on SQLite, on PostgreSQL with Redis, and the journeys through running stacks.

    python -m tests [pytest arguments]

Each round is a pytest of its own. The last lines are the rounds' summaries; exit status 0 means all passed.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from portal.stack import processes
from tests import alike
from tests.stacks import bare_environment, postgresql_and_redis

ROOT = Path(__file__).resolve().parents[1]
NOTHING_COLLECTED = 5
SUMMARY = re.compile(rb"=+ .*\b(?:passed|failed|error|errors|no tests ran|deselected)\b.* =+\s*$")
ONCE = [f"--ignore={folder}" for folder in alike.FOLDERS]
WORKERS = ("-n", os.environ.get("TEST_WORKERS", "2"))


@dataclass(frozen=True)
class Round:
    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    name: str
    status: int
    summary: str


def main(arguments: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, _leave)
    with postgresql_and_redis() as servers:
        outcomes = [_run(round_, arguments) for round_ in _rounds(servers)]
    print("\nThe suite, round by round:")
    for outcome in outcomes:
        print(f"{outcome.name:<22}{outcome.summary}")
    return 0 if all(_is_good(outcome, narrowed=bool(arguments)) for outcome in outcomes) else 1


def _rounds(servers: Mapping[str, str]) -> list[Round]:
    return [
        Round("SQLite", ["-m", "not journey", *WORKERS]),
        Round("PostgreSQL and Redis", ["-m", "not journey", *WORKERS, *ONCE], servers),
        # They mostly wait, for Clio's limit and for leases: one process for each group.
        Round("journeys", ["-m", "journey", "-n", "4", "--dist", "loadgroup", "--durations", "8"]),
    ]


def _run(round_: Round, arguments: Sequence[str]) -> Outcome:
    print(f"\n--- {round_.name} ---", flush=True)
    pytest = processes.start(
        [sys.executable, "-m", "pytest", *round_.arguments, *arguments],
        environment={**bare_environment(), **round_.environment},
        output=processes.PIPE,
        cwd=ROOT,
    )
    summary = b""
    try:
        for line in pytest.stdout or ():
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
            summary = line if SUMMARY.search(line) else summary
        return Outcome(round_.name, pytest.wait(), summary.decode().strip())
    finally:
        processes.stop(pytest, within=30, by=signal.SIGINT)


def _is_good(outcome: Outcome, *, narrowed: bool) -> bool:
    return outcome.status == 0 or (narrowed and outcome.status == NOTHING_COLLECTED)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
