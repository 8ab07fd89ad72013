"""The first of three calls, and the search for a reservation whose answer was lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

from django.db.models import Q

from clio_sync import timing, vault
from clio_sync.api import errors, wire
from clio_sync.api.client import MOST_PARTS
from clio_sync.claims import LostClaim, move
from clio_sync.clock import database_now
from clio_sync.crashpoints import crashpoint
from clio_sync.elsewhere import filed_before
from clio_sync.filing import parts
from clio_sync.filing.placing import forget, parent_for
from clio_sync.filing.starting import require_open_matter, require_room
from clio_sync.filing.work import NO_ADDRESS, NotYet, Stopped, Work
from clio_sync.limits import Priority
from clio_sync.models import Delivery, DeliveryPart
from clio_sync.problems import Problem
from clio_sync.receipts import page_address
from clio_sync.retry import Call
from clio_sync.vault import Binding
from portal import gate
from portal.audit.events import Event

State = Delivery.State

OPERATION: Final = "countersign_op"
VERSION: Final = "countersign_version"
RECEIPT: Final = "countersign_receipt"
LONGEST_VALUE: Final = 255
"""Characters that Clio is sure to keep of a property's value; how many it takes is not documented."""


def reserve(work: Work) -> None:
    """The intent stands in the row before the request leaves, and the id before anything else is done."""
    if filed_before(work.delivery.version_ref):
        raise Stopped(Problem.ALREADY_FILED)
    require_open_matter(work)
    require_room(work)
    parent = parent_for(work)
    rows = parts.cut(work) if parts.is_large(work.approval.size) else []
    work.take_turn(Call.RESERVE, Priority.RESERVE)
    crashpoint("C04")
    _record_intent(work, rows)
    if gate.advance():
        raise LostClaim  # the database was exchanged under this worker's hands
    crashpoint("C05")
    try:
        reservation = work.clio.reserve_document(
            work.destination.file_name,
            parent=parent,
            content_type=work.approval.media_type,
            category_id=work.destination.category_id,
            external_properties=_properties(work),
            multiparts=parts.plans(rows[:MOST_PARTS]),
        )
    except errors.NotFound:
        if not forget(work):
            raise
        move(work.delivery, to=State.QUEUED)  # a folder that was there before is gone: look for it again
        return
    crashpoint("C07")
    _keep(work, reservation, adopted=False)


def find(work: Work) -> None:
    """A reservation was begun and its answer is not known: look, once it must be over, then repeat."""
    over = (work.delivery.intent_at or database_now()) + timing.QUIESCE
    if database_now() < over:
        raise NotYet(Problem.LOST_ANSWER, until=over)
    found = _found(work)
    if found is not None:
        _adopt(work, found)
    else:
        move(work.delivery, to=State.QUEUED)


def choose(found: Iterable[wire.Document]) -> wire.Document | None:
    """Which of the documents that bear our name to go on with: the finished one, else the oldest.

    Two finished ones are a person's decision.
    """
    oldest_first = sorted(found, key=lambda document: document.id)
    finished = [one for one in oldest_first if one.latest_version and one.latest_version.fully_uploaded]
    if len(finished) > 1:
        raise Stopped(Problem.TWO_FOUND)
    return next(iter(finished or oldest_first), None)


def is_ours(delivery: Delivery, matter_id: int, found: wire.Document) -> bool:
    """Anybody can write such a property, and a copy may have it. Deleted ones do not count."""
    properties = [(one.name, one.value) for one in found.external_properties]
    placed = found.matter is None or found.matter.id == matter_id
    made_by_us = found.creator is None or found.creator.id == delivery.connection.clio_user_id
    return (OPERATION, delivery.op_id) in properties and placed and made_by_us and not found.deleted_at


def address(delivery: Delivery, reservation: wire.Reservation) -> dict[str, Any]:
    """Where the bytes go, as the row keeps it: whoever reads the address can write there, so it is sealed."""
    if reservation.parts:
        return {**NO_ADDRESS, "put_deadline": reservation.put_deadline}  # each part has its own
    return {
        "put_url_sealed": vault.seal(reservation.put_url, binding=Binding.put_url(delivery.pk)),
        "put_headers": [list(header) for header in reservation.put_headers],
        "put_deadline": reservation.put_deadline,
    }


def _record_intent(work: Work, rows: Sequence[DeliveryPart]) -> None:
    now = database_now()
    move(
        work.delivery,
        to=State.RESERVING,
        event=Event.DELIVERY_RESERVE_STARTED,
        facts={
            "attempt": work.attempt,
            "connection": work.delivery.connection_id,
            "matter": work.destination.matter_id,
            "sha256": work.approval.sha256,
        },
        also=partial(parts.keep, work.delivery, rows) if rows else None,
        intent_at=now,
        first_call_at=work.delivery.first_call_at or now,
    )


def _properties(work: Work) -> dict[str, str]:
    """What Clio keeps with a new document. An existing one is left alone: it takes five in all."""
    if work.destination.document_id is not None:
        return {}
    ours = {OPERATION: work.delivery.op_id, VERSION: str(work.approval.version_ref)}
    address = page_address(work.approval.draft_ref)
    return ours | {RECEIPT: address} if len(address) <= LONGEST_VALUE else ours


def _found(work: Work) -> wire.Document | None:
    """The document of this delivery in Clio, if there is one.

    Not asked for new versions of a document: an unfinished version bears no name of ours, so it cannot be
    told from anybody else's. It stays invisible, and ours is confirmed by its own uuid.
    """
    if work.destination.document_id is not None:
        return None
    work.take_turn(Call.FIND)
    crashpoint("L01")
    documents = list(
        work.clio.find_documents(
            external_property_name=OPERATION,
            external_property_value=work.delivery.op_id,
            # Whether a matter's id also finds what lies in its folders is not documented.
            matter_id=work.destination.matter_id if work.destination.is_in_the_matter_itself else None,
        )
    )
    crashpoint("L02")
    matter_id = work.destination.matter_id
    return choose([found for found in documents if is_ours(work.delivery, matter_id, found)])


def _adopt(work: Work, found: wire.Document) -> None:
    version, reservation = found.latest_version, found.reservation()
    if version is None:
        raise Stopped(Problem.SURPRISED)
    if reservation is not None:
        _keep(work, reservation, adopted=True)
    else:
        to = State.CONFIRMING if version.fully_uploaded else State.RESERVED
        _keep_ids(work, found.id, version.uuid, number=version.version_number, to=to, adopted=True)


def _keep(work: Work, reservation: wire.Reservation, *, adopted: bool) -> None:
    _keep_ids(
        work,
        reservation.document_id,
        reservation.version_uuid,
        number=reservation.version_number,
        to=State.RESERVED,
        adopted=adopted,
        also=partial(parts.keep_addresses, work.delivery, reservation.parts),
        **address(work.delivery, reservation),
    )


def _keep_ids(
    work: Work,
    document_id: int,
    version_uuid: str,
    *,
    number: int | None,
    to: Delivery.State,
    adopted: bool,
    **changes: Any,
) -> None:
    """The id is recorded once: the filter refuses a second one for the same attempt."""
    move(
        work.delivery,
        to=to,
        only_if=Q(clio_document_id=None),
        event=Event.DELIVERY_RESERVED,
        facts={
            "attempt": work.attempt,
            "clio_document": document_id,
            "clio_version": version_uuid,
            "version_number": number,
            "adopted": adopted,
            "put_until": changes.get("put_deadline"),
        },
        clio_document_id=document_id,
        clio_version_uuid=version_uuid,
        clio_version_number=number,
        **changes,
    )
