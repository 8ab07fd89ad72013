"""Deliveries as people move them: approved, taken back, tried again, given up.

A person moves a row only while no worker has it (`clio_sync.claims` is the workers' side). Each move is one
filtered UPDATE together with its entry in the log, and raises the row's fence, so that a worker that lost its
claim long ago cannot write over it. Only the wish to have it back is written beside a worker, which heeds it
before its next call to Clio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from clio_sync.bell import ring
from clio_sync.clock import database_now
from clio_sync.crashpoints import crashpoint
from clio_sync.destinations import Destination
from clio_sync.elsewhere import must_not_be_filed_before
from clio_sync.models import Approval, Connection, Delivery
from clio_sync.problems import Problem
from portal.accounts.models import User
from portal.audit.digest import digest
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record

State, Hold = Delivery.State, Delivery.Hold

BELL_AHEAD: Final = 5
"""Seconds: a delivery due within them is rung for at once, a later one by the sweep."""


class TooLate(Exception):
    """The delivery can no longer be taken back. The message says why, for a person."""


class NothingToDo(Exception):
    """The delivery does not wait for a person, so there is nothing to retry or cancel."""

    def __init__(self) -> None:
        super().__init__(
            "This delivery does not wait for anybody any more. Reload the page to see how it stands."
        )


class OtherAccount(Exception):
    """The connection leads to another Clio account than the one the destination was chosen in."""


def enqueue(
    *,
    draft_ref: UUID,
    version_ref: UUID,
    sha256: str,
    size: int,
    media_type: str,
    destination: Destination,
    connection: Connection,
    approvers: Sequence[Mapping[str, Any]],
    approved_by: User,
    undo_seconds: int,
    actor: Actor,
) -> Delivery:
    """Take over an approved version, inside the transaction that approves it.

    The database refuses an approval without a rightful decision (reviews/migrations/0002_gate.py).
    `connection` may be another one than the destination names, a lawyer's own for example, but only of the
    same Clio account, else OtherAccount: a matter's id means nothing elsewhere. FiledBefore when Clio holds
    the version from before a restored backup. The first call to Clio is not
    made before the undo time is over.
    """
    _require_same_account(connection, destination)
    must_not_be_filed_before(version_ref)
    undo_until = database_now() + timedelta(seconds=undo_seconds)
    approval = Approval.objects.create(
        draft_ref=draft_ref,
        version_ref=version_ref,
        sha256=sha256,
        size=size,
        media_type=media_type,
        connection=connection,
        destination=destination.to_json(),
        approvers=list(approvers),
        approved_by=approved_by,
        undo_until=undo_until,
    )
    delivery = Delivery.objects.create(
        approval=approval, version_ref=version_ref, connection=connection, not_before=undo_until
    )
    if undo_seconds <= BELL_AHEAD:
        transaction.on_commit(partial(_ring, delivery.pk, after=undo_seconds))
    tell(
        delivery,
        Event.DELIVERY_ENQUEUED,
        actor=actor,
        draft=draft_ref,
        version=version_ref,
        sha256=sha256,
        size=size,
        media_type=media_type,
        connection=connection.pk,
        matter=destination.matter_id,
        destination=digest(approval.destination),
        not_before=undo_until,
    )
    crashpoint("C01")
    return delivery


def undo(delivery: Delivery, *, actor: Actor, reason: str = "") -> None:
    """Take an approved delivery back before anything of it was sent to Clio. Raises TooLate after that.

    It succeeds only while no worker has it, so that nothing can be on its way: no trace is left in Clio.
    """
    untouched = Q(first_call_at=None)
    with transaction.atomic():
        if not _withdraw(delivery, untouched, actor=actor, reason=reason):
            raise TooLate(_why_too_late(delivery))


def take_back(delivery: Delivery, *, actor: Actor, reason: str = "") -> None:
    """A person wants it back, however far it is. Raises TooLate when it is filed or called back already.

    What nobody holds and Clio does not know is withdrawn at once. Otherwise the wish stands in the row: the
    worker that holds it, or the next one, heeds it before its next call to Clio, and then the row's state
    says what became of it. What Clio had confirmed before ends as filed.
    """
    not_yet = Q(withdrawing=False) | Q(hold=Hold.PERSON)
    if not _call_back(delivery, not_yet, actor=actor, reason=reason):
        raise TooLate(_why_too_late(delivery))


def retry_now(delivery: Delivery, *, actor: Actor, reason: str = "", wait: float = 0.0) -> None:
    """A person says: try again. Raises NothingToDo unless the delivery waits for one.

    One of many starts after `wait` seconds, as one that waits for Clio's limit.
    """
    later = {"hold": Hold.LIMIT, "problem": Problem.LIMIT, "not_before": _in(wait)} if wait else {}
    with transaction.atomic():
        if not _move(delivery, Q(hold=Hold.PERSON), **{**_going_on(), **later}):
            raise NothingToDo
        if not wait:
            transaction.on_commit(partial(_ring, delivery.pk))
        tell(delivery, Event.DELIVERY_RETRIED, actor=actor, texts={"reason": reason}, step=delivery.state)


def _in(seconds: float) -> datetime:
    return database_now() + timedelta(seconds=seconds)


def cancel(delivery: Delivery, *, actor: Actor, reason: str = "") -> None:
    """As `take_back`, for a delivery that waits for a person. Raises NothingToDo when it does not."""
    if not _call_back(delivery, Q(hold=Hold.PERSON), actor=actor, reason=reason):
        raise NothingToDo


def tell(
    delivery: Delivery, event: Event, *, actor: Actor, texts: Mapping[str, str] | None = None, **facts: Any
) -> None:
    """The log's entry on a delivery. All entries about one draft carry its id."""
    record(
        event,
        actor=actor,
        subject=Subject("delivery", delivery.pk),
        corr=delivery.approval.draft_ref,
        texts=texts,
        approval=delivery.approval_id,
        **facts,
    )


