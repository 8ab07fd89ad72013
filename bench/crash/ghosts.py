"""S5: a worker stopped at each call to the outside goes on after another has filed the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bench.crash.desk import Desk
from bench.crash.fleet import Fleet
from bench.crash.points import LONGER_THAN_ONE_CHUNK, S3_DENIED, Way, ghost, patch, post, put, runs
from bench.crash.telling import tell, tell_faults
from bench.crash.verdict import Court
from bench.figures import progress

MOST_CALLS: Final = 1
AT_ONCE: Final = 40
"""Each stopped worker keeps a connection to the database."""
TURNED_AWAY: Final = put("status", status=403, body=S3_DENIED, count=2)

PLACES: Final[Mapping[str, Sequence[Way]]] = {
    "before_POST": [ghost("before POST")],
    "after_POST": [ghost("after POST")],
    "before_PUT": [ghost("before PUT")],
    "amid_PUT": [ghost("C10", hit=2, size=LONGER_THAN_ONE_CHUNK)],
    "after_PUT": [ghost("after PUT")],
    "before_PATCH": [ghost("before PATCH")],
    "after_PATCH": [ghost("after PATCH")],
    "before_search": [ghost("before search", post("lose_after"))],
    "after_search": [ghost("after search", post("lose_after"))],
    "before_look": [ghost("before look", patch("lose_after"))],
    "after_look": [ghost("after look", patch("lose_after"))],
    "before_DELETE": [ghost("before DELETE", TURNED_AWAY)],
    "after_DELETE": [ghost("after DELETE", TURNED_AWAY)],
}


def measure(desk: Desk, fleet: Fleet, *, on: str, each: int) -> bool:
    """`each` ghosts at every place."""
    plans = [*runs(PLACES, each=each, prefix="S5")]
    progress(f"S5 on {on}: {len(plans)} documents, {each} for each of {len(PLACES)} places")
    for first in range(0, len(plans), AT_ONCE):
        some = plans[first : first + AT_ONCE]
        desk.plan(some)
        desk.approve_all(some, fleet)
        desk.watch(fleet, some)
    court = Court(desk)
    outcomes = court.judge(plans)
    is_harmless = tell(
        f"S5_calls_of_a_woken_worker_{on}",
        max(outcome.calls_after_waking for outcome in outcomes),
        target=MOST_CALLS,
        outcomes=outcomes,
        seed=desk.seed,
        beside="the most of any; to Clio and its storage, after it went on",
    )
    return tell_faults("S5", court, outcomes, on=on) and is_harmless
