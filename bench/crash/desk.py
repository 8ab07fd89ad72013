"""The people of a run: they submit, approve, and see to what needs them. Everything through the real gate."""

from __future__ import annotations

import io
import os
import random
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from django.core.management import call_command
from django.db import connections

from bench.crash import bells, hooks
from bench.crash.fleet import Fleet
from bench.crash.plans import Plan
from bench.figures import progress
from bench.rig import WORDS
from clio_sync import bell, crashpoints, filing
from clio_sync.models import Connection, Delivery, RateState
from portal import blobs
from portal.accounts.models import User
from portal.audit.log import Actor
from portal.stack import processes
from reviews import actions, attestation
from reviews.models import Draft
from tests import factories
from tests.sandbox_process import ALICE, BOB, PRIYA, SandboxProcess

AGREED: Final = {statement.code for statement in attestation.STATEMENTS}
CLIO_USERS: Final = {"alice": ALICE, "bob": BOB, "priya": PRIYA}
BETWEEN_LOOKS: Final = 0.5
STILL: Final = 300.0
TOLD_EVERY: Final = 10
State, Hold = Delivery.State, Delivery.Hold


@dataclass
class Desk:
    """Carol submits and alice approves, over one connection for each of the sandbox's users."""

    sandbox: SandboxProcess
    seed: int
    carol: User
    alice: User
    links: dict[str, Connection]
    matter_id: int
    drafts: dict[str, Draft] = field(default_factory=dict)  # by the plan's name
    own_workers: dict[str, int] = field(default_factory=dict)  # process ids, by the plan's name
    helped: set[str] = field(default_factory=set)
    continued: dict[str, int] = field(default_factory=dict)  # the ledger's last call at that moment

    def plan(self, plans: Iterable[Plan]) -> None:
        """Submit a document for each, and tell the workers and the sandbox what shall happen to it."""
        faults = []
        for plan in plans:
            self.drafts[plan.name] = self._submitted(plan)
            hooks.book().write(plan)
            faults += [dict(fault) for fault in plan.faults]
        if faults:
            self.sandbox.control("POST", "/faults", faults)

    def approve(self, plan: Plan) -> None:
        if plan.approver_dies_at:
            self._approve_and_die(plan)
        elif plan.in_own_process:
            self._approve_for_an_own_worker(plan)
        else:
            self._approve(plan)
        for number in range(plan.extra_bells):
            bell.ring(self.delivery(plan.name).pk, after=1.0 + number * 0.4)

    def approve_all(self, plans: Sequence[Plan], fleet: Fleet) -> None:
        for plan in plans:
            self.approve(plan)
            fleet.tend()
        progress(f"{len(plans)} approved")

    def lose_bells(self, plans: Sequence[Plan]) -> None:
        """Approve them, and empty the broker while nobody listens to it."""
        for plan in plans:
            self._approve(plan)
        if lost := bells.empty_the_broker():
            for plan in plans[:lost]:
                hooks.book().mark(plan.name, "bell lost")

    def watch(self, fleet: Fleet, plans: Sequence[Plan], *, still: float = STILL) -> None:
        """Until all are over, or none has come to its end for `still` seconds: those are stuck.

        Dead workers are replaced, stopped ones go on, people do their part.
        """
        waiting = {plan.name: plan for plan in plans}
        left, moved = len(waiting), time.monotonic()
        while waiting and time.monotonic() < moved + still:
            time.sleep(BETWEEN_LOOKS)
            fleet.tend()
            if len(waiting) < left:
                left, moved = len(waiting), time.monotonic()
                if left % TOLD_EVERY == 0:
                    progress(f"{left} of {len(plans)} to come")
            for name, state, hold in self._standing(waiting):
                plan = waiting[name]
                if state in Delivery.FINAL and self._is_alone(plan):
                    del waiting[name]
                elif plan.person and name not in self.helped and self._wants_help(plan, hold):
                    self._help(plan)
        self._end_own_workers(plans)

    def is_submitted(self, plan: Plan) -> bool:
        return plan.name in self.drafts

    def is_approved(self, plan: Plan) -> bool:
        return Delivery.objects.filter(approval__draft_ref=self.drafts[plan.name].pk).exists()

    def delivery(self, name: str) -> Delivery:
        return Delivery.objects.select_related("approval").get(approval__draft_ref=self.drafts[name].pk)

    def _submitted(self, plan: Plan) -> Draft:
        place = factories.destination(
            self.links[plan.clio_user], matter_id=self.matter_id, file_name=plan.name
        )
        return actions.submit(
            _content(plan, _text(self.seed, plan)),
            title=plan.name,
            destination=place,
            submitter=self.carol,
            actor=Actor.user(self.carol),
        )

    def _approve(self, plan: Plan) -> None:
        draft = Draft.objects.select_related("latest_version").get(pk=self.drafts[plan.name].pk)
        version = draft.latest_version
        assert version is not None
        seen = actions.Seen(version_id=version.pk, sha256=version.sha256, revision=draft.revision)
        actions.approve(draft.pk, seen, agreed=AGREED, by=self.alice, actor=Actor.user(self.alice))

    def _approve_and_die(self, plan: Plan) -> None:
        """The process that approves is killed. Whoever finds nothing approved does it again."""

        def die_there(point: str) -> None:
            if point == plan.approver_dies_at and hooks.book().mark(plan.name, point):
                os.kill(os.getpid(), signal.SIGKILL)

        def approve() -> None:
            crashpoints.on_point = die_there
            self._approve(plan)

        os.waitpid(_fork(approve), 0)
        if not self.is_approved(plan):
            self._approve(plan)

    def _approve_for_an_own_worker(self, plan: Plan) -> None:
        self._approve(plan)
        delivery_id = self.delivery(plan.name).pk

        def work() -> None:
            hooks.install()
            hooks.is_own_process = True
            while not hooks.has_been_stopped(plan):
                filing.deliver(delivery_id)
                time.sleep(0.1)

        self.own_workers[plan.name] = _fork(work)

    def _standing(self, waiting: Iterable[str]) -> Iterator[tuple[str, str, str]]:
        names = {self.drafts[name].pk: name for name in waiting}
        rows = Delivery.objects.filter(approval__draft_ref__in=names)
        for draft, state, hold in rows.values_list("approval__draft_ref", "state", "hold"):
            yield names[draft], state, hold

    def _is_alone(self, plan: Plan) -> bool:
        """Nobody works on it any more: a worker that was stopped goes on now, and comes to its end."""
        worker = self.own_workers.get(plan.name)
        if worker is None:
            return True
        if plan.name not in self.continued:
            self.continued[plan.name] = self.sandbox.last_call_id()
            os.kill(worker, signal.SIGCONT)
        ended, _ = os.waitpid(worker, os.WNOHANG)
        if ended:
            del self.own_workers[plan.name]
        return bool(ended)

    def _end_own_workers(self, plans: Sequence[Plan]) -> None:
        for plan in plans:
            worker = self.own_workers.pop(plan.name, None)
            if worker is not None:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
                os.waitpid(worker, 0)

    def _wants_help(self, plan: Plan, hold: str) -> bool:
        return hooks.has_been_stopped(plan) if plan.person == "take back" else hold == Hold.PERSON

    def _help(self, plan: Plan) -> None:
        draft, actor = self.drafts[plan.name], Actor.user(self.alice)
        self.helped.add(plan.name)
        if plan.person == "restore":
            self.sandbox.act("restore_document", document_id=self.delivery(plan.name).clio_document_id)
            actions.retry_filing(draft.pk, by=self.alice, actor=actor)
        elif plan.person == "take back":
            actions.take_back(draft.pk, by=self.alice, actor=actor)
        else:
            actions.cancel_filing(draft.pk, by=self.alice, actor=actor)


