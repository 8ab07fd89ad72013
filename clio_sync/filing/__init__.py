"""Filing one delivery: reserve, transfer, confirm, so that exactly one document is ever seen in Clio.

Clio has no idempotency key, so the order of things is the safety (docs/reliability.md):

1. The intent to reserve is recorded before the call. A delivery that a later claim finds in RESERVING may
   have a reservation whose answer was lost: it waits until that call must be over, then looks (`reserving`).
2. The document's id is recorded once for each attempt, and only the recorded one is ever confirmed. A
   reservation nobody recorded stays invisible in Clio for ever.
3. Another attempt begins only after the last one's reservation was looked at and taken back (`abandoning`).
4. A confirmation whose answer was lost is read back before it is repeated (`confirming`).
5. Right before each call the row is asked whether a person has called the delivery back. Then nothing more is
   sent that carries it on, and the way leads back.

Each step leaves a state from which the next worker goes on. No transaction is open while Clio is called.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from clio_sync import claims, regions, retry, timing
from clio_sync.api import errors
from clio_sync.api.errors import ClioError
from clio_sync.calls import client_for, note
from clio_sync.claims import LostClaim
from clio_sync.clock import database_now
from clio_sync.crashpoints import crashpoint
from clio_sync.filing.abandoning import abandon, turn_back, withdraw
from clio_sync.filing.confirming import confirm, read_back
from clio_sync.filing.reserving import find, reserve
from clio_sync.filing.stumbling import stumble
from clio_sync.filing.transferring import transfer
from clio_sync.filing.work import NO_ADDRESS, CalledBack, NotYet, Stopped, Work
from clio_sync.models import Connection, Delivery
from clio_sync.problems import Problem
from clio_sync.retry import Call, Decision, Standing

logger = logging.getLogger(__name__)

State, Hold = Delivery.State, Delivery.Hold

_STEPS: Final[dict[Delivery.State, Callable[[Work], None]]] = {
    State.QUEUED: reserve,
    State.RESERVING: find,
    State.RESERVED: transfer,
    State.TRANSFERRED: confirm,
    State.CONFIRMING: read_back,
    State.ABANDONING: abandon,
}
_STEPS_BACK: Final = {
    **_STEPS,
    State.QUEUED: withdraw,
    State.RESERVED: turn_back,
    State.TRANSFERRED: turn_back,
}


def deliver(delivery_id: UUID) -> None:
    """Bring one delivery as far as it gets now. Calling it at any time, any number of times, does no harm."""
    delivery = claims.claim(delivery_id)
    if delivery is None:
        return
    try:
        _go(Work(delivery))
        crashpoint("C19")
    except LostClaim:
        logger.info("Delivery %s is in other hands.", delivery.pk)
    except Exception as error:  # noqa: BLE001 - whatever it is, the row must say that it did not go well
        stumble(delivery, error)


def _go(work: Work) -> None:
    """Step by step until it is filed, or until something stands in the way, which is written down."""
    try:
        _step_by_step(work)
    except NotYet as wait:
        _set_down(work, Hold.RETRY, wait.problem, until=wait.until, is_attempt=False)
    except Stopped as stop:
        if stop.problem in _CHANGED:
            crashpoint("C22")
        _set_down(work, Hold.PERSON, stop.problem)
    except ClioError as error:
        _settle(work, error)


def _step_by_step(work: Work) -> None:
    if work.delivery.withdrawing and work.state == State.QUEUED:
        withdraw(work)
        return
    # What waits for a connection has not begun: it can still be undone.
    if work.delivery.connection.status != Connection.Status.ACTIVE:
        raise errors.NeedsReconnect
    try:
        client = client_for(work.delivery.connection, before_call=work.before_call)
    except regions.RegionNotReady as error:
        raise errors.AppRejected(str(error)) from error
    with client as work.clio:
        while step := _next(work):
            try:
                step(work)
            except CalledBack:
                _note_unsent(work)


def _next(work: Work) -> Callable[[Work], None] | None:
    return (_STEPS_BACK if work.delivery.withdrawing else _STEPS).get(work.state)


def _note_unsent(work: Work) -> None:
    """The reservation was not sent, so that there is none to look for."""
    if work.state == State.RESERVING:
        claims.move(work.delivery, to=State.QUEUED)


def _settle(work: Work, error: ClioError) -> None:
    """Write down what an error means for this delivery."""
    _mark(error, work.call)
    delivery = work.delivery
    if isinstance(error, errors.StorageAddressRefused):
        note(delivery.connection, error.sentence)  # names the host that an admin has to allow
    decision = retry.decide(
        error,
        Standing(
            state=work.state,
            call=work.call,
            attempts=delivery.attempts,
            problem=delivery.problem,
            can_abandon=not delivery.withdrawing,
        ),
    )
    _set_down(
        work,
        decision.hold,
        decision.problem,
        until=_goes_on_at(decision, delivery),
        state=decision.state,
        is_attempt=decision.is_attempt,
        status=error.status,
        request_id=error.request_id,
        **(NO_ADDRESS if decision.needs_fresh_address else {}),
    )


def _goes_on_at(decision: Decision, delivery: Delivery) -> datetime:
    at = database_now() + timedelta(seconds=decision.wait)
    if decision.problem is Problem.LOST_ANSWER and delivery.intent_at is not None:
        return max(at, delivery.intent_at + timing.QUIESCE)
    return at


def _set_down(
    work: Work,
    hold: Delivery.Hold,
    problem: Problem,
    *,
    until: datetime | None = None,
    state: Delivery.State | None = None,
    **told: Any,
) -> None:
    claims.set_down(
        work.delivery,
        hold=hold,
        state=state or work.state,
        problem=problem,
        until=until or database_now(),
        **told,
    )


_LOST: Final = {Call.RESERVE: "C06", Call.CONFIRM: "C14", Call.MAKE_FOLDER: "F08"}
_MET: Final = {
    errors.StorageDenied: "C12",
    errors.StorageExpired: "C12",
    errors.UploadTimeout: "C17",
    errors.UploadNotFound: "C18",
    errors.Forbidden: "C22",
    errors.NotFound: "C22",
    errors.Invalid: "C22",
}
_CHANGED: Final = {Problem.IN_TRASH, Problem.RESERVATION_GONE}


def _mark(error: ClioError, call: Call) -> None:
    """The crash points that lie behind an error."""
    if error.ambiguous and call in _LOST:
        unreadable = call is Call.RESERVE and isinstance(error, errors.ClioSurprised)
        crashpoint("C08" if unreadable else _LOST[call])
    if isinstance(error, errors.RateLimited) and error.status is not None:
        crashpoint("C26")
    for kind, name in _MET.items():
        if isinstance(error, kind):
            crashpoint(name)
