"""T1, T3 and T4 of `bench.refresh_storm`, in the process that has the database and the settings."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from multiprocessing.connection import Connection as Pipe
from typing import Any, Final

from bench.figures import progress
from bench.rehearsal import Rehearsal, processes
from clio_sync import tokens
from clio_sync.models import Connection
from tests.stacks import wait_until

SLOWEST: Final = 3.0
ROTATIONS: Final = ("none", "new", "kill")

# Where a process is killed: the function of which module, and whether before or after it.
KILLED_AT: Final[dict[str, tuple[str, str, bool]]] = {
    "before the lease": ("clio_sync.tokens", "_takes_lease", True),
    "with the lease, before the call": ("clio_sync.tokens", "_asked", True),
    "while the answer is read": ("clio_sync.api.exchange", "read_body", True),
    "with the answer, before it is stored": ("clio_sync.tokens", "_stored", True),
    "in the transaction, before the row": ("clio_sync.tokens", "sealed", True),
    "in the transaction, before the entry": ("clio_sync.tokens", "record", True),
    "in the transaction, before it commits": ("clio_sync.tokens", "record", False),
    "stored, before it is used": ("clio_sync.tokens", "_stored", False),
}


def run(rehearsal: Rehearsal, *, short: bool, seed: int) -> list[bool]:
    """Publish the figures; whether each passed."""
    crowd, rounds, kills, naps = (8, 5, 1, 2) if short else (32, 100, 10, 20)
    return [
        storm(rehearsal, crowd=crowd, rounds=rounds, seed=seed),
        killed(rehearsal, times=kills, seed=seed),
        overslept(rehearsal, times=naps, seed=seed),
    ]


def without_lease(rehearsal: Rehearsal, *, seed: int) -> bool:
    """T1 with the bug that it must see: whoever finds the token over asks for a new one."""

    def always(row: Connection, me: str) -> bool:
        return True

    tokens._takes_lease = always
    return storm(rehearsal, crowd=8, rounds=2, seed=seed)


# T1: one renewal, whoever comes


def storm(rehearsal: Rehearsal, *, crowd: int, rounds: int, seed: int) -> bool:
    """`crowd` processes, started once, call Clio in the same moment of each round."""
    chance, pipes, children = random.Random(seed), [], []
    for _ in range(crowd):
        ours, theirs = processes.Pipe()
        pipes.append(ours)
        children.append(rehearsal.child(_at_each_word, theirs))
    faults = 0
    for number in range(rounds):
        faults += _round(rehearsal, pipes, chance)
        progress(f"T1: round {number + 1} of {rounds}, {faults} faults")
    for pipe in pipes:
        pipe.send(False)
    for child in children:
        child.join()
    told = f"{crowd} processes a round; renewals beyond the one, failed calls and broken connections"
    return rehearsal.publish("T1", faults, n=rounds, seed=seed, compared_with=told)


def _round(rehearsal: Rehearsal, pipes: Sequence[Pipe], chance: random.Random) -> int:
    since = rehearsal.end_token(rotation=chance.choice(ROTATIONS), slow_by=chance.uniform(0, SLOWEST))
    for pipe in pipes:
        pipe.send(True)
    failed = [wrong for wrong in (pipe.recv() for pipe in pipes) if wrong]
    renewals = rehearsal.renewals(since=since)
    if failed or renewals != 1:
        progress(f"T1: {renewals} renewals, failed calls: {failed}")
    return abs(renewals - 1) + len(failed)


def _at_each_word(rehearsal: Rehearsal, pipe: Pipe) -> None:
    while pipe.recv():
        pipe.send(rehearsal.call())


# T3: killed while renewing


def killed(rehearsal: Rehearsal, *, times: int, seed: int) -> bool:
    """A process dies at each point of a renewal; the next one must get on without a person."""
    tokens.LEASE = timedelta(seconds=1)  # the dead hold theirs for so long
    faults = 0
    for name in KILLED_AT:
        for _ in range(times):
            faults += _next_gets_on(rehearsal, name)
        progress(f"T3: killed {name}, {faults} faults")
    told = f"{len(KILLED_AT)} points; calls that failed afterwards, and connections that need reconnecting"
    return rehearsal.publish("T3", faults, n=times * len(KILLED_AT), seed=seed, compared_with=told)


def _next_gets_on(rehearsal: Rehearsal, point: str) -> int:

    rehearsal.end_token()
    victim = rehearsal.child(_die_while_renewing, point)
    victim.join()
    if victim.exitcode != -signal.SIGKILL:
        raise RuntimeError(f"the process was not killed {point}: {victim.exitcode}")
    wrong = rehearsal.call()
    return int(bool(wrong) or rehearsal.row().status != Connection.Status.ACTIVE)


def _die_while_renewing(rehearsal: Rehearsal, point: str) -> None:
    where, name, before = KILLED_AT[point]
    module = sys.modules[where]
    usual = getattr(module, name)

    def deadly(*arguments: Any, **named: Any) -> None:
        if not before:
            usual(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, deadly)
    rehearsal.call()


# T4: longer away than the lease


def overslept(rehearsal: Rehearsal, *, times: int, seed: int) -> bool:
    """While one waits for Clio its lease ends and another renews: the late answer must not be stored."""
    tokens.LEASE = timedelta(seconds=0.3)
    stored = 0
    for number in range(times):
        stored += _late_answer_counts(rehearsal)
        progress(f"T4: {number + 1} of {times} slept too long, {stored} stored")
    told = "late answers that were stored, and calls that failed"
    return rehearsal.publish("T4", stored, n=times, seed=seed, compared_with=told)


def _late_answer_counts(rehearsal: Rehearsal) -> int:
    version = rehearsal.row().token_version
    since = rehearsal.end_token(slow_by=1.5, calls=1)
    ours, theirs = processes.Pipe()
    late = rehearsal.child(_at_each_word, theirs)
    ours.send(True)
    _wait_for_holder(rehearsal)
    wrong = rehearsal.call()  # waits for the lease to end, and renews
    stood = rehearsal.row().token_version
    also_wrong = ours.recv()
    ours.send(False)
    late.join()
    if rehearsal.renewals(since=since) != 2 or stood != version + 1:
        raise RuntimeError("the lease did not end while its holder waited")
    return int(bool(wrong or also_wrong) or rehearsal.row().token_version != stood)


def _wait_for_holder(rehearsal: Rehearsal) -> None:

    wait_until(lambda: rehearsal.row().refresh_lease_owner != "", what="somebody to hold the lease")
