"""How much of Clio's limit several workers use together, without ever exceeding it, and how long people wait.

    python -m bench.limiter              R1, R3, R4 and R5: real minutes, all side by side, about eleven
    python -m bench.limiter --short      R1 and R3 for half a minute

Each crew of processes has a sandbox of its own, whose ledger is measured; they share one PostgreSQL server.
Answers take up to half a second longer at random.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.crew import OTHERS
from bench.figures import Figure, percentile, progress, publish
from tests import services
from tests.environment import DEFAULTS
from tests.sandbox_process import SandboxProcess, running_sandbox
from tests.stacks import bare_environment, wait_until

ROOT = Path(__file__).resolve().parents[1]
SEED: Final = 20261121
WORKERS: Final = 4
MODELS: Final = ("anchored", "minute", "sliding")
LIMIT: Final = 50
SHARE: Final = 0.97
JITTER: Final = (0.27, 0.13, 0.07, 0.03)
"""Seconds, each of them for every other call: between 0 and 0.5 together."""
SCRIPT: Final = ((0.0, 50), (110.0, 25), (350.0, 75))
"""From which second on R4's sandbox allows how many calls a minute."""


@dataclass(frozen=True)
class Crew:
    goal: str
    model: str
    seconds: float
    people: float = 0.0
    others: float = 0.0
    script: Sequence[tuple[float, int]] = ((0.0, LIMIT),)

    @property
    def is_full(self) -> bool:
        """Long enough for the targets; half a minute on a busy machine only shows what is quite wrong."""
        return self.seconds >= 300


@dataclass(frozen=True)
class Ran:
    crew: Crew
    calls: list[dict[str, Any]]
    waits: list[float]
    began: float
    """By the sandbox's clock, the first call."""

    @property
    def refused(self) -> int:
        return sum(call["status"] == 429 for call in self._ours())

    @property
    def accepted(self) -> list[float]:
        return sorted(call["at_s"] for call in self._ours() if call["status"] == 200)

    def a_minute(self, begin: float = 0.0, end: float | None = None) -> float:
        """Accepted calls a minute, from the first to the last one between two moments."""
        until = self.began + (self.crew.seconds if end is None else end)
        within = [at for at in self.accepted if self.began + begin <= at <= until]
        return (len(within) - 1) * 60 / (within[-1] - within[0])

    def _ours(self) -> list[dict[str, Any]]:
        return [call for call in self.calls if call["headers"].get("user-agent") != OTHERS]


FULL: Final = (
    *(Crew("R1", model, 300.0) for model in MODELS),
    *(Crew("R3", model, 600.0, people=4.0) for model in MODELS),
    Crew("R4", "sliding", 630.0, script=SCRIPT),
    *(Crew("R5", model, 600.0, others=5.0) for model in ("minute", "anchored")),
)
SHORT: Final = (Crew("R1", "sliding", 30.0), Crew("R3", "minute", 30.0, people=20.0))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.limiter", usage=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--goal", choices=("R1", "R3", "R4", "R5"))
    chosen = parser.parse_args(arguments)
    crews = [crew for crew in (SHORT if chosen.short else FULL) if chosen.goal in {None, crew.goal}]
    return 0 if all(measure(crews, seed=chosen.seed)) else 1


def measure(crews: Sequence[Crew] = FULL, *, seed: int) -> list[bool]:
    """Let all crews work side by side, then publish what their ledgers say. Whether each figure passed."""
    ran = run(crews, seed=seed)
    figures = [figure for one in ran for figure in _figures(one, seed)]
    figures += _people([one for one in ran if one.waits], seed)
    return [publish(figure) for figure in figures]


def run(crews: Sequence[Crew], *, seed: int) -> list[Ran]:
    with services.postgresql() as database, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="countersign-bench-")))
        (folder / "static").mkdir()  # WhiteNoise warns of a missing folder
        environment = _environment(folder, database)
        for words in (["migrate", "-v0"], ["createcachetable"]):
            subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True)
        places = [folder / str(number) for number in range(len(crews))]
        clios = [
            stack.enter_context(_sandbox(place, crew, seed))
            for place, crew in zip(places, crews, strict=True)
        ]
        progress(f"limiter: {len(crews)} crews for {max(crew.seconds for crew in crews):.0f} seconds")
        at_work = [
            _start(crew, clio, environment, seed + number)
            for number, (crew, clio) in enumerate(zip(crews, clios, strict=True))
        ]
        _play_scripts(crews, clios)
        told = [process.communicate()[0] for process in at_work]
        if any(process.returncode for process in at_work):
            raise RuntimeError("a crew failed; see above")
        return [
            _ran(crew, clio, json.loads(waits)) for crew, clio, waits in zip(crews, clios, told, strict=True)
        ]


def _environment(folder: Path, database: str) -> dict[str, str]:
    return {
        **bare_environment(),
        **DEFAULTS,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATA_DIR": str(folder),
        "DATABASE_URL": database,
    }


