"""The goals that were asked for, one after the other on one firm."""

from __future__ import annotations

from argparse import Namespace

from bench.crash import cost, ghosts, matrix, seeded, soak
from bench.crash.desk import open_desk
from bench.crash.fleet import Fleet
from tests.services import Postgresql


def measure(chosen: Namespace, fleet: Fleet, database: Postgresql | None) -> bool:
    """True if every target is met."""
    desk = open_desk(fleet.sandbox, seed=chosen.seed)
    verdicts = []
    if "S1" in chosen.only:
        verdicts.append(matrix.measure(desk, fleet, on=chosen.on, each=chosen.runs))
    elif chosen.only:
        fleet.start()
    if "S4" in chosen.only:
        verdicts.append(cost.measure_happy(desk, fleet, on=chosen.on, documents=chosen.documents or 200))
    if "S3" in chosen.only:
        verdicts.append(cost.measure_lossy(desk, fleet, on=chosen.on, documents=chosen.documents or 500))
    if "S5" in chosen.only:
        verdicts.append(ghosts.measure(desk, fleet, on=chosen.on, each=max(1, chosen.runs // 5)))
    if "S6" in chosen.only:
        verdicts.append(soak.measure(desk, fleet, database, on=chosen.on, seconds=chosen.seconds))
    if "S10" in chosen.only:  # last: what its bugs do stays in the ledger
        verdicts.append(seeded.measure(desk, fleet, on=chosen.on))
    return all(verdicts)
