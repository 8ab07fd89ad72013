"""Kill, cut and slow things down while documents are filed, and let the sandbox's ledger judge.

    python -m bench.chaos                every scenario, on both pairs of database and broker
    python -m bench.chaos --only NAME    one scenario, or one of the goals S1, S3, S4, S5, S6, S8, S10
    python -m bench.chaos --list         their names

The goals (`bench.crash`) give single documents their own misfortunes; the scenarios befall a whole portal.

A figure's value is the number of documents lost, doubled, wrong, stuck or filed unapproved; its target is 0.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import redis

from bench.crash.plans import GOALS
from bench.figures import Figure, progress, publish
from bench.rig import Rig, at_work
from tests import stacks
from tests.stacks import Stack, wait_until

ROOT = Path(__file__).resolve().parents[1]
SEED = 20261121
OVER_WITHIN = 420.0  # a lease of a killed worker, Clio's lag, and some
UNDO = "3"

Plan = dict[str, Any]


def nothing(rig: Rig) -> None:
    """The faults alone are the misfortune."""


def kill_worker_in_mid_call(rig: Rig) -> None:
    """Once the sandbox has begun to answer slowly."""
    wait_until(
        lambda: any(fault["fired"] for fault in _faults(rig)), what="a call to meet the delay", within=60
    )
    time.sleep(0.5)
    rig.stack.kill("worker")


def kill_web(rig: Rig) -> None:
    rig.stack.kill("web")
    wait_until(rig.stack.answers, what="the site to answer again")


def kill_beat(rig: Rig) -> None:
    rig.stack.kill("beat")


def empty_the_broker(rig: Rig) -> None:
    """Everything that was rung for is forgotten."""
    broker = rig.stack.environment.get("CELERY_BROKER_URL", "")
    if broker.startswith("redis"):
        redis.Redis.from_url(broker).flushall()
    else:
        for message in (rig.stack.place.data / "broker" / "queue").glob("*"):
            message.unlink(missing_ok=True)


@dataclass(frozen=True)
class Scenario:
    name: str
    plans: Sequence[Plan] = ()
    act: Callable[[Rig], None] = field(default=nothing)


SCENARIOS = (
    Scenario("reservation_sent_answer_lost", [{"route": "documents.create", "kind": "lose_after"}]),
    Scenario("reservation_never_arrives", [{"route": "documents.create", "kind": "lose_before", "count": 2}]),
    Scenario("transfer_done_answer_lost", [{"route": "PUT /*", "kind": "lose_after"}]),
    Scenario("storage_is_down", [{"route": "PUT /*", "kind": "status", "status": 503, "count": 3}]),
    Scenario("confirmation_done_answer_lost", [{"route": "documents.update", "kind": "lose_after"}]),
    Scenario("clio_is_down", [{"route": "*", "kind": "status", "status": 503, "count": 6}]),
    Scenario(
        "clio_says_slower",
        [
            {"route": route, "kind": "status", "status": 429, "headers": {"Retry-After": "3"}}
            for route in ("documents.create", "documents.update")
        ],
    ),
    Scenario(
        "worker_killed_while_reserving",
        [{"route": "documents.create", "kind": "delay", "seconds": 2.0}],
        kill_worker_in_mid_call,
    ),
    Scenario(
        "worker_killed_while_transferring",
        [{"route": "PUT /*", "kind": "delay", "seconds": 2.0}],
        kill_worker_in_mid_call,
    ),
    Scenario(
        "worker_killed_while_confirming",
        [{"route": "documents.update", "kind": "delay", "seconds": 2.0, "after": True}],
        kill_worker_in_mid_call,
    ),
    Scenario("web_killed_after_the_yes", act=kill_web),
    Scenario("beat_killed_after_the_yes", act=kill_beat),
    Scenario("broker_emptied_after_the_yes", act=empty_the_broker),
)
PAIRS: dict[str, Callable[..., AbstractContextManager[Stack]]] = {
    "production": stacks.production,
    "embedded": stacks.embedded,
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", usage=__doc__)
    parser.add_argument(
        "--only", choices=[*GOALS["production"], "S8", *(scenario.name for scenario in SCENARIOS)]
    )
    parser.add_argument("--on", choices=list(PAIRS))
    parser.add_argument("--documents", type=int, default=5, help="of a scenario")
    parser.add_argument("--runs", type=int, default=50, help="of each crash point")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--list", action="store_true")
    chosen = parser.parse_args(arguments)
    if chosen.list:
        print("\n".join(scenario.name for scenario in SCENARIOS))
        return 0
    scenarios = [one for one in SCENARIOS if chosen.only in {None, one.name}]
    verdicts = []
    for pair in PAIRS:
        if chosen.on in {None, pair}:
            goals = [goal for goal in GOALS[pair] if chosen.only in {None, goal}]
            verdicts.append(not goals or crash(pair, goals, "--runs", chosen.runs, "--seed", chosen.seed))
            if chosen.only in {None, "S8"}:
                verdicts.append(restored(pair, "--seed", chosen.seed))
            verdicts += play(pair, scenarios, documents=chosen.documents, seed=chosen.seed)
    return 0 if all(verdicts) else 1


def crash(pair: str, goals: Sequence[str], *options: object) -> bool:
    """The goals of `bench.crash` on one pair, in a process of its own, which reads that pair's settings."""
    words = ["--on", pair, "--only", ",".join(goals), *map(str, options)]
    return (
        subprocess.run([sys.executable, "-m", "bench.crash", *words], cwd=ROOT, check=False).returncode == 0
    )


