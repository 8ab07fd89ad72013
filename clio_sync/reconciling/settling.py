"""One delivery that the restored database takes for unfinished: looked up at Clio, and put right.

The steps are those of filing, under a claim like a worker's: the fence keeps out whoever else has it.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from clio_sync import claims
from clio_sync.api.errors import ClioError
from clio_sync.calls import client_for
from clio_sync.claims import LostClaim, move
from clio_sync.clock import database_now
from clio_sync.deliveries import tell
from clio_sync.filing.confirming import read_back
from clio_sync.filing.parts import is_large
from clio_sync.filing.reserving import address
from clio_sync.filing.work import NO_ADDRESS, Stopped, Work
from clio_sync.lifecycle import way
from clio_sync.models import Delivery
from clio_sync.patience import Patience
from clio_sync.problems import Problem
from clio_sync.reconciling.looking import Seen, look
from clio_sync.reconciling.report import DeliveryLine, Result
from portal.audit.events import Event
from portal.audit.log import Actor

State, Hold = Delivery.State, Delivery.Hold

AN_HOUR = 3600.0
"""Seconds to wait for turns: nobody else files meanwhile."""
RECONCILE = Actor.system("reconcile")


def settle(delivery: Delivery) -> DeliveryLine:
    """Look it up and carry out what follows. Repeating it does no harm."""
    was = delivery.state
    taken = claims.take(delivery.pk)
    if taken is None:
        return _line(delivery, was, Result.UNKNOWN, "a worker has it, or it is over")
    try:
        return _settled(taken, was)
    except LostClaim:
        return _line(delivery, was, Result.UNKNOWN, "somebody else moved it")
    except ClioError as error:
        return _line(delivery, was, Result.UNKNOWN, error.sentence)
    finally:
        claims.put_back(taken)


def preview(clio: Any, delivery: Delivery) -> DeliveryLine:
    """What `settle` would come to, changing nothing."""
    try:
        seen = Patience(AN_HOUR).ask(lambda: look(clio, delivery))
    except Stopped as stopped:
        return _line(delivery, delivery.state, Result.NEEDS_PERSON, str(stopped.problem))
    except ClioError as error:
        return _line(delivery, delivery.state, Result.UNKNOWN, error.sentence)
    return _line(
        delivery, delivery.state, _result(delivery, seen), document=seen.document_id if seen else None
    )


def look_before_reserving(delivery: Delivery) -> DeliveryLine:
    """It could not be looked up now. Once it can be, it is looked for before anything is reserved."""
    was = delivery.state
    taken = claims.take(delivery.pk)
    if taken is None or taken.state != State.QUEUED:
        return _line(delivery, was, Result.GOES_ON)
    move(taken, to=State.RESERVING, intent_at=database_now())
    _tell(taken, Result.LOOKS_FIRST)
    claims.put_back(taken)
    return _line(taken, was, Result.LOOKS_FIRST)


def _settled(delivery: Delivery, was: str) -> DeliveryLine:
    work = Work(delivery)
    try:
        with client_for(delivery.connection, before_call=work.before_call) as work.clio:
            result = Patience(AN_HOUR).ask(lambda: _carry_out(work))
        note = ""
    except Stopped as stopped:
        result, note = Result.NEEDS_PERSON, str(stopped.problem)
        _needs_person(work, stopped.problem)
    if result is not Result.GOES_ON:
        _tell(delivery, result)
    return _line(delivery, was, result, note)


def _carry_out(work: Work) -> Result:
    seen = look(work.clio, work.delivery)
    result = _result(work.delivery, seen)
    if seen is None or result is Result.GOES_ON:
        return result
    _record(work, seen)
    if result is Result.FILED:
        read_back(work)
    return result


def _result(delivery: Delivery, seen: Seen | None) -> Result:
    if seen is not None and seen.is_finished:
        return Result.FILED
    # The parts of a large file are known only where its reservation was recorded.
    if seen is None or seen.document_id == delivery.clio_document_id or is_large(delivery.approval.size):
        return Result.GOES_ON
    return Result.ADOPTED


@transaction.atomic
def _record(work: Work, seen: Seen) -> None:
    """What Clio shows is what the row says from now on, by the ways that a delivery may go, in one step.

    A document in place of the recorded one means that the recorded one was given up after the backup.
    """
    delivery, to = work.delivery, State.CONFIRMING if seen.is_finished else State.RESERVED
    for state in way(State(delivery.state), to)[:-1]:
        move(delivery, to=state)
    if (delivery.clio_document_id, delivery.clio_version_uuid) == (seen.document_id, seen.version.uuid):
        move(delivery, to=to)
    else:
        _record_document(work, seen, to=to)


def _record_document(work: Work, seen: Seen, *, to: Delivery.State) -> None:
    delivery, version = work.delivery, seen.version
    move(
        delivery,
        to=to,
        event=Event.DELIVERY_RESERVED,
        facts={
            "attempt": work.attempt,
            "clio_document": seen.document_id,
            "clio_version": version.uuid,
            "version_number": version.version_number,
            "adopted": True,
        },
        clio_document_id=seen.document_id,
        clio_version_uuid=version.uuid,
        clio_version_number=version.version_number,
        first_call_at=delivery.first_call_at or database_now(),
        sha256_sent="",
        storage_etag="",
        **(address(delivery, seen.reservation) if seen.reservation else NO_ADDRESS),
    )


def _needs_person(work: Work, problem: Problem) -> None:
    claims.set_down(work.delivery, hold=Hold.PERSON, state=work.state, problem=problem, until=database_now())


def _tell(delivery: Delivery, result: Result) -> None:
    with transaction.atomic():
        tell(
            delivery,
            Event.DELIVERY_RECONCILED,
            actor=RECONCILE,
            result=result.value,
            step=delivery.state,
            clio_document=delivery.clio_document_id,
        )


def _line(
    delivery: Delivery, was: str, result: Result, note: str = "", *, document: int | None = None
) -> DeliveryLine:
    return DeliveryLine(
        op_id=delivery.op_id,
        state=was,
        result=result,
        document_id=document or delivery.clio_document_id,
        note=note,
    )
