"""S1: a worker killed, or something lost, at each crash point, and all of it at the same time."""

from __future__ import annotations

from bench.crash.desk import Desk
from bench.crash.fleet import Fleet
from bench.crash.points import WAYS, runs
from bench.crash.telling import tell_faults
from bench.crash.verdict import Court
from bench.figures import progress

AT_ONCE = 100
"""Submitted together, while the workers are busy with those before."""


def measure(desk: Desk, fleet: Fleet, *, on: str, each: int) -> bool:
    """`each` runs for every point. No worker runs yet when it begins."""
    plans = [*runs(WAYS, each=each, prefix="S1")]
    progress(f"S1 on {on}: {len(plans)} documents, {each} for each of {len(WAYS)} points")
    unheard = [plan for plan in plans if plan.bell_is_lost]
    desk.plan(unheard)
    desk.lose_bells(unheard)
    fleet.start()
    heard = [plan for plan in plans if not plan.bell_is_lost]
    for first in range(0, len(heard), AT_ONCE):
        some = heard[first : first + AT_ONCE]
        desk.plan(some)
        desk.approve_all(some, fleet)
    desk.watch(fleet, plans)
    court = Court(desk)
    return tell_faults("S1", court, court.judge(plans), on=on)