def _call_back(delivery: Delivery, standing: Q, *, actor: Actor, reason: str) -> bool:
    with transaction.atomic():
        if _withdraw(delivery, standing, actor=actor, reason=reason):
            return True
        if not _wish(delivery, standing):
            return False
        tell(
            delivery,
            Event.DELIVERY_CANCELLED,
            actor=actor,
            texts={"reason": reason},
            step=delivery.state,
            clio_document=delivery.clio_document_id,
        )
    return True


def _withdraw(delivery: Delivery, standing: Q, *, actor: Actor, reason: str) -> bool:
    """At once: no worker has it, and Clio holds nothing of it."""
    at_rest = Q(state=State.QUEUED, clio_document_id=None)
    withdrawn = {"state": State.WITHDRAWN, "hold": Hold.NONE, "problem": "", "done_at": database_now()}
    if not _move(delivery, standing & at_rest, **withdrawn):
        return False
    tell(
        delivery,
        Event.DELIVERY_WITHDRAWN,
        actor=actor,
        texts={"reason": reason},
        step=State.QUEUED,
        removed_at_clio=False,
    )
    return True


def _wish(delivery: Delivery, standing: Q) -> bool:
    """Put the wish on record: a worker goes about it now, or heeds it in what it does, or once it can."""
    if _move(delivery, standing & ~Q(hold=Hold.CONNECTION), **_going_on(), withdrawing=True):
        transaction.on_commit(partial(_ring, delivery.pk))
        return True
    running = Delivery.objects.filter(standing, pk=delivery.pk, state__in=Delivery.RUNNING)
    wished = running.update(withdrawing=True)
    delivery.refresh_from_db()
    return bool(wished)


def _move(delivery: Delivery, standing: Q, **changes: Any) -> bool:
    """Change the row if it stands so and no worker has it; `delivery` then shows how it stands now."""
    unclaimed = Q(lease_until=None) | Q(lease_until__lt=database_now())
    moved = (
        Delivery.objects.filter(unclaimed, standing, pk=delivery.pk)
        .exclude(state__in=Delivery.FINAL)
        .update(fence=F("fence") + 1, lease_owner="", lease_until=None, **changes)
    )
    if moved:
        delivery.refresh_from_db()
    return bool(moved)


def _going_on() -> dict[str, Any]:
    return {
        "hold": Hold.NONE,
        "problem": "",
        "problem_status": None,
        "attempts": 0,
        "unended_claims": 0,
        "not_before": database_now(),
    }


def _why_too_late(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    if delivery.state == State.FILED:
        return f"Too late: it is already filed in Clio, as document {delivery.clio_document_id}."
    if delivery.state == State.WITHDRAWN:
        return "It was already taken back. Nothing of it is in Clio."
    if delivery.withdrawing:
        return "It is being taken back already. This page shows what becomes of it."
    return "Too late to undo: Countersign has begun to file it. It can still be taken back."


def _require_same_account(connection: Connection, destination: Destination) -> None:
    chosen_in = Connection.objects.filter(
        pk=destination.connection_id, region=connection.region, account_id=connection.account_id
    )
    if str(connection.pk) != destination.connection_id and not chosen_in.exists():
        raise OtherAccount("The connection leads to another Clio account than the destination.")


def _ring(delivery_id: UUID, *, after: float = 0.0) -> None:
    crashpoint("C02")
    ring(delivery_id, after=after)