def restored(pair: str, *options: object) -> bool:
    """An older backup of that pair's database is restored under a portal that went on (`bench.restore`)."""
    words = ["--on", "postgresql" if pair == "production" else "sqlite", *map(str, options)]
    return (
        subprocess.run([sys.executable, "-m", "bench.restore", *words], cwd=ROOT, check=False).returncode == 0
    )


def play(
    pair: str, scenarios: Sequence[Scenario], *, documents: int, seed: int, limit: int = 50
) -> list[bool]:
    """Every scenario on one running stack, one after the other. True for each that cost nothing.

    `limit` is how many calls a minute the sandbox allows.
    """
    if not scenarios:
        return []
    with PAIRS[pair](UNDO_SECONDS=UNDO) as stack:
        stack.set_clio_limit(limit)
        with at_work(stack) as rig:
            return [
                _play(rig, scenario, pair=pair, documents=documents, seed=seed + number)
                for number, scenario in enumerate(scenarios)
            ]


def _play(rig: Rig, scenario: Scenario, *, pair: str, documents: int, seed: int) -> bool:
    progress(f"chaos on {pair}: {scenario.name}")
    began = time.monotonic()
    submitted = rig.submit(documents + 1, seed=seed)
    drafts = dict(list(submitted.items())[1:])  # the first is never approved, and must never be filed
    if scenario.plans:
        rig.stack.sandbox("POST", "/faults", json=list(scenario.plans))
    rig.approve(drafts)
    scenario.act(rig)
    outcomes = rig.wait_for(list(drafts), within=OVER_WITHIN)
    if scenario.plans and not all(fault["fired"] for fault in _faults(rig)):
        raise RuntimeError(f"{scenario.name}: the misfortune never happened: {_faults(rig)}")
    rig.stack.sandbox("DELETE", "/faults")
    judgement = rig.judge(drafts, outcomes)
    told = json.dumps(asdict(judgement))
    return publish(
        Figure(
            id=f"chaos_{scenario.name}_{pair}_faults",
            target=0,
            value=judgement.faults,
            n=documents,
            seed=seed,
            compared_with=f"{told}, over after {time.monotonic() - began:.0f} s",
        )
    )


def _faults(rig: Rig) -> list[Plan]:
    listed: list[Plan] = rig.stack.sandbox("GET", "/faults")["faults"]
    return listed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
