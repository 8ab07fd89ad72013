"""The rounds of `bench.restore`: what happens before the backup, after it, and after it was restored."""

from __future__ import annotations

import io
import random
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from unittest.mock import patch

from django.core.management import call_command
from django.db import connections

from bench.figures import Figure, progress, publish
from bench.restore import Backup
from clio_sync import deliveries, filing, sweeping, timing
from clio_sync.elsewhere import FiledBefore
from clio_sync.models import Delivery
from portal import gate
from portal.audit.log import Actor
from reviews.models import Draft, Status
from tests import factories
from tests.cast import Cast
from tests.clio_sync.filing_kit import Died, Office, dying_at, office
from tests.sandbox_process import SandboxProcess

State, Hold = Delivery.State, Delivery.Hold

POINTS: Final = ("", "C04", "C05", "C07", "C09", "C11", "C13", "C15", "person")
"""Where the backup finds a delivery: not begun, given to a person, or where a worker died."""
LATER_POINTS: Final = ("", "", "", "", "C07", "C09", "C15")
"""How far an approval of the time after the backup comes: mostly to the end."""
LEASE, QUIESCE = timedelta(seconds=1), timedelta(milliseconds=300)


@dataclass
class Tally:
    rounds: int = 0
    documents: int = 0
    duplicates: int = 0
    lost: int = 0
    calls_while_closed: int = 0
    left_open: int = 0
    refused: int = 0
    not_over: int = 0


