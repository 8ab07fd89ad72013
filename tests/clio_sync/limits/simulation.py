"""Hours of a budget in simulated time: workers, people, housekeeping and others against a server that counts.

The budget's own arithmetic decides, the server counts as the sandbox does (anchored, on the minute, sliding),
and every delay comes from one seed, so a run says the same each time.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from clio_sync.api.client import CallReport
from clio_sync.api.limits import RateReading
from clio_sync.limits import feedback
from clio_sync.limits.budget import WINDOW, Priority, take
from clio_sync.models import RateState

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MODELS = ("anchored", "minute", "sliding")

Steps = Generator[float, None, None]
"""An actor of the simulation: it yields the moment at which it goes on."""


def moment(at: float) -> datetime:
    return START + timedelta(seconds=at)


@dataclass
class Server:
    """Counts calls as Clio may: `limit(at)` in each window of 60 seconds."""

    model: str
    limit: Callable[[float], int]
    calls: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    anchor: float = -math.inf
    outage: tuple[float, float] = (-1.0, -1.0)

    def answer(self, at: float) -> CallReport:
        if self.outage[0] <= at < self.outage[1]:
            return report(503)
        limit, (began, used) = self.limit(at), self._window(at)
        if len(used) >= limit:
            self.refused.append(at)
            ends = used[-limit] + WINDOW if self.model == "sliding" else began + WINDOW
            wait = max(1, math.ceil(ends - at))
            return report(429, retry_after=wait, rate=self._reading(at, ends, limit, 0))
        self.calls.append(at)
        ends = (used[0] if used else at) + WINDOW if self.model == "sliding" else began + WINDOW
        return report(200, rate=self._reading(at, ends, limit, limit - len(used) - 1))

    def _reading(self, at: float, ends: float, limit: int, left: int) -> RateReading:
        """As the headers say it: in whole seconds, the end rounded up and the answer's date down."""
        return RateReading(limit, left, math.ceil(ends), float(math.ceil(ends) - math.floor(at)))

    def _window(self, at: float) -> tuple[float, list[float]]:
        began = at - WINDOW
        if self.model == "minute":
            began = at - at % WINDOW
        elif self.model == "anchored":
            if at >= self.anchor + WINDOW:
                self.anchor = at
            began = self.anchor
        recent = itertools.takewhile(lambda call: call > at - WINDOW, reversed(self.calls))
        return began, [call for call in reversed(list(recent)) if call >= began]


def report(
    status: int | None, *, retry_after: float | None = None, rate: RateReading | None = None
) -> CallReport:
    return CallReport("GET x", status, rate or RateReading(), "", 0.1, retry_after)


@dataclass
class World:
    """One connection's budget, the server it calls, and the clock."""

    server: Server
    seed: int
    jitter: float = 0.5
    """Seconds at most until a call arrives, and again until its answer does."""
    budgets: int = 1
    """More than one is a mistake: each worker believes that the limit is its own share."""
    share: int = 50
    hear: Callable[[RateState, datetime, CallReport], bool] = feedback.hear
    person_as: Priority = Priority.INTERACTIVE
    now: float = 0.0
    pauses: int = 0
    waits: dict[str, list[float]] = field(default_factory=dict)
    made: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        random.seed(self.seed)  # the jitter of a pause
        self.states = [RateState(limit=self.share, next_at=START) for _ in range(self.budgets)]
        self.order = itertools.count()
        self.todo: list[tuple[float, int, Steps]] = []

    def add(self, actor: Steps, *, at: float = 0.0) -> None:
        heapq.heappush(self.todo, (at, next(self.order), actor))

    def run(self, seconds: float) -> None:
        while self.todo and self.todo[0][0] < seconds:
            self.now, _, actor = heapq.heappop(self.todo)
            at = next(actor, None)
            if at is not None:
                self.add(actor, at=at)

    def worker(self, number: int) -> Steps:
        """Documents without end: reserve, transfer, confirm."""
        while True:
            yield from self.call("reserve", Priority.RESERVE, number, math.inf)
            yield self.now + self.chance.uniform(0.1, 0.4)
            yield from self.call("confirm", Priority.CONFIRM, number, math.inf)

    def people(self, a_minute: float) -> Steps:
        while True:
            yield self.now + self.chance.expovariate(a_minute / 60)
            self.add(self.call("person", self.person_as, 0, math.inf), at=self.now)

    def housekeeping(self) -> Steps:
        while True:
            yield from self.call("sweep", Priority.SWEEP, 0, math.inf)

    def somebody_else(self, a_minute: float) -> Steps:
        """Another program with the same token, which obeys Retry-After and nothing else."""
        while True:
            yield self.now + self.chance.expovariate(a_minute / 60)
            refused = len(self.server.refused)
            answer = self.server.answer(self.now)
            if answer.retry_after:
                del self.server.refused[refused:]
                yield self.now + answer.retry_after

    def call(self, kind: str, priority: Priority, worker: int, patience: float) -> Steps:
        """As `limits.turns` waits and calls."""
        state, asked = self.states[worker % self.budgets], self.now
        while not (turn := take(state, moment(self.now), priority)).is_booked:
            yield self.now + max(turn.wait, 0.002) + self.chance.uniform(0, 0.01)
        yield self.now + turn.wait
        self.waits.setdefault(kind, []).append(self.now - asked)
        yield self.now + self.chance.uniform(0, self.jitter)
        answer = self.server.answer(self.now)
        self.made.setdefault(kind, []).append(self.now)
        yield self.now + self.chance.uniform(0, self.jitter)
        self.pauses += self.hear(state, moment(self.now), answer)

    @property
    def refused(self) -> int:
        return len(self.server.refused)

    def a_minute(self, begin: float, end: float) -> float:
        """Calls the server accepted a minute between two moments."""
        return sum(begin <= call < end for call in self.server.calls) * 60 / (end - begin)


def busy(
    model: str,
    *,
    seed: int = 1,
    workers: int = 4,
    limit: Callable[[float], int] | None = None,
    **given: object,
) -> World:
    """A backlog that never ends, and four calls a minute that a person waits for."""
    world = World(Server(model, limit or (lambda _: 50)), seed, **given)  # type: ignore[arg-type]
    for number in range(workers):
        world.add(world.worker(number))
    world.add(world.people(4.0))
    return world