def open_desk(sandbox: SandboxProcess, *, seed: int) -> Desk:
    """An empty database becomes a firm at work."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("seed_demo_people", stdout=io.StringIO())
    people = {user.email.partition("@")[0]: user for user in User.objects.all()}
    links = {name: _connected(people["dana"], sandbox, clio_user) for name, clio_user in CLIO_USERS.items()}
    return Desk(sandbox, seed, people["carol"], people["alice"], links, sandbox.matter_id())


def _connected(dana: User, sandbox: SandboxProcess, clio_user: int) -> Connection:
    link = factories.connection(connected_by=dana, clio_user_id=clio_user)
    factories.tokens_for(link, sandbox)
    RateState.objects.create(
        connection=link, limit=sandbox.control("GET", "/switches")["switches"]["rate_limit"]["value"]
    )
    return link


def _content(plan: Plan, text: bytes) -> actions.Content:
    """As the intake hands it on. The door's look into each file is not the subject, and costs a process."""
    blob = blobs.store([text], limit=len(text))
    return actions.Content(
        sha256=blob.sha256,
        size=blob.size,
        media_type="text/plain",
        file_name=plan.name,
        page_count=None,
        findings=[],
        provenance={},
    )


def _text(seed: int, plan: Plan) -> bytes:
    text = " ".join(random.Random(f"{seed}:{plan.name}").choices(WORDS, k=plan.size // 4))
    return f"{plan.name} of {seed}\n\n{text}\n".encode()


def _fork(act: Callable[[], None]) -> int:
    """Do it in a child of this process, with a connection to the database of its own."""
    connections.close_all()
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        if follow := processes.die_with(parent, signal.SIGKILL):
            follow()
        act()
    finally:
        os._exit(0)
