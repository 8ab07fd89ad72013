"""The second call for a large file: its parts side by side, each recorded as it arrives.

Whoever comes after a dead worker sends what is not recorded, and nothing else. Clio puts the parts together
when the upload is confirmed (Clio's API reference, Documents, "Multipart upload").
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.db import transaction

from clio_sync.api import errors, wire
from clio_sync.api.client import MOST_PARTS
from clio_sync.api.errors import StorageError
from clio_sync.claims import move, renew
from clio_sync.clock import database_now
from clio_sync.crashpoints import crashpoint
from clio_sync.filing import parts
from clio_sync.filing.crew import Crew
from clio_sync.filing.pulse import Pulse
from clio_sync.filing.work import NO_ADDRESS, Stopped, Work
from clio_sync.models import Delivery, DeliveryPart
from clio_sync.problems import Problem
from clio_sync.retry import Call
from portal.audit.events import Event

State = Delivery.State


def transfer(work: Work) -> None:
    """Send what is not there yet. Without addresses to send it to, the state leads elsewhere."""
    rows = _rows(work)
    while unsent := [part for part in rows if not parts.is_sent(work.delivery, part)]:
        if not (ready := _ready(work, unsent) or _addressed(work, unsent[:MOST_PARTS])):
            return
        _send(work, ready, sent_before=sum(part.length for part in rows) - sum(p.length for p in unsent))
    move(
        work.delivery,
        to=State.TRANSFERRED,
        event=Event.DELIVERY_TRANSFERRED,
        facts={**work.ids, "sha256": work.approval.sha256, "size": work.approval.size, "parts": len(rows)},
        also=partial(parts.keep, work.delivery, []),
        sha256_sent=work.approval.sha256,
        **NO_ADDRESS,
    )


def _rows(work: Work) -> list[DeliveryPart]:
    """The recorded parts; cut again when Clio did not find them, or the database does not remember."""
    rows = list(work.delivery.parts.all())
    if sum(part.length for part in rows) == work.approval.size:
        return rows
    rows = parts.cut(work)
    with transaction.atomic():
        renew(work.delivery)
        parts.keep(work.delivery, rows)
    return rows


def _ready(work: Work, unsent: Sequence[DeliveryPart]) -> list[DeliveryPart]:
    now = database_now()
    return [part for part in unsent if parts.address_of(work.delivery, part, now=now)]


# Addresses


def _addressed(work: Work, wanted: Sequence[DeliveryPart]) -> list[DeliveryPart]:
    """These parts with addresses: shown by Clio, or given for announcing them, whichever it lets us have.

    Without any, on to confirming what turns out to be complete, or to another reservation.
    """
    known = all(parts.is_announced(work.delivery, part) for part in wanted)
    for ask in (_shown, _announced) if known else (_announced, _shown):
        given = ask(work, wanted)
        if work.state is not State.RESERVED:
            return []
        if given:
            _keep(work, wanted, given)
        if ready := _ready(work, wanted):
            return ready
    work.abandon_instead(Problem.STORAGE_EXPIRED)
    return []


def _announced(work: Work, wanted: Sequence[DeliveryPart]) -> Sequence[wire.Part]:
    work.take_turn(Call.RENEW)
    version_uuid, plans = work.delivery.clio_version_uuid, parts.plans(wanted)
    crashpoint("L01")
    try:
        given = work.clio.more_parts(work.document_id, version_uuid=version_uuid, multiparts=plans)
    except errors.Invalid:  # announced before, and Clio does not take it twice
        return ()
    crashpoint("L02")
    return given


def _shown(work: Work, wanted: Sequence[DeliveryPart]) -> Sequence[wire.Part]:
    """Of those that Clio shows, the ones that are as they were cut."""
    work.take_turn(Call.RENEW)
    crashpoint("L01")
    document = work.clio.document(work.document_id, with_parts=True)
    crashpoint("L02")
    if document.deleted_at is not None:
        raise Stopped(Problem.IN_TRASH)
    version = document.latest_version
    if version is None or not work.is_mine(version):
        return ()
    if version.fully_uploaded:
        move(work.delivery, to=State.CONFIRMING)
    plans = {plan.number: plan for plan in parts.plans(wanted)}
    return [part for part in version.parts if part.number in plans and part.fits(plans[part.number])]


def _keep(work: Work, wanted: Sequence[DeliveryPart], given: Sequence[wire.Part]) -> None:
    with transaction.atomic():
        renew(work.delivery)
        parts.keep_addresses(work.delivery, given)
    for part in wanted:
        part.refresh_from_db()


# Bytes


def _send(work: Work, ready: list[DeliveryPart], *, sent_before: int) -> None:
    """All of them, but for those whose addresses end first. One that fails costs none of the others."""
    work.call = Call.TRANSFER
    work.hold_on(bytes_sent=sent_before)
    try:
        _send_side_by_side(work, ready, sent_before)
    except (errors.StorageExpired, errors.StorageDenied):
        parts.forget_addresses(work.delivery)
        raise


def _send_side_by_side(work: Work, waiting: list[DeliveryPart], there: int) -> None:
    trouble: StorageError | None = None
    pulse = Pulse(work)
    with work.open_bytes() as file, Crew(work.clio, file.fileno()) as crew:
        while waiting or crew.is_busy:
            while waiting and crew.has_room:
                _begin(work, crew, waiting.pop(0))
            for part, outcome in crew.arrivals():
                if isinstance(outcome, StorageError):
                    trouble = trouble or outcome
                    waiting.clear()
                    continue
                there += part.length
                crashpoint("C11")
                parts.record_sent(
                    work.delivery, part, etag=outcome.etag, bytes_sent=there + crew.bytes_under_way
                )
            pulse.beat(there + crew.bytes_under_way)
    if trouble:
        raise trouble


def _begin(work: Work, crew: Crew, part: DeliveryPart) -> None:
    put_url = parts.address_of(work.delivery, part, now=database_now())
    if put_url is not None:
        crashpoint("C09")
        crew.send(part, put_url)
        crashpoint("C10")
