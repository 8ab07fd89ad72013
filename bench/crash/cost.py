"""S4: what a document costs when nothing goes wrong. S3: when one answer in ten is lost after the act."""

from __future__ import annotations

from typing import Any, Final

from bench.crash.desk import Desk
from bench.crash.fleet import Fleet
from bench.crash.plans import Plan
from bench.crash.telling import tell, tell_faults
from bench.crash.verdict import Court, Outcome
from bench.figures import progress
from clio_sync import timing

HAPPY_CALLS: Final = 2.0
LOSSY_CALLS: Final = 2.35
SHARE_LOST: Final = 0.1
ROUTES: Final = (
    *("documents.create", "documents.update", "documents.show", "documents.list"),
    *("documents.versions", "documents.trash", "PUT /*"),
)


def measure_happy(desk: Desk, fleet: Fleet, *, on: str, documents: int) -> bool:
    """With the product's own spans: nothing is taken up twice because this machine was slow."""
    progress(f"S4 on {on}: {documents} documents, and no misfortune")
    lease, quiesce = timing.LEASE.total_seconds(), timing.QUIESCE.total_seconds()
    plans = [
        Plan(name=f"S4-{number:04}.txt", group="happy", lease=lease, quiesce=quiesce)
        for number in range(documents)
    ]
    since = desk.sandbox.last_call_id()
    outcomes = _filed(desk, fleet, plans)
    calls = len(desk.sandbox.calls(listener="api", since=since))
    dearest = max(outcome.calls for outcome in outcomes)
    is_exact = tell(
        f"S4_api_calls_a_document_{on}",
        calls / documents,
        target=HAPPY_CALLS,
        outcomes=outcomes,
        seed=desk.seed,
        beside=f"reserve and confirm, Clio's own minimum; the dearest document took {dearest}",
    )
    return tell_faults("S4", Court(desk), outcomes, on=on) and is_exact


def measure_lossy(desk: Desk, fleet: Fleet, *, on: str, documents: int) -> bool:
    progress(f"S3 on {on}: {documents} documents, every tenth answer lost")
    plans = [Plan(name=f"S3-{number:04}.txt", group="lossy") for number in range(documents)]
    lost = desk.sandbox.control("POST", "/faults", [_losing(route, desk.seed) for route in ROUTES])["ids"]
    outcomes = _filed(desk, fleet, plans)
    fired = {one["route"]: one["fired"] for one in _faults(desk) if one["id"] in lost}
    for fault in lost:
        desk.sandbox.control("DELETE", f"/faults/{fault}")
    is_cheap = tell(
        f"S3_api_calls_a_document_{on}",
        round(sum(outcome.calls for outcome in outcomes) / documents, 3),
        target=LOSSY_CALLS,
        outcomes=outcomes,
        seed=desk.seed,
        beside={"answers_lost": fired},
    )
    return tell_faults("S3", Court(desk), outcomes, on=on) and is_cheap


def _filed(desk: Desk, fleet: Fleet, plans: list[Plan]) -> list[Outcome]:
    desk.plan(plans)
    desk.approve_all(plans, fleet)
    desk.watch(fleet, plans)
    return Court(desk).judge(plans)


def _losing(route: str, seed: int) -> dict[str, Any]:
    return {
        "route": route,
        "kind": "lose_after",
        "count": None,
        "probability": SHARE_LOST,
        "seed": seed + ROUTES.index(route),
    }


def _faults(desk: Desk) -> list[dict[str, Any]]:
    return list(desk.sandbox.control("GET", "/faults")["faults"])
