"""Three simulated hours of a budget at each kind of window, and mistakes that must show."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from bench.figures import percentile
from clio_sync.api.client import CallReport
from clio_sync.limits import feedback
from clio_sync.limits.budget import Priority
from clio_sync.models import RateState
from tests.clio_sync.limits.simulation import MODELS, World, busy

HOUR = 3600.0
SETTLED = 120.0


def hours(world: World, hours: float) -> World:
    world.run(hours * HOUR)
    return world


def share(world: World, limit: int = 50) -> float:
    """How much of what the server allows was used."""
    return world.a_minute(SETTLED, world.now) / limit


@pytest.mark.parametrize("model", MODELS)
def test_three_hours_without_a_429_and_a_person_hardly_waits(model: str) -> None:
    world = hours(busy(model), 3)
    assert world.refused == 0
    assert share(world) >= 0.965
    assert percentile(world.waits["person"], 0.95) <= 1.5
    assert percentile(world.waits["person"], 0.99) <= 2.5
    assert world.states[0].foreign == 0


@pytest.mark.parametrize("workers", [1, 2, 8, 16])
def test_the_number_of_workers_does_not_matter(workers: int) -> None:
    """One worker alone spends a part of the time on the transfer, the others do not wait for it."""
    world = hours(busy("sliding", workers=workers), 0.5)
    assert world.refused == 0
    assert share(world) >= (0.96 if workers > 1 else 0.6)


@pytest.mark.parametrize("model", MODELS)
def test_a_slow_network_costs_little(model: str) -> None:
    world = hours(busy(model, jitter=1.0), 1)
    assert world.refused <= 1
    assert share(world) >= 0.95


@pytest.mark.parametrize("model", MODELS)
def test_a_limit_that_falls_and_rises_in_mid_run(model: str) -> None:
    def limit(at: float) -> int:
        return 50 if at < 590 else 25 if at < 1190 else 75

    world = hours(busy(model, limit=limit), 0.6)
    assert world.refused <= 2
    assert world.pauses == world.refused
    assert world.a_minute(600, 660) <= 25
    assert world.a_minute(890, 1190) >= 0.94 * 25
    assert world.a_minute(1190 + 60, 1190 + 8 * 60) >= 0.94 * 75


@pytest.mark.parametrize("model", MODELS)
def test_somebody_else_at_the_same_token_is_noticed(model: str) -> None:
    world = busy(model)
    world.add(world.somebody_else(5.0))
    hours(world, 2)
    assert world.refused <= 6
    assert share(world) >= 0.8
    assert world.states[0].foreign > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_server_that_is_away_for_ten_minutes_is_asked_twenty_times(model: str) -> None:
    world = busy(model)
    world.server.outage = (600.0, 1200.0)
    asked: list[float] = []
    answer = world.server.answer

    def note(at: float) -> CallReport:
        asked.append(at)
        return answer(at)

    world.server.answer = note  # type: ignore[method-assign]
    hours(world, 0.5)
    assert sum(600 <= at < 1200 for at in asked) <= 5 + 20 + 4
    assert world.refused == 0
    assert world.a_minute(1260, 1800) >= 48


def test_housekeeping_gets_nothing_of_a_busy_budget_and_a_tenth_of_an_idle_one() -> None:
    crowded = busy("minute")
    crowded.add(crowded.housekeeping())
    assert hours(crowded, 0.5).made.get("sweep", []) == []

    idle = busy("minute", workers=0)
    idle.add(idle.housekeeping())
    assert len(hours(idle, 1).made["sweep"]) == pytest.approx(60 * 4.85, abs=8)


def deaf(state: RateState, now: datetime, report: CallReport) -> bool:
    """The mistake of not listening to a 429."""
    return report.status != 429 and feedback.hear(state, now, report)


MISTAKES: dict[str, dict[str, Any]] = {
    "everybody has the same rank": {"person_as": Priority.RESERVE},
    "each worker has a budget of its own": {"budgets": 4},
    "the limit is divided among the workers": {"budgets": 4, "share": 12},
    "a 429 is not listened to": {"hear": deaf, "limit": lambda at: 50 if at < 590 else 25},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_simulation_finds_a_mistake(mistake: str) -> None:
    """Each breaks at least one of the promises that the tests above make."""
    worst = [hours(busy(model, **MISTAKES[mistake]), 0.5) for model in MODELS]
    refused = max(world.refused for world in worst)
    person = max(percentile(world.waits.get("person", [99.0]), 0.95) for world in worst)
    assert refused > 2 or person > 1.5, (refused, person)