@contextmanager
def _sandbox(folder: Path, crew: Crew, seed: int) -> Iterator[SandboxProcess]:
    with running_sandbox(folder, rate_limit=crew.script[0][1], rate_model=crew.model) as clio:
        for number, seconds in enumerate(JITTER):
            plan = {"seconds": seconds, "count": None, "probability": 0.5, "seed": seed + number}
            clio.fault("*", "delay", **plan)
        yield clio


def _start(crew: Crew, clio: SandboxProcess, environment: dict[str, str], seed: int) -> subprocess.Popen[str]:
    words = [
        "--workers",
        WORKERS,
        "--seconds",
        crew.seconds,
        "--people",
        crew.people,
        "--others",
        crew.others,
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "bench.crew", *map(str, words), "--seed", str(seed)],
        cwd=ROOT,
        env={
            **environment,
            "CLIO_SANDBOX_URL": clio.api_url,
            "CLIO_SANDBOX_STORAGE_URL": clio.storage_url,
            "CLIO_SANDBOX_CONTROL_URL": clio.control_url,
        },
        stdout=subprocess.PIPE,
        text=True,
    )


def _play_scripts(crews: Sequence[Crew], clios: Sequence[SandboxProcess]) -> None:
    """Change the limits when it is time, counted from the first call."""
    for crew, clio in zip(crews, clios, strict=True):
        if len(crew.script) > 1:
            wait_until(partial(_is_called, clio), what="a crew to begin", within=120)
    changes = sorted(
        (at, limit, clio) for crew, clio in zip(crews, clios, strict=True) for at, limit in crew.script[1:]
    )
    began = time.monotonic()
    for at, limit, clio in changes:
        time.sleep(max(0.0, began + at - time.monotonic()))
        progress(f"limiter: a sandbox allows {limit} calls a minute now")
        clio.switch(rate_limit=limit)


def _is_called(clio: SandboxProcess) -> bool:
    return bool(clio.calls(listener="api", limit=1))


def _ran(crew: Crew, clio: SandboxProcess, waits: list[float]) -> Ran:
    calls = clio.calls(listener="api")
    return Ran(crew, calls, waits, began=min(call["at_s"] for call in calls))


def _figures(ran: Ran, seed: int) -> list[Figure]:
    match ran.crew.goal:
        case "R4":
            return [_refused(ran, seed, at_most=2), *_follows(ran, seed)]
        case "R5":
            return [_refused(ran, seed, at_most=1)]
        case "R3":
            return [_refused(ran, seed, at_most=0)]
        case _:
            return [_refused(ran, seed, at_most=0), _used(ran, seed)]


def _refused(ran: Ran, seed: int, *, at_most: int) -> Figure:
    crew = ran.crew
    beside = f", beside {crew.others:g} calls a minute of another program" if crew.others else ""
    return Figure(
        id=f"{crew.goal}_{crew.model}_429",
        target=at_most,
        value=ran.refused,
        n=len(ran.accepted),
        seed=seed,
        compared_with=f"{WORKERS} processes, {crew.seconds:g} s, {ran.a_minute():.2f} calls a minute{beside}",
    )


def _used(ran: Ran, seed: int) -> Figure:
    crew = ran.crew
    used = ran.a_minute() / LIMIT
    return Figure(
        id=f"{crew.goal}_{crew.model}_share_of_limit",
        target=0.965 if crew.is_full else 0.8,
        value=round(used, 4),
        n=len(ran.accepted),
        seed=seed,
        compared_with=f"set to {SHARE} of {LIMIT} a minute; {used * LIMIT / 2:.2f} documents a minute",
        at_least=True,
    )


def _follows(ran: Ran, seed: int) -> list[Figure]:
    """Two of the last minutes under each new limit, as a share of the pace that is meant."""
    ends = [at for at, _ in ran.crew.script[1:]] + [ran.crew.seconds]
    return [
        Figure(
            id=f"R4_from_{before}_to_{limit}_share_of_pace",
            target=0.95,
            value=round(ran.a_minute(end - 140, end - 20) / (SHARE * limit), 4),
            n=len(ran.accepted),
            seed=seed,
            compared_with=f"{SHARE} of {limit} a minute; two minutes, {end - 140 - at:g} s after the change",
            at_least=True,
        )
        for (_, before), (at, limit), end in zip(ran.crew.script, ran.crew.script[1:], ends[1:], strict=False)
    ]


def _people(ran: Sequence[Ran], seed: int) -> list[Figure]:
    waits = [wait for one in ran for wait in one.waits]
    if not waits:
        return []
    return [
        Figure(
            id=f"R3_person_waits_{name}_s",
            target=target if ran[0].crew.is_full else 4.0,
            value=round(percentile(waits, share), 3),
            n=len(waits),
            seed=seed,
            compared_with=f"a backlog that never ends; median {percentile(waits, 0.5):.3f} s, "
            f"one pace is {60 / (SHARE * LIMIT):.3f} s",
        )
        for name, share, target in (("p95", 0.95, 1.5), ("p99", 0.99, 2.5))
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
