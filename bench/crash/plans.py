"""What shall happen to one document. Plans lie in a folder that every worker reads; what happened, too."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

Fault = Mapping[str, Any]
GOALS: Final = {
    "production": ("S1", "S4", "S3", "S5", "S6", "S10"),
    "embedded": ("S1", "S4", "S3"),  # one worker process, so that none overtakes another
}


@dataclass(frozen=True, kw_only=True)
class Halt:
    """When a worker comes to `at` for the `hit`th time of one look, `act` happens, once in all.

    `at` is a crash point, or `before` or `after` one of the calls POST, PUT, PATCH, DELETE, search, look.
    """

    at: str
    act: str = "kill"
    hit: int = 1
    since: str = ""  # of a `rewind`: the point at which the row stood as it will stand again


@dataclass(frozen=True, kw_only=True)
class Plan:
    name: str  # of the document, and of this plan
    group: str  # what it is a run of, such as a crash point
    halts: Sequence[Halt] = ()
    faults: Sequence[Fault] = ()  # of the sandbox, for calls about this document
    lease: float = 4.0
    quiesce: float = 2.5
    size: int = 600
    in_own_process: bool = False  # the worker that comes first is one that is to be stopped
    approver_dies_at: str = ""
    bell_is_lost: bool = False
    clio_user: str = "alice"  # whose connection files it
    person: str = ""  # what a person does when it needs one: restore, cancel; take back, while it is stopped
    may_end_as: Sequence[str] = ("filed",)
    extra_bells: int = 0  # rung in quick succession, while the first is answered
    near_deadline: float | None = None  # instead of the product's own margin before a signed address ends
    bug: str = ""


@dataclass(frozen=True)
class Mark:
    """Proof that a halt happened, written before anything of it did."""

    name: str
    at: str
    pid: int
    moment: float


@dataclass(frozen=True)
class Book:
    """The folder of plans and marks."""

    folder: Path
    _known: dict[str, Plan | None] = field(default_factory=dict)

    def write(self, plan: Plan) -> None:
        path = self._path("plans", plan.name)
        path.write_text(json.dumps(asdict(plan)), encoding="utf-8")

    def read(self, name: str) -> Plan | None:
        """The plan for a document; a document without one is left in peace."""
        if name not in self._known:
            path = self._path("plans", name)
            self._known[name] = _plan(json.loads(path.read_text("utf-8"))) if path.exists() else None
        return self._known[name]

    def mark(self, name: str, at: str) -> bool:
        """Write down that it happens now; False if it happened before."""
        try:
            with self._mark(name, at).open("x", encoding="utf-8") as file:
                file.write(json.dumps([name, at, os.getpid(), time.time()]))
        except FileExistsError:
            return False
        return True

    def is_marked(self, name: str, at: str) -> bool:
        return self._mark(name, at).exists()

    def marks(self) -> list[Mark]:
        written = [path.read_text("utf-8") for path in (self.folder / "marks").glob("*")]
        return [Mark(*json.loads(text)) for text in written if text]

    def _mark(self, name: str, at: str) -> Path:
        return self._path("marks", f"{name}~{at.replace(' ', '_')}")

    def _path(self, kind: str, name: str) -> Path:
        (self.folder / kind).mkdir(parents=True, exist_ok=True)
        return self.folder / kind / name


def _plan(told: dict[str, Any]) -> Plan:
    halts = tuple(Halt(**halt) for halt in told["halts"])
    return Plan(**{**told, "halts": halts, "may_end_as": tuple(told["may_end_as"])})
