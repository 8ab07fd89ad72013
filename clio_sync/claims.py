"""Deliveries as workers move them: claim, renew, move, set down.

A claim is a lease with a number, the fence. Every write of a worker is filtered on the fence it claimed with,
so one that was stopped, swapped out or cut off for longer than its lease writes nothing. No lock and no
transaction is held while Clio is being called.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest

from clio_sync import timing
from clio_sync.bell import ring
from clio_sync.clock import database_now
from clio_sync.crashpoints import crashpoint
from clio_sync.deliveries import BELL_AHEAD, tell
from clio_sync.lifecycle import require_way
from clio_sync.models import Delivery
from clio_sync.problems import Problem
from clio_sync.retry import pause
from portal import gate
from portal.audit.events import Event
from portal.audit.log import Actor

State, Hold = Delivery.State, Delivery.Hold

WORKER: Final = "filing"


MOST_UNENDED: Final = 5
"""Claims in a row that ended in nobody knows what: dead workers, errors of our own. Then a person looks."""
_ANSWERS: Final = {Event.DELIVERY_RESERVED, Event.DELIVERY_TRANSFERRED, Event.DELIVERY_ABANDONED}
"""After these the delivery is farther than it was, so that earlier claims do not count any more."""


class LostClaim(Exception):
    """The delivery is in other hands now. Stop without a word and write nothing."""


def claim(delivery_id: UUID) -> Delivery | None:
    """Take a delivery if it is due and nobody has it. Of any number that try at once, one gets it.

    While the gate is closed nobody does. One that killed worker after worker is given to a person instead.
    """
    crashpoint("C24")
    if gate.closed():
        return None
    with transaction.atomic():
        now = database_now()
        due = Delivery.objects.due(now).filter(pk=delivery_id)
        if not due.update(
            fence=F("fence") + 1,
            lease_owner=_me(),
            lease_until=now + timing.LEASE,
            hold=Hold.NONE,
            unended_claims=Coalesce(F("unended_claims"), 0) + 1,
        ):
            return None
        delivery = Delivery.objects.select_related("approval", "connection").get(pk=delivery_id)
    if (delivery.unended_claims or 0) > MOST_UNENDED:
        stumble(delivery)
        return None
    return delivery


def take(delivery_id: UUID) -> Delivery | None:
    """Take a delivery that is not over, whatever it waits for: to look at it while the gate is closed."""
    with transaction.atomic():
        now = database_now()
        free = Delivery.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=delivery_id)
        if not free.exclude(state__in=Delivery.FINAL).update(
            fence=F("fence") + 1, lease_owner=_me(), lease_until=now + timing.LEASE
        ):
            return None
        return Delivery.objects.select_related("approval", "connection").get(pk=delivery_id)


def put_back(delivery: Delivery) -> None:
    """End a `take`: it waits for what it waited for before. Nothing happens if somebody else has it."""
    Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence).update(lease_owner="", lease_until=None)


def renew(delivery: Delivery, **changes: Any) -> None:
    """Hold on to it for another lease, and hear whether it was called back. Raises LostClaim."""
    _write(delivery, Q(), lease_until=database_now() + timing.LEASE, **changes)


def move(
    delivery: Delivery,
    *,
    to: Delivery.State,
    event: Event | None = None,
    facts: dict[str, Any] | None = None,
    only_if: Q | None = None,
    also: Callable[[], None] | None = None,
    **changes: Any,
) -> None:
    """The next state, its facts and its entry in the log, together or not at all. Raises LostClaim.

    `also` writes what belongs to the step in other tables, in the same transaction, once the row is ours.
    Whatever went wrong before is over: the problem is cleared. The attempts are kept.
    """
    if event in _ANSWERS:
        changes["unended_claims"] = 1  # this one
    with transaction.atomic():
        _write(
            delivery,
            only_if or Q(),
            state=to,
            problem="",
            problem_status=None,
            lease_until=database_now() + timing.LEASE,
            **changes,
        )
        if also is not None:
            also()
        if event is not None:
            tell(delivery, event, actor=worker(delivery), **(facts or {}))
    crashpoint("C23")


def finish(
    delivery: Delivery, *, to: Delivery.State, event: Event, facts: dict[str, Any], **changes: Any
) -> None:
    """The last move of a delivery: filed or withdrawn. The database lets nothing move it afterwards."""
    with transaction.atomic():
        _write(
            delivery,
            Q(),
            state=to,
            **_let_go(hold=Hold.NONE),
            done_at=database_now(),
            problem="",
            problem_status=None,
            put_url_sealed=b"",
            put_headers=[],
            put_deadline=None,
            **changes,
        )
        delivery.parts.all().delete()
        tell(delivery, event, actor=worker(delivery), **facts)
    crashpoint("C23")


def set_down(
    delivery: Delivery,
    *,
    hold: Delivery.Hold,
    state: Delivery.State,
    problem: Problem,
    until: datetime,
    status: int | None = None,
    is_attempt: bool = True,
    is_understood: bool = True,
    request_id: str = "",
    **changes: Any,
) -> None:
    """Give the delivery up for now, saying where it resumes, why it stopped and when it may go on.

    Waiting for Clio's limit is no attempt and no entry in the log: it is what a full queue does all day.
    """
    if is_understood:
        changes["unended_claims"] = Greatest(Coalesce(F("unended_claims"), 0) - 1, 0)
    with transaction.atomic():
        _write(
            delivery,
            Q(),
            **_let_go(hold=hold),
            state=state,
            not_before=until,
            problem=problem,
            problem_status=status,
            attempts=F("attempts") + int(is_attempt),
            **changes,
        )
        if until - database_now() <= timedelta(seconds=BELL_AHEAD) and hold == Hold.RETRY:
            wait = max(0.0, (until - database_now()).total_seconds())
            transaction.on_commit(partial(ring, delivery.pk, after=wait))
        _tell_of_stop(delivery, until=until, request_id=request_id)


def stumble(delivery: Delivery) -> None:
    """Give it up for now because of an error of our own, where the row says it stands: it may have moved on.

    The pauses grow; after some such claims in a row it waits for a person. Raises LostClaim.
    """
    delivery.refresh_from_db(fields=["state", "unended_claims"])
    if delivery.state in Delivery.FINAL:
        return
    claimed = delivery.unended_claims or 0
    set_down(
        delivery,
        hold=Hold.PERSON if claimed >= MOST_UNENDED else Hold.RETRY,
        state=State(delivery.state),
        problem=Problem.UNEXPECTED,
        until=database_now() + timedelta(seconds=pause(claimed)),
        is_attempt=False,
        is_understood=False,
    )


def worker(delivery: Delivery) -> Actor:
    """Who the log says did it: a worker, because this person approved."""
    return Actor.worker(WORKER, on_behalf_of=delivery.approval.approved_by_id)


def _tell_of_stop(delivery: Delivery, *, until: datetime, request_id: str) -> None:
    attempt = delivery.attempts
    told: dict[Delivery.Hold, tuple[Event, dict[str, Any]]] = {
        Hold.RETRY: (Event.DELIVERY_RETRY_SCHEDULED, {"attempt": attempt, "not_before": until}),
        Hold.CONNECTION: (Event.DELIVERY_PARKED, {"connection": delivery.connection_id}),
        Hold.PERSON: (
            Event.DELIVERY_NEEDS_PERSON,
            {"attempt": attempt, "clio_document": delivery.clio_document_id},
        ),
    }
    if delivery.hold not in told:
        return
    event, facts = told[Hold(delivery.hold)]
    tell(
        delivery,
        event,
        actor=worker(delivery),
        step=delivery.state,
        reason=delivery.problem,
        status=delivery.problem_status,
        request_id=request_id or None,
        **facts,
    )


def _write(delivery: Delivery, only_if: Q, **changes: Any) -> None:
    require_way(delivery.state, changes.get("state", delivery.state))
    crashpoint("C27")
    held = Delivery.objects.filter(only_if, pk=delivery.pk, fence=delivery.fence)
    if not held.update(**changes):
        raise LostClaim
    delivery.refresh_from_db(fields=[*changes, "withdrawing"])


def _let_go(*, hold: Delivery.Hold) -> dict[str, Any]:
    return {"hold": hold, "lease_owner": "", "lease_until": None}


def _me() -> str:
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{threading.get_native_id()}"