@dataclass
class Round:
    """One backup of one portal."""

    firm: Office
    backup: Backup
    seed: int
    tally: Tally
    chance: random.Random = field(init=False)
    made: dict[str, str] = field(default_factory=dict)  # SHA-256 of every document of this round: what it is

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def play(self, documents: int, *, with_gate: bool) -> None:
        begun = self._before(documents)
        connections.close_all()
        self.backup.make()
        self._after(begun, documents)
        connections.close_all()
        self.backup.restore()
        with ExitStack() as bug:
            if with_gate:
                self._try_while_closed()
                self._reconcile()
            else:
                bug.enter_context(patch.object(gate, "closed", lambda: None))
                bug.enter_context(patch.object(gate, "advance", lambda: None))
            self._approve_what_waits()
            self._finish()
        self._judge()

    def _before(self, documents: int) -> list[Delivery]:
        filed = [self._approve(self._draft("filed")) for _ in range(documents // 5)]
        for delivery in filed:
            self.firm.work_until_done(delivery)
        begun = [self._left_at(POINTS[number % len(POINTS)], filed) for number in range(documents // 3)]
        for number in range(documents // 3):
            self._draft("waiting", new_version_of=self.chance.choice(filed) if number % 4 == 0 else None)
        gate.advance()
        return begun

    def _after(self, begun: list[Delivery], documents: int) -> None:
        """The time that the backup knows nothing of."""
        for delivery in begun:
            if self.chance.random() < 0.75:
                self._bring_on(delivery)
        for draft in self._undecided():
            if self.chance.random() < 0.7:
                self._work(self._approve(draft), self.chance.choice(LATER_POINTS))
        for _ in range(documents // 6):
            self._work(self._approve(self._draft("after the backup")), "")

    def _bring_on(self, delivery: Delivery) -> None:
        self.firm.later(delivery)
        delivery.refresh_from_db()
        if delivery.state == State.RESERVED and self.chance.random() < 0.5:
            Delivery.objects.filter(pk=delivery.pk).update(state=State.ABANDONING)  # its address was refused
        if delivery.hold == Hold.PERSON:
            deliveries.retry_now(delivery, actor=Actor.user(self.firm.cast.alice))
        self._work(delivery, self.chance.choice(LATER_POINTS))

    def _try_while_closed(self) -> None:
        """Workers look at everything, and the sweep rings: nothing may reach Clio."""
        self.tally.left_open += gate.closed() is None
        since = self.firm.clio.last_call_id()
        time.sleep(LEASE.total_seconds())
        for delivery in Delivery.objects.filter(state__in=Delivery.RUNNING):
            self.firm.later(delivery)
            filing.deliver(delivery.pk)
        sweeping.sweep()
        self.tally.calls_while_closed += len(self.firm.clio.calls(listener="api", since=since))

    def _reconcile(self) -> None:
        call_command("reconcile", stdout=io.StringIO(), stderr=io.StringIO())
        self.tally.left_open += gate.closed() is not None

    def _approve_what_waits(self) -> None:
        for draft in self._undecided():
            try:
                self._approve(draft)
            except FiledBefore:  # as the page advises
                Draft.objects.filter(pk=draft.pk).update(status=Status.REJECTED)
                self.tally.refused += 1

    def _finish(self) -> None:
        for delivery in Delivery.objects.filter(state__in=Delivery.RUNNING):
            if delivery.hold == Hold.PERSON:
                deliveries.retry_now(delivery, actor=Actor.user(self.firm.cast.alice))
            self.firm.work_until_done(delivery, looks=12)
        self.tally.not_over += Delivery.objects.filter(state__in=Delivery.RUNNING).count()

    def _judge(self) -> None:
        """By what the sandbox holds, finished and not in its trash."""
        held = Counter(
            version["sha256"]
            for document in self.firm.clio.documents()
            for version in document["versions"]
            if version["fully_uploaded"] and document["deleted_at"] is None
        )
        self.tally.rounds += 1
        self.tally.documents += len(self.made)
        for sha256, name in self.made.items():
            if held[sha256] != 1:
                progress(f"seed {self.seed}: {name} {held[sha256]} times")
            self.tally.duplicates += max(0, held[sha256] - 1)
            self.tally.lost += held[sha256] == 0

    def _draft(self, name: str, *, new_version_of: Delivery | None = None) -> Draft:
        content = f"{self.seed}/{len(self.made)} {self.chance.random()}".encode()
        place = {"document_id": new_version_of.clio_document_id} if new_version_of else {}
        draft = self.firm.draft(content, **place)
        assert draft.latest_version is not None
        self.made[draft.latest_version.sha256] = f"{name} {draft.pk}"
        return draft

    def _approve(self, draft: Draft) -> Delivery:
        return factories.approved(draft, by=self.firm.cast.alice)

    def _left_at(self, point: str, filed: list[Delivery]) -> Delivery:
        earlier = self.chance.choice(filed) if self.chance.random() < 0.2 else None
        delivery = self._approve(self._draft(f"left at {point or 'queued'}", new_version_of=earlier))
        if point == "person":
            Delivery.objects.filter(pk=delivery.pk).update(hold=Hold.PERSON, problem="forbidden")
        elif point:
            self._work(delivery, point)
        return delivery

    def _work(self, delivery: Delivery, point: str) -> None:
        """Until it is done, or a worker dies there. A point that it is past already is none."""
        if not point:
            self.firm.work_until_done(delivery)
            return
        self.firm.later(delivery)
        with suppress(Died, AssertionError), dying_at(point):
            filing.deliver(delivery.pk)

    def _undecided(self) -> list[Draft]:
        return list(Draft.objects.filter(status=Status.IN_REVIEW).order_by("submitted_at"))


def measure(
    clio: SandboxProcess,
    *,
    backup: Backup,
    database: str,
    rounds: int,
    documents: int,
    seed: int,
    with_gate: bool,
) -> bool:
    """True if nothing was filed twice, lost, or filed while the gate was closed."""
    timing.LEASE, timing.QUIESCE = LEASE, QUIESCE
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    firm, tally = office(Cast(), clio), Tally()
    for number in range(rounds):
        progress(f"restore on {database}: backup {number + 1} of {rounds}")
        Round(firm, backup, seed + number, tally).play(documents, with_gate=with_gate)
    return _published(tally, database, seed, with_gate=with_gate)


def _published(tally: Tally, database: str, seed: int, *, with_gate: bool) -> bool:
    told = (
        f"{tally.rounds} backups restored; {tally.refused} approvals refused because Clio held the document; "
        f"{tally.not_over} deliveries not over" + ("" if with_gate else "; without the gate")
    )
    values = {
        "duplicates": tally.duplicates,
        "lost": tally.lost,
        "calls_while_closed": tally.calls_while_closed,
        "gate_wrong": tally.left_open,
        "stuck": tally.not_over,
    }
    verdicts = [
        publish(
            Figure(
                id=f"S8_{name}_{database}",
                target=0,
                value=value,
                n=tally.rounds if name == "gate_wrong" else tally.documents,
                seed=seed,
                compared_with=told,
            )
        )
        for name, value in values.items()
    ]
    return all(verdicts)
