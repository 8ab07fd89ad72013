"""What makes plans come true inside a worker. The product knows nothing of it: it only names its points."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from django.conf import settings
from django.db import OperationalError, connection

from bench.crash import bugs
from bench.crash.plans import Book, Halt, Plan
from bench.crash.points import FULL
from clio_sync import crashpoints, filing, sweeping, timing
from clio_sync.filing import transferring
from clio_sync.limits import feedback
from clio_sync.models import Delivery
from portal.accounts.models import User
from portal.audit.log import Actor
from reviews import actions

BROKEN: Final = "broken"
REWOUND: Final = (
    *("state", "hold", "intent_at", "attempts", "clio_document_id", "clio_version_uuid"),
    *("clio_version_number", "put_url_sealed", "put_headers", "put_deadline", "storage_etag", "sha256_sent"),
)


def book() -> Book:
    return Book(Path(settings.DATA_DIR) / "crash")


@dataclass
class Look:
    """One look of this process at one delivery."""

    delivery_id: UUID
    plan: Plan
    seen: Counter[str] = field(default_factory=Counter)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def come_to(self, point: str) -> None:
        self.seen[point] += 1
        for halt in self.plan.halts:
            if halt.since == point:
                self.rows[point] = Delivery.objects.values(*REWOUND).get(pk=self.delivery_id)
            if halt.at == point and self.seen[point] == halt.hit and _book.mark(self.plan.name, halt.at):
                _ACTS[halt.act](self, halt)


_book = book()
_look: Look | None = None
is_own_process = False
"""Whether this process exists to be stopped. The others wait until it was."""


def install() -> None:
    """For the rest of this process and of those it forks."""
    crashpoints.on_point = come_to
    for owner, name, wrapped in (
        (filing, "deliver", _under_plan),
        (sweeping, "ring", _unless_unheard),
        (httpx.Client, "send", _noticed),
    ):
        setattr(owner, name, wrapped(getattr(owner, name)))
    # Each 429 is the misfortune of one document: dozens of them are not to slow down all that follow.
    feedback.SLOWER = 1.0  # type: ignore[misc]


def come_to(point: str) -> None:
    if _look is not None:
        _look.come_to(point)


def plan_of(delivery_id: UUID) -> Plan | None:
    destination = Delivery.objects.values_list("approval__destination", flat=True).get(pk=delivery_id)
    return _book.read(destination["file_name"])


def _under_plan(deliver: Callable[[UUID], None]) -> Callable[[UUID], None]:
    def deliver_under_plan(delivery_id: UUID) -> None:
        plan = plan_of(delivery_id)
        if plan is None:
            deliver(delivery_id)
        elif plan.bug == bugs.ACKNOWLEDGED_EARLY and not _book.mark(plan.name, "heard"):
            return
        elif is_own_process or not plan.in_own_process or has_been_stopped(plan):
            with _looking(delivery_id, plan), _broken_bugs_told(plan), bugs.let_in(plan.bug):
                deliver(delivery_id)

    return deliver_under_plan


@contextmanager
def _broken_bugs_told(plan: Plan) -> Iterator[None]:
    """A bug that no longer fits the product stops it in its own way, and proves nothing."""
    try:
        yield
    except (AttributeError, NameError, TypeError):
        _book.mark(plan.name, BROKEN)
        raise


def has_been_stopped(plan: Plan) -> bool:
    return all(_book.is_marked(plan.name, halt.at) for halt in plan.halts)


@contextmanager
def _looking(delivery_id: UUID, plan: Plan) -> Iterator[None]:
    global _look  # noqa: PLW0603 - one process, one thread, one delivery at a time
    _look = Look(delivery_id, plan)
    try:
        with _spans(plan), connection.execute_wrapper(_on_a_full_disk):
            yield
    finally:
        _look = None


@contextmanager
def _spans(plan: Plan) -> Iterator[None]:
    """This document's own spans of time, instead of minutes."""
    spans = {
        (timing, "LEASE"): plan.lease,
        (timing, "QUIESCE"): plan.quiesce,
        (transferring, "NEAR_DEADLINE"): plan.near_deadline,
    }
    with ExitStack() as stack:
        for (module, name), seconds in spans.items():
            if seconds is not None:
                stack.enter_context(patch.object(module, name, timedelta(seconds=seconds)))
        yield


def _on_a_full_disk(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """Each of the worker's changes of state is a place at which the disk may be full."""
    if _look is not None and sql.startswith('UPDATE "clio_sync_delivery"'):
        for state in {*params} & {*Delivery.State.values} if '"state" = ' in sql else ():
            come_to(f"write {state}")
    return execute(sql, params, many, context)


def _unless_unheard(ring: Callable[..., None]) -> Callable[..., None]:
    def ring_if_heard(delivery_id: UUID, *, after: float = 0.0) -> None:
        plan = plan_of(delivery_id)
        if plan is None or plan.bug != bugs.ACKNOWLEDGED_EARLY:
            ring(delivery_id, after=after)

    return ring_if_heard


def _noticed(send: Callable[..., httpx.Response]) -> Callable[..., httpx.Response]:
    def send_noticed(client: httpx.Client, request: httpx.Request, **how: Any) -> httpx.Response:
        call = name_of(request)
        come_to(f"before {call}")
        response = send(client, request, **how)
        come_to(f"after {call}")
        return response

    return send_noticed


def name_of(request: httpx.Request) -> str:
    path = urlsplit(str(request.url)).path.removesuffix(".json")
    if "/oauth/" in path:
        return "OAuth"
    if request.method != "GET":
        return request.method
    return "search" if path.endswith("/documents") else "look"


# What can happen at a point.


def _kill(look: Look, halt: Halt) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_all(look: Look, halt: Halt) -> None:
    """The pool's parent dies as well: nobody puts the message back."""
    os.kill(os.getppid(), signal.SIGKILL)
    _kill(look, halt)


def _pause(look: Look, halt: Halt) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _rewind(look: Look, halt: Halt) -> None:
    """The row stands as it stood before the last commit; nothing of the worker is left."""
    Delivery.objects.filter(pk=look.delivery_id).update(**look.rows[halt.since])
    _kill(look, halt)


def _trash(look: Look, halt: Halt) -> None:
    """Somebody in Clio throws the unfinished document away."""
    document_id = Delivery.objects.values_list("clio_document_id", flat=True).get(pk=look.delivery_id)
    control = os.environ["CRASH_CONTROL_URL"]
    done = httpx.post(f"{control}/act", json={"act": "trash_document", "document_id": document_id})
    done.raise_for_status()


def _take_back(look: Look, halt: Halt) -> None:
    """Alice changes her mind."""
    alice = User.objects.get(email__startswith="alice@")
    draft_id = Delivery.objects.values_list("approval__draft_ref", flat=True).get(pk=look.delivery_id)
    actions.take_back(draft_id, by=alice, actor=Actor.user(alice))


def _full(look: Look, halt: Halt) -> None:
    raise OperationalError("database or disk is full")


_ACTS: Final[dict[str, Callable[[Look, Halt], None]]] = {
    "kill": _kill,
    "kill all": _kill_all,
    "pause": _pause,
    "rewind": _rewind,
    "trash": _trash,
    "take back": _take_back,
    FULL: _full,
}
