"""S10: twelve seeded bugs, each to be noticed; the product without it passes the same misfortune."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bench.crash import bugs, hooks
from bench.crash.desk import Desk
from bench.crash.fleet import Fleet
from bench.crash.plans import Plan
from bench.crash.points import ALREADY, Way, dying, ghost, lie, losing, plan, post
from bench.crash.verdict import Court, Outcome
from bench.figures import Figure, progress, publish

STILL: Final = 15.0
"""Seconds for the others to come to an end after the sound ones: some of the bugs leave documents stuck."""


@dataclass(frozen=True)
class Case:
    """A misfortune, and the count that stays at 0 unless the bug is there."""

    way: Way
    measure: Callable[[Outcome], int]


def litter(outcome: Outcome) -> int:
    return outcome.litter


def stuck(outcome: Outcome) -> int:
    return outcome.stuck


def duplicates(outcome: Outcome) -> int:
    return outcome.visible_duplicates


def refused_puts(outcome: Outcome) -> int:
    return outcome.refused_puts


def calls_too_many(outcome: Outcome) -> int:
    return max(0, outcome.calls - 2)


LATE: Final = post("delay", seconds=20.0)
"""The reservation arrives when everybody has given it up."""

TOGETHER: Final = {
    "no_compare_and_set": Case(
        losing(post("delay", seconds=3.0), extra_bells=3, lease=60.0, quiesce=1.0), calls_too_many
    ),
    "no_fence": Case(ghost("C05"), litter),
    "no_search": Case(losing(post("lose_after")), litter),
    "no_show_uncompleted": Case(losing(post("lose_after")), litter),
    bugs.ACKNOWLEDGED_EARLY: Case(dying("C09"), stuck),
    "post_again_on_timeout": Case(losing(post("lose_after")), litter),
    "confirmed_before_is_failure": Case(losing(lie(ALREADY, act=True)), stuck),
    "confirm_an_unsaved_id": Case(losing(LATE, lease=2.0, quiesce=2.0), duplicates),
    "chunked_transfer": Case(losing(), stuck),
    "intent_after_post": Case(dying("after POST"), litter),
}
ALONE: Final = {
    "sleep_in_lease": Case(losing(post("lose_after"), lease=2.0, quiesce=5.0), stuck),
    "deadline_ignored": Case(dying("C09", lease=13.0, near_deadline=4.0), refused_puts),
}
"""They keep workers busy, or need addresses that end soon."""
SHORT_ADDRESSES: Final = {"put_url_seconds": 12}


def measure(desk: Desk, fleet: Fleet, *, on: str) -> bool:
    progress(f"S10 on {on}: {len(bugs.NAMES)} seeded bugs")
    verdicts = _tried(desk, fleet, TOGETHER)
    desk.sandbox.switch(**SHORT_ADDRESSES)
    verdicts += _tried(desk, fleet, ALONE)
    missed = [one.bug for one in verdicts if not one.seeded]
    accused = [one.bug for one in verdicts if one.product]
    shown = {one.bug: f"{one.measure} {one.seeded}, without it {one.product}" for one in verdicts}
    return all(
        [
            _tell(desk, f"S10_seeded_bugs_missed_{on}", len(missed), missed or shown),
            _tell(desk, f"S10_product_accused_{on}", len(accused), accused or "of the same misfortunes"),
        ]
    )


@dataclass(frozen=True)
class Trial:
    bug: str
    measure: str
    seeded: int
    product: int


def _tried(desk: Desk, fleet: Fleet, cases: Mapping[str, Case]) -> list[Trial]:
    sound = {bug: plan(f"S10-{bug}-sound.txt", bug, case.way) for bug, case in cases.items()}
    seeded = {
        bug: replace(plan(f"S10-{bug}-seeded.txt", bug, case.way), bug=bug) for bug, case in cases.items()
    }
    plans = [*sound.values(), *seeded.values()]
    desk.plan(plans)
    desk.approve_all(plans, fleet)
    desk.watch(fleet, [*sound.values()])
    desk.watch(fleet, [*seeded.values()], still=STILL)
    court = Court(desk)
    if broken := [mark.name for mark in court.marks if mark.at == hooks.BROKEN]:
        raise RuntimeError(f"these seeded bugs no longer fit the product: {', '.join(broken)}")
    found, without = (_counted(court, some, cases) for some in (seeded, sound))
    return [Trial(bug, case.measure.__name__, found[bug], without[bug]) for bug, case in cases.items()]


def _counted(court: Court, plans: Mapping[str, Plan], cases: Mapping[str, Case]) -> dict[str, int]:
    return {bug: cases[bug].measure(court.judge([one])[0]) for bug, one in plans.items()}


def _tell(desk: Desk, name: str, value: int, beside: object) -> bool:
    return publish(
        Figure(
            id=name,
            target=0,
            value=value,
            n=len(bugs.NAMES),
            seed=desk.seed,
            compared_with=json.dumps(beside),
        )
    )
