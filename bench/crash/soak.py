"""S6: documents keep coming while servers restart, the broker forgets, and workers are killed at random."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from django.db import Error, connections

from bench.crash import bells
from bench.crash.desk import Desk
from bench.crash.fleet import Fleet
from bench.crash.plans import Plan
from bench.crash.telling import tell, tell_faults
from bench.crash.verdict import Court
from bench.figures import progress
from tests.services import Postgresql

A_SECOND: Final = 1.0  # documents
PATIENCE: Final = 60.0


@dataclass
class Weather:
    """What befalls the whole portal, each at times drawn from the seed."""

    fleet: Fleet
    database: Postgresql | None
    chance: random.Random
    happened: Counter[str] = field(default_factory=Counter)
    _next: dict[str, float] = field(default_factory=dict)

    def blow(self) -> None:
        """Let happen what is due."""
        for name, (act, least, most) in self.kinds.items():
            due = self._next.setdefault(name, time.monotonic() + self.chance.uniform(least, most))
            if time.monotonic() >= due:
                act()
                self.happened[name] += 1
                self._next[name] = time.monotonic() + self.chance.uniform(least, most)

    @property
    def kinds(self) -> dict[str, tuple[Callable[[], object], float, float]]:
        kinds: dict[str, tuple[Callable[[], object], float, float]] = {
            "worker killed": (self._kill_a_worker, 2.0, 10.0),
            "pool killed": (lambda: self.fleet.kill("worker"), 40.0, 80.0),
            "beat killed": (lambda: self.fleet.kill("beat"), 40.0, 80.0),
            "broker emptied": (bells.empty_the_broker, 20.0, 60.0),
        }
        if self.database is not None:
            kinds["database restarted"] = (self._restart, 10.0, 40.0)
        return kinds

    def _kill_a_worker(self) -> None:
        children = self.fleet.children("worker")
        if children:
            with suppress(ProcessLookupError):
                os.kill(self.chance.choice(children), signal.SIGKILL)

    def _restart(self) -> None:
        assert self.database is not None
        connections.close_all()
        self.database.restart(by=self.chance.choice([signal.SIGINT, signal.SIGQUIT]))


def measure(desk: Desk, fleet: Fleet, database: Postgresql | None, *, on: str, seconds: float) -> bool:
    progress(f"S6 on {on}: {seconds:g} seconds of bad weather")
    weather = Weather(fleet, database, random.Random(desk.seed))
    plans = []
    for plan in _arriving(seconds):
        _in_spite_of_all(partial(desk.plan, [plan]), unless=partial(desk.is_submitted, plan))
        _in_spite_of_all(partial(desk.approve, plan), unless=partial(desk.is_approved, plan))
        plans.append(plan)
        weather.blow()
        fleet.tend()
    desk.watch(fleet, plans)
    court = Court(desk)
    outcomes = court.judge(plans)
    is_bad_weather = tell(
        f"S6_kinds_of_misfortune_missed_{on}",
        len(weather.kinds) - len(weather.happened),
        outcomes=outcomes,
        seed=desk.seed,
        beside=weather.happened,
    )
    return tell_faults("S6", court, outcomes, on=on) and is_bad_weather


def _arriving(seconds: float) -> Iterator[Plan]:
    """One document after the other, and time in between."""
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        yield Plan(name=f"S6-{number:05}.txt", group="soak")
        number += 1
        time.sleep(1 / A_SECOND)


def _in_spite_of_all(act: Callable[[], None], *, unless: Callable[[], bool]) -> None:
    """As people do: they look whether it went through, and otherwise do it again."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        with suppress(Error):
            if not unless():
                act()
            return
        connections.close_all()
        time.sleep(0.5)
    raise TimeoutError("the database does not come back")
