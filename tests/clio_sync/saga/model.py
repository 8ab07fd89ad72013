"""The rules of filing on paper: one delivery, a clock, a Clio, and every way in which two things go wrong.

Pure Python, nothing of the product. Workers are generators that stop before each write and each call; there
the plan may kill them, put them to sleep, or lose an answer. `explore` runs every plan of one and two.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

LEASE, QUIESCE, BELL, ADDRESS, GATE, END = 120, 90, 15, 600, 700, 9000
FINAL: Final = {"filed", "withdrawn"}


class Fault(StrEnum):
    CRASH = "the worker dies before this step"
    SLEEP = "it sleeps here, and wakes when others may have gone on"
    LOSE = "the call is carried out, and its answer is lost"
    DROP = "the call never arrives, which nobody can tell from the one before"
    LIE = "storage says yes and keeps nothing"
    FORGET = "the database loses its last write, and the worker dies"
    RESTORE = "the database is as it was when the intent was recorded; the gate opens after a while"
    RESTORE_LATER = "the same, as it was when the reservation was recorded"
    WISH = "a person takes it back"


HAPPENS: Final = {
    "write": (Fault.CRASH, Fault.SLEEP, Fault.FORGET, Fault.RESTORE, Fault.RESTORE_LATER, Fault.WISH),
    "put": (Fault.CRASH, Fault.SLEEP, Fault.LOSE, Fault.DROP, Fault.LIE),
}
BACK_TO: Final = {Fault.RESTORE: "reserving", Fault.RESTORE_LATER: "reserved"}
A_CALL: Final = (Fault.CRASH, Fault.SLEEP, Fault.LOSE, Fault.DROP)


@dataclass(frozen=True)
class Rules:
    """The design; each rule can be left out, to see what it is there for."""

    compare_and_set: bool = True  # writes are filtered on the fence, and the document's id is set once
    search: bool = True  # an unanswered reservation is looked for before it is repeated
    resume: bool = True  # a later worker goes on where the last one stood
    read_back: bool = True  # an unanswered confirmation is read before it is repeated


@dataclass(frozen=True)
class Schedule:
    sleep: int = 200  # seconds
    lag: int = 0  # seconds until Clio's search shows a reservation
    renews: bool = True  # Clio gives a fresh address for a reservation
    workers: int = 1  # that hear each bell


@dataclass
class Row:
    state: str = "queued"
    fence: int = 0
    lease: int = 0
    not_before: int = 0
    intent: int = 0
    doc: int | None = None
    deadline: int = 0
    wish: bool = False


@dataclass
class Document:
    born: int
    has_bytes: bool = False
    visible: bool = False
    deleted: bool = False


Step = tuple[str, Any]
Worker = Generator[Step, Any, Any]


class Lost(Exception):
    """No answer, or one that says nothing about what became of the call."""


class Ghost(Exception):
    """The row is in other hands."""


class CalledBack(Exception):
    """Nothing was sent."""


class Stopped(Exception):
    """Only a person can say what is to be done: somebody removed the document."""


class NotYet(Exception):
    """The earlier call may still be on its way."""


@dataclass
class World:
    rules: Rules
    schedule: Schedule
    faults: Mapping[int, Fault]
    now: int = 0
    row: Row = field(default_factory=Row)
    clio: list[Document] = field(default_factory=list)
    past: list[Row] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    edges: set[tuple[str, str]] = field(default_factory=set)
    exchanged: int = 0  # how often the database was; every connection to the one before is broken
    gate_until: int = 0

    # Clio

    def ask(self, call: str, what: Any) -> Any:
        if call == "post":
            self.clio.append(Document(self.now))
            return len(self.clio) - 1
        if call == "find":
            return [
                number
                for number, one in enumerate(self.clio)
                if not one.deleted and one.born + self.schedule.lag <= self.now
            ]
        document = self.clio[what]
        if call == "put":
            document.has_bytes = True
        if call == "delete":
            document.deleted = True
        if document.deleted:
            return "gone"
        if call == "get":
            return "finished" if document.visible else "unfinished"
        if call == "patch":
            said = "already" if document.visible else "done" if document.has_bytes else "missing"
            document.visible = document.has_bytes
            return said
        return None

    # The database

    def claim(self) -> Row | None:
        free = self.row.lease < self.now or not self.rules.compare_and_set
        if self.row.state in FINAL or not free or max(self.row.not_before, self.gate_until) > self.now:
            return None
        self.row.fence, self.row.lease = self.row.fence + 1, self.now + LEASE
        mine = replace(self.row)
        return mine if self.rules.resume else replace(mine, state="queued", doc=None)

    def write(self, fence: int, changes: dict[str, Any]) -> None:
        exchanged = changes.pop("exchanged")
        if exchanged != self.exchanged:
            raise Ghost
        if self.rules.compare_and_set:
            second = changes.get("doc") is not None and self.row.doc is not None
            if self.row.fence != fence or self.row.state in FINAL or second:
                raise Ghost
        self.past.append(replace(self.row))
        to = changes.get("state", self.row.state)
        if to != self.row.state:
            self.edges.add((self.row.state, to))
        self.row = replace(self.row, **{"lease": self.now + LEASE, **changes})

    def take_back(self) -> None:
        if self.row.state == "queued" and self.row.lease < self.now:
            self.edges.add(("queued", "withdrawn"))
            self.row = replace(self.row, state="withdrawn", fence=self.row.fence + 1)
        elif self.row.state not in FINAL:
            self.row.wish = True

    # One step of one worker

    def step(self, worker: Worker, step: Step, fence: int) -> Step | None:
        """The worker's next step, or None when it is gone."""
        fault = self.faults.get(len(self.trace))
        self.trace.append(step[0])
        self.now += 1
        if fault is Fault.WISH:
            self.take_back()
        if fault is Fault.FORGET and self.past:
            self.row, self.exchanged = self.past.pop(), self.exchanged + 1
        if fault in BACK_TO:
            self.row = next((row for row in self.past if row.state == BACK_TO[fault]), self.row)
            self.exchanged, self.gate_until = self.exchanged + 1, self.now + GATE
        if fault in {Fault.CRASH, Fault.FORGET, *BACK_TO}:
            worker.close()
            return None
        try:
            return worker.send(self.outcome(step, fault, fence))
        except (Lost, Ghost) as error:
            return _thrown(worker, error)
        except StopIteration:
            return None

    def outcome(self, step: Step, fault: Fault | None, fence: int) -> Any:
        name, what = step
        if name == "write":
            return self.write(fence, what)
        answer = self.ask(name, what) if fault not in {Fault.DROP, Fault.LIE} else None
        if fault in {Fault.LOSE, Fault.DROP}:
            raise Lost
        return answer


