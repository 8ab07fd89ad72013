"""T7 of `bench.refresh_storm`: the key that seals the tokens changes while the portal works."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection as Pipe

from django.conf import settings

from bench.figures import progress
from bench.rehearsal import Rehearsal, processes
from clio_sync import canary, keys

SECONDS_A_STEP = 2.0
Keys = Mapping[str, bytes]


def rotated(rehearsal: Rehearsal, *, crowd: int, rounds: int, seed: int) -> bool:
    """Each round makes a key, lets one process after the other know it, reseals, and retires the old one.

    The processes call Clio without pause, and their token is renewed all the time.
    """
    chance, faults, calls = random.Random(seed), 0, 0
    pipes = [_caller(rehearsal) for _ in range(crowd)]
    for number in range(rounds):
        old = dict(settings.TOKEN_KEYS)
        new = {f"k{seed}-{number}": chance.randbytes(32)}
        for held in ({**old, **new}, {**new, **old}):  # known to all first, then used
            _restart_each(rehearsal, pipes, held)
        settings.TOKEN_KEYS = {**new, **old}
        canary.prove()
        keys.reseal()
        for key_id in old:
            keys.retire(key_id)
        settings.TOKEN_KEYS = new
        _restart_each(rehearsal, pipes, new)
        canary.prove()
        progress(f"T7: key {number + 1} of {rounds}")
    for pipe in pipes:
        pipe.send(None)
        made, failed = pipe.recv()
        calls, faults = calls + made, faults + len(failed)
        if failed:
            progress(f"T7: failed calls: {Counter(failed)}")
    told = f"{crowd} processes, {rounds} keys; calls that failed while the key changed"
    return rehearsal.publish("T7", faults, n=calls, seed=seed, compared_with=told)


def _restart_each(rehearsal: Rehearsal, pipes: Sequence[Pipe], held: Keys) -> None:
    """One process after the other gets these keys, as a rolling restart would, while the token is renewed.

    At Clio it stays good: a token that ends there the moment it was given would rightly break the connection.
    """
    for pipe in pipes:
        pipe.send(held)
        rehearsal.let_it_be_renewed()
        time.sleep(SECONDS_A_STEP / len(pipes))


def _caller(rehearsal: Rehearsal) -> Pipe:
    ours, theirs = processes.Pipe()
    rehearsal.child(_call_without_pause, theirs)
    return ours


def _call_without_pause(rehearsal: Rehearsal, pipe: Pipe) -> None:
    made, failed = 0, []
    while True:
        if pipe.poll():
            held = pipe.recv()
            if held is None:
                break
            settings.TOKEN_KEYS = held
        made += 1
        wrong = rehearsal.call()
        failed += [wrong] if wrong else []
    pipe.send((made, failed))
