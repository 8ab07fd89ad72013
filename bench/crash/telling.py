"""Outcomes as figures: one JSON line for each kind of fault."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from bench.crash.verdict import Court, Outcome
from bench.figures import Figure, percentile, publish

FAULTS: Final = ("lost", "visible_duplicates", "wrong_bytes", "misplaced", "stuck", "never_happened")
NAMED: Final = 20


def tell_faults(goal: str, court: Court, outcomes: Sequence[Outcome], *, on: str) -> bool:
    """Whether there are none: the line of a fault names its documents, any other what was beside it."""
    counts = {name: sum(getattr(outcome, name) for outcome in outcomes) for name in FAULTS}
    counts |= {"unapproved": court.unapproved(), "log_broken": court.log_is_broken()}
    verdicts = [
        tell(
            f"{goal}_{name}_{on}",
            count,
            outcomes=outcomes,
            seed=court.desk.seed,
            beside=guilty(outcomes, name) or beside(outcomes),
        )
        for name, count in counts.items()
    ]
    return all(verdicts)


def tell(
    name: str, value: float, *, outcomes: Sequence[Outcome], seed: int, beside: Any, target: float = 0
) -> bool:
    return publish(
        Figure(
            id=name,
            target=target,
            value=value,
            n=len(outcomes),
            seed=seed,
            compared_with=beside if isinstance(beside, str) else json.dumps(beside),
        )
    )


def guilty(outcomes: Sequence[Outcome], name: str) -> str:
    """The documents with this fault, so that a run can be looked into."""
    return ", ".join([one.plan.name for one in outcomes if getattr(one, name, 0)][:NAMED])


def beside(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    seconds = [outcome.seconds for outcome in outcomes if outcome.seconds is not None]
    return {
        "groups": len({outcome.plan.group for outcome in outcomes}),
        "api_calls_a_document": round(sum(outcome.calls for outcome in outcomes) / len(outcomes), 3),
        "unfinished_left_behind": dict(Counter(one.plan.group for one in outcomes if one.litter)),
        "seconds_to_the_end_p95": round(percentile(seconds, 0.95), 1) if seconds else None,
        "lease_s": outcomes[0].plan.lease,
        "quiesce_s": outcomes[0].plan.quiesce,
    }