def _thrown(worker: Worker, error: Exception) -> Step | None:
    try:
        return worker.throw(error)
    except (StopIteration, Ghost):
        return None


def filing(world: World, mine: Row) -> Worker:
    """What one worker does with its claim."""

    connected_to = world.exchanged

    def write(**changes: Any) -> Worker:
        yield "write", {**changes, "exchanged": connected_to}
        vars(mine).update(changes)
        mine.wish = world.row.wish

    def call(name: str, what: Any = None, *, goes_on: bool = True, **changes: Any) -> Worker:
        yield from write(**changes)
        if goes_on and mine.wish:
            raise CalledBack
        return (yield name, what)

    def look(*, goes_on: bool = False) -> Worker:
        seen = yield from call("get", mine.doc, goes_on=goes_on)
        if seen == "gone":
            raise Stopped
        return seen

    def queued() -> Worker:
        if mine.wish:
            yield from write(state="withdrawn", lease=0)
            return
        yield from write(state="reserving", intent=world.now)
        doc = yield from call("post", intent=world.now)
        yield from write(state="reserved", doc=doc, deadline=world.now + ADDRESS)

    def reserving() -> Worker:
        if world.now < mine.intent + QUIESCE:
            raise NotYet
        found = (yield from call("find", goes_on=False)) if world.rules.search else []
        finished = [doc for doc in found if world.clio[doc].visible]
        if not found:
            yield from write(state="queued")
        elif finished:
            yield from write(state="confirming", doc=finished[0])
        else:
            fresh = world.now + ADDRESS if world.schedule.renews else 0
            yield from write(state="reserved", doc=found[0], deadline=fresh)

    def reserved() -> Worker:
        if mine.wish:
            yield from write(state="abandoning")
            return
        if mine.deadline <= world.now:
            if (yield from look(goes_on=True)) == "finished":
                yield from write(state="confirming")
                return
            if not world.schedule.renews:
                yield from write(state="abandoning")
                return
            yield from write(deadline=world.now + ADDRESS)
        yield from call("put", mine.doc)
        yield from write(state="transferred")

    def transferred() -> Worker:
        if mine.wish:
            yield from write(state="abandoning")
            return
        yield from write(state="confirming")
        said = yield from call("patch", mine.doc)
        if said == "gone":
            raise Stopped
        if said == "missing":
            yield from write(state="reserved")
        elif said == "done" or (world.rules.read_back and (yield from look()) == "finished"):
            yield from write(state="filed", lease=0)
        else:
            raise Lost

    def confirming() -> Worker:
        if not world.rules.read_back:
            yield from write(state="transferred")
        elif (yield from look()) == "finished":
            yield from write(state="filed", lease=0)
        else:
            yield from write(state="transferred")

    def abandoning() -> Worker:
        for act in ("get", "delete", "get"):
            seen = yield from call(act, mine.doc, goes_on=False)
            if seen == "finished":
                yield from write(state="confirming")
                return
        if mine.wish:
            yield from write(state="withdrawn", lease=0)
        else:
            yield from write(state="queued", doc=None)

    steps = (queued, reserving, reserved, transferred, confirming, abandoning)
    ways = {way.__name__: way for way in steps}
    try:
        while mine.state not in FINAL:
            try:
                yield from ways[mine.state]()
            except CalledBack:
                if mine.state == "reserving":
                    yield from write(state="queued")
    except NotYet:
        yield from write(lease=0, not_before=mine.intent + QUIESCE)
    except Lost:
        yield from write(lease=0, not_before=world.now + 5)
    except Stopped:
        yield from write(lease=0, not_before=END)


