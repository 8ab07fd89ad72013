"""The short form of `make chaos`: the misfortunes that are over in seconds."""

from __future__ import annotations

import pytest

from bench import chaos
from bench.crash.plans import GOALS

QUICK = (
    "transfer_done_answer_lost",
    "storage_is_down",
    "confirmation_done_answer_lost",
    "clio_says_slower",
    "broker_emptied_after_the_yes",
)


@pytest.mark.parametrize(
    "pair", [pytest.param(pair, marks=pytest.mark.xdist_group(f"{pair}-crash")) for pair in chaos.PAIRS]
)
def test_death_or_loss_at_any_point_costs_no_document(pair: str) -> None:
    assert chaos.crash(pair, ["S1"], "--runs", 5)


@pytest.mark.xdist_group("production-crash")
def test_every_seeded_bug_is_noticed() -> None:
    assert chaos.crash("production", ["S10"])


@pytest.mark.parametrize(
    "pair", [pytest.param(pair, marks=pytest.mark.xdist_group(f"{pair}-crash")) for pair in chaos.PAIRS]
)
def test_lost_answers_and_stopped_workers_cost_calls_and_nothing_else(pair: str) -> None:
    goals = [goal for goal in ("S4", "S3", "S5") if goal in GOALS[pair]]
    assert chaos.crash(pair, goals, "--runs", 5, "--documents", 30)


@pytest.mark.parametrize(
    "pair", [pytest.param(pair, marks=pytest.mark.xdist_group(f"{pair}-aside")) for pair in chaos.PAIRS]
)
def test_misfortune_costs_no_document(pair: str) -> None:
    scenarios = [scenario for scenario in chaos.SCENARIOS if scenario.name in QUICK]
    assert len(scenarios) == len(QUICK)
    assert all(chaos.play(pair, scenarios, documents=2, seed=chaos.SEED, limit=600))
