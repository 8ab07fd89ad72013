"""A running portal with its people at work, and the oracle that judges what became of their drafts."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx

from portal.demo import people
from portal.demo.browser import Browser
from portal.demo.examples import Example
from portal.demo.program import Outcome, Program
from portal.demo.sandbox import Ledger
from tests.stacks import Stack

OVER = {"filed", "needs_you", "withdrawn", "rejected", "returned"}
WORDS = (
    "the",
    "tenant",
    "shall",
    "give",
    "notice",
    "in",
    "writing",
    "before",
    "any",
    "assignment",
    "of",
    "lease",
)
PREFIX = "bench-"
PROVENANCE = {"tool": "Bench", "model": "none", "version": "1", "task": "Measure the filing."}


@dataclass(frozen=True)
class Judgement:
    """What the sandbox holds, compared with what was approved."""

    lost: int
    doubled: int
    wrong_bytes: int
    unapproved: int
    stuck: int

    @property
    def faults(self) -> int:
        return self.lost + self.doubled + self.wrong_bytes + self.unapproved + self.stuck


@dataclass(frozen=True)
class Rig:
    stack: Stack
    program: Program
    alice: Browser
    ledger: Ledger
    approved_names: set[str] = field(default_factory=set)

    def submit(self, documents: int, *, seed: int) -> dict[str, Example]:
        """New drafts of generated text, all different: draft id -> file."""
        made = [_example(seed, number) for number in range(documents)]
        return {self.program.submit(example, str(uuid.uuid4())): example for example in made}

    def approve(self, drafts: Mapping[str, Example]) -> None:
        for draft, example in drafts.items():
            self.approved_names.add(example.name)
            people.approve(self.alice, draft)

    def wait_for(self, drafts: Sequence[str], *, within: float) -> dict[str, Outcome]:
        """The outcomes of those that are over by then; asks gently, so as not to compete with the workers."""
        deadline = time.monotonic() + within
        outcomes: dict[str, Outcome] = {}
        while time.monotonic() < deadline and len(outcomes) < len(drafts):
            with suppress(httpx.TransportError):  # the web server may be the part that was killed
                outcomes |= self._over([draft for draft in drafts if draft not in outcomes])
            time.sleep(0.5)
        return outcomes

    def _over(self, drafts: Sequence[str]) -> dict[str, Outcome]:
        told = {draft: self.program.outcome(draft) for draft in drafts}
        return {draft: outcome for draft, outcome in told.items() if outcome.state in OVER}

    def judge(self, approved: dict[str, Example], outcomes: dict[str, Outcome]) -> Judgement:
        """By what the sandbox stores under these drafts' names, whatever the portal says of itself."""
        stored = self._stored_by_name()
        expected = {example.name: example.sha256 for example in approved.values()}
        found = {name: stored.get(name, []) for name in expected}
        return Judgement(
            lost=sum(not hashes for hashes in found.values()),
            doubled=sum(len(hashes) > 1 for hashes in found.values()),
            wrong_bytes=sum(sha256 != expected[name] for name, hashes in found.items() for sha256 in hashes),
            unapproved=sum(name not in self.approved_names for name in stored),
            stuck=sum(draft not in outcomes or outcomes[draft].state != "filed" for draft in approved),
        )

    def _stored_by_name(self) -> dict[str, list[str]]:
        """SHA-256 of every document that can be seen at the sandbox, by its name."""
        found: dict[str, list[str]] = {}
        for stored in self.ledger.documents().values():
            if stored.is_visible:
                found.setdefault(stored.name, []).append(stored.sha256)
        return found


@contextmanager
def at_work(stack: Stack) -> Iterator[Rig]:
    """The sandbox connected, carol's program with its key, alice signed in."""
    program = people.begin(stack.place)
    with people.at_browser(stack.place, "alice") as alice:
        yield Rig(stack, program, alice, Ledger(stack.place.sandbox_control))


def _example(seed: int, number: int) -> Example:
    chance = random.Random(f"{seed}:{number}")
    text = " ".join(chance.choices(WORDS, k=400))
    return Example(
        name=f"{PREFIX}{seed}-{number:04}.txt",
        content=f"Draft {seed}/{number}\n\n{text}\n".encode(),
        matter="2026-0042",
        title=f"Bench draft {number}",
        provenance=PROVENANCE,
    )