@dataclass(frozen=True)
class Outcome:
    world: World

    @property
    def visible(self) -> int:
        return sum(one.visible and not one.deleted for one in self.world.clio)

    @property
    def litter(self) -> int:
        return sum(not one.visible and not one.deleted for one in self.world.clio)

    @property
    def verdict(self) -> str:
        if self.visible > 1:
            return "duplicate"
        if self.world.row.not_before == END:
            return "person"
        if self.world.row.state not in FINAL:
            return "stuck"
        wanted_back = Fault.WISH in self.world.faults.values()
        if self.world.row.state == "withdrawn":
            return "fine" if wanted_back and not self.visible else "wrong"
        return "fine" if self.visible else "lost"


def run(schedule: Schedule, faults: Mapping[int, Fault], rules: Rules) -> Outcome:
    """Bells ring, workers look, sleepers wake, until it is over and nobody sleeps any more."""
    world = World(rules, schedule, faults)
    awake: list[tuple[Worker, Step, int]] = []
    asleep: list[tuple[int, tuple[Worker, Step, int]]] = []
    while world.now < END and (awake or asleep or not _is_over(world.row)):
        awake += [one for wakes, one in asleep if wakes <= world.now]
        asleep = [(wakes, one) for wakes, one in asleep if wakes > world.now]
        if not awake:
            world.now += BELL
            awake = [begun for _ in range(schedule.workers) if (begun := _begin(world))]
            continue
        worker, step, fence = awake.pop(0)
        if world.faults.get(len(world.trace)) is Fault.SLEEP:
            world.trace.append(step[0])
            asleep.append((world.now + schedule.sleep, (worker, step, fence)))
        elif (following := world.step(worker, step, fence)) is not None:
            awake.append((worker, following, fence))
    return Outcome(world)


def _is_over(row: Row) -> bool:
    return row.state in FINAL or row.not_before == END


def _begin(world: World) -> tuple[Worker, Step, int] | None:
    mine = world.claim()
    if mine is None:
        return None
    worker = filing(world, mine)
    return worker, next(worker), mine.fence


def explore(schedule: Schedule, rules: Rules, *, faults: int = 2) -> Iterator[Outcome]:
    """Every plan of up to so many misfortunes, each at a step that the plan before it came to."""
    yield from _explore(schedule, rules, {}, faults)


def _explore(
    schedule: Schedule, rules: Rules, plan: dict[int, Fault], more: int, start: int = 0
) -> Iterator[Outcome]:
    outcome = run(schedule, plan, rules)
    yield outcome
    if more:
        for number in range(start, len(outcome.world.trace)):
            for fault in HAPPENS.get(outcome.world.trace[number], A_CALL):
                yield from _explore(schedule, rules, {**plan, number: fault}, more - 1, number + 1)
