"""The third call, which makes the document visible, and finding out whether a lost one was carried out."""

from __future__ import annotations

from tempfile import TemporaryFile

from clio_sync.api import errors, wire
from clio_sync.claims import finish, move
from clio_sync.clock import database_now
from clio_sync.crashpoints import crashpoint
from clio_sync.filing.work import Stopped, Work
from clio_sync.models import Delivery
from clio_sync.problems import Problem
from clio_sync.retry import Call
from portal.audit.events import Event

State = Delivery.State


def confirm(work: Work) -> None:
    """Only the recorded document and version are ever confirmed."""
    work.take_turn(Call.CONFIRM)
    crashpoint("C13")
    move(
        work.delivery,
        to=State.CONFIRMING,
        event=Event.DELIVERY_CONFIRM_STARTED,
        facts=work.ids,
        intent_at=database_now(),
    )
    try:
        confirmed = work.clio.confirm_document(work.document_id, version_uuid=work.delivery.clio_version_uuid)
    except errors.AlreadyUploaded:
        # Believed when the document says so as well.
        crashpoint("C16")
        _file(work, work.look(Call.READ_BACK))
        return
    crashpoint("C15")
    _file(work, confirmed)


def read_back(work: Work) -> None:
    """A confirmation was begun and its answer is not known: ask, and confirm again if need be."""
    version = work.look(Call.READ_BACK)
    if version.fully_uploaded:
        _file(work, version)
    else:
        move(work.delivery, to=State.TRANSFERRED)


def _file(work: Work, seen: wire.ConfirmedDocument | wire.DocumentVersion) -> None:
    """Filed, if Clio says that it holds the whole of exactly this version; otherwise ask again later."""
    uuid = seen.version_uuid if isinstance(seen, wire.ConfirmedDocument) else seen.uuid
    if not seen.fully_uploaded or seen.size is None or uuid != work.delivery.clio_version_uuid:
        work.call = Call.READ_BACK
        raise errors.UploadTimeout(route="confirm")
    if seen.size != work.approval.size:
        raise Stopped(Problem.SIZE_DIFFERS)
    if not work.delivery.sha256_sent:
        _compare_bytes(work)
    finish(
        work.delivery,
        to=State.FILED,
        event=Event.DELIVERY_FILED,
        facts={
            **work.ids,
            "version_number": seen.version_number,
            "sha256": work.approval.sha256,
            "size": seen.size,
            "confirmed": True,
            "region": work.delivery.connection.region,
            "matter": work.destination.matter_id,
        },
        clio_version_number=seen.version_number,
        size_confirmed=seen.size,
        sha256_sent=work.approval.sha256,
    )


def _compare_bytes(work: Work) -> None:
    """A finished document that this database does not remember sending: its bytes decide."""
    version = work.look(Call.READ_BACK)
    work.take_turn(Call.READ_BACK)
    crashpoint("L01")
    with TemporaryFile() as copy:
        held = work.clio.download(work.document_id, copy, most=work.approval.size, version_id=version.id)
    crashpoint("L02")
    if held.sha256 != work.approval.sha256:
        raise Stopped(Problem.CONTENT_DIFFERS)
