from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from clio_sync import lifecycle
from tests.clio_sync.saga.model import QUIESCE, Fault, Outcome, Rules, Schedule, explore, run

SCHEDULES = (
    Schedule(),
    Schedule(sleep=1000, workers=2),
    Schedule(sleep=130, lag=60),
    Schedule(sleep=1000, renews=False),
    Schedule(sleep=300, lag=QUIESCE + 60),
)
MAY_LITTER = {Fault.SLEEP, Fault.FORGET, Fault.RESTORE, Fault.RESTORE_LATER}


@cache
def every_plan(schedule: Schedule) -> tuple[Outcome, ...]:
    return tuple(explore(schedule, Rules(), faults=2))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_whatever_two_misfortunes_befall_it_one_document_is_seen_or_none_if_it_was_taken_back(
    schedule: Schedule,
) -> None:
    verdicts = Counter(outcome.verdict for outcome in every_plan(schedule))
    assert set(verdicts) <= {"fine", "person"}
    assert verdicts["fine"] > 2000
    for outcome in every_plan(schedule):
        if outcome.verdict == "person":  # the database forgot that the portal itself removed it
            assert Fault.RESTORE_LATER in outcome.world.faults.values()
            assert outcome.visible <= 1


@pytest.mark.parametrize("schedule", [one for one in SCHEDULES if one.lag < QUIESCE], ids=str)
def test_litter_is_left_only_by_ghosts_and_exchanged_databases(schedule: Schedule) -> None:
    for outcome in every_plan(schedule):
        if not MAY_LITTER & set(outcome.world.faults.values()):
            assert outcome.litter == 0, outcome.world.faults


def test_without_misfortune_two_calls_to_clio_are_all_it_takes() -> None:
    trace = run(Schedule(), {}, Rules()).world.trace
    assert [step for step in trace if step != "write"] == ["post", "put", "patch"]


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        (Rules(compare_and_set=False), "duplicate"),
        (Rules(search=False), "duplicate"),
        (Rules(resume=False), "duplicate"),
        (Rules(resume=False), "stuck"),
        (Rules(read_back=False), "stuck"),
    ],
)
def test_each_rule_is_there_for_something(rules: Rules, verdict: str) -> None:
    """A single misfortune is enough without it."""
    outcomes = list(explore(Schedule(workers=2), rules, faults=1))
    assert verdict in {outcome.verdict for outcome in outcomes}


def test_the_code_has_the_states_and_ways_of_the_model() -> None:
    walked = {
        edge for schedule in SCHEDULES for outcome in every_plan(schedule) for edge in outcome.world.edges
    }
    assert walked == {(str(here), str(to)) for here, ways in lifecycle.EDGES.items() for to in ways}
