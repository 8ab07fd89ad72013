"""The second call, to storage: exactly the approved bytes, hashed before they leave and while they leave."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from clio_sync import vault
from clio_sync.api.secret import Secret
from clio_sync.api.storage import TransferResult
from clio_sync.claims import move, renew
from clio_sync.clock import database_now
from clio_sync.crashpoints import crashpoint
from clio_sync.filing import multipart
from clio_sync.filing.crew import LEAST_SECONDS, SLOWEST
from clio_sync.filing.parts import NEAR_DEADLINE, is_large
from clio_sync.filing.pulse import Pulse
from clio_sync.filing.reserving import address
from clio_sync.filing.work import NO_ADDRESS, Stopped, Work
from clio_sync.models import Delivery
from clio_sync.problems import Problem
from clio_sync.retry import Call
from clio_sync.vault import Binding
from portal.audit.events import Event

State = Delivery.State


def transfer(work: Work) -> None:
    """Send the bytes to the recorded address or a fresh one. Without any, the state leads elsewhere."""
    if is_large(work.approval.size):
        multipart.transfer(work)
        return
    put_url = _recorded(work.delivery) or _renewed(work)
    if put_url is None:
        return
    with work.open_bytes() as file:
        work.require_approved(hashlib.file_digest(file, "sha256").hexdigest())
    sent = _send(work, put_url)
    move(
        work.delivery,
        to=State.TRANSFERRED,
        event=Event.DELIVERY_TRANSFERRED,
        facts={**work.ids, "sha256": sent.sha256, "size": sent.bytes_sent, "etag": sent.etag or None},
        sha256_sent=sent.sha256,
        storage_etag=sent.etag[:80],
        **NO_ADDRESS,
    )


def _recorded(delivery: Delivery) -> Secret | None:
    """The recorded address, if it is good for a while yet."""
    deadline = delivery.put_deadline
    if not delivery.put_url_sealed or deadline is None or deadline - NEAR_DEADLINE < database_now():
        return None
    try:
        return vault.open_sealed(delivery.put_url_sealed, binding=Binding.put_url(delivery.pk))
    except vault.Unsealable:
        return None


def _renewed(work: Work) -> Secret | None:
    """A fresh address for the same reservation; without one, on to confirming or to another reservation."""
    work.take_turn(Call.RENEW)
    crashpoint("L01")
    document = work.clio.document(work.document_id)
    crashpoint("L02")
    version, reservation = document.latest_version, document.reservation()
    if document.deleted_at is not None:
        raise Stopped(Problem.IN_TRASH)
    if reservation is not None and reservation.version_uuid == work.delivery.clio_version_uuid:
        renew(work.delivery, **address(work.delivery, reservation))
        return reservation.put_url
    if version is not None and work.is_mine(version) and version.fully_uploaded:
        move(work.delivery, to=State.CONFIRMING)
    else:
        work.abandon_instead(Problem.STORAGE_EXPIRED)
    return None


def _send(work: Work, put_url: Secret) -> TransferResult:
    work.call = Call.TRANSFER
    work.hold_on(bytes_sent=None)
    crashpoint("C09")
    with work.open_bytes() as body:
        sent = work.clio.transfer(
            put_url,
            tuple((name, value) for name, value in work.delivery.put_headers),
            body,
            size=work.approval.size,
            sha256=work.approval.sha256,
            on_progress=_keeping_alive(work),
            seconds=max(LEAST_SECONDS, work.approval.size / SLOWEST),
        )
    crashpoint("C11")
    return sent


def _keeping_alive(work: Work) -> Callable[[int], bool]:
    """Told of each chunk: keeps the claim through a long transfer.

    It ends when the claim is lost or the delivery is called back.
    """
    pulse = Pulse(work)

    def on_progress(sent: int) -> bool:
        crashpoint("C10")
        pulse.beat(sent)
        return True

    return on_progress
