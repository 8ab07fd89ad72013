"""Filing one delivery: reserve, transfer, confirm, so that exactly one document is ever seen in Clio.

Clio has no idempotency key, so the order of things is the safety (docs/reliability.md):

1. The intent to reserve is recorded before the call. A delivery that a later claim finds in RESERVING may
   have a reservation whose answer was lost: it waits until that call must be over and then looks first.
2. The document's id is recorded once for each attempt, and only the recorded one is ever confirmed. A
   reservation nobody recorded stays invisible in Clio for ever.
3. Another attempt begins only after the reservation of the last one was looked at and taken back.
4. A confirmation whose answer was lost is read back before it is repeated.

Each step leaves a state from which the next worker goes on. No transaction is open while Clio is called.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from clio_sync import claims, limits, regions, retry, vault
from clio_sync.api import errors, wire
from clio_sync.api.client import ClioClient
from clio_sync.api.errors import ClioError
from clio_sync.api.secret import Secret
from clio_sync.calls import client_for
from clio_sync.claims import LostClaim, finish, move, renew, set_down
from clio_sync.clock import database_now
from clio_sync.crashpoints import crashpoint
from clio_sync.destinations import Destination
from clio_sync.limits import Priority
from clio_sync.models import Connection, Delivery
from clio_sync.problems import Problem
from clio_sync.retry import Call, Standing
from clio_sync.vault import Binding
from portal import blobs
from portal.audit.events import Event

logger = logging.getLogger(__name__)

State, Hold = Delivery.State, Delivery.Hold

OPERATION: Final = "countersign_op"
VERSION: Final = "countersign_version"

QUIESCE: Final = timedelta(seconds=90)
"""After this a reservation is over, whatever became of its answer: the call's limit, Clio's time, skew."""
NEAR_DEADLINE: Final = timedelta(seconds=60)
"""A signed address that ends sooner is replaced before it is used."""
SLOWEST: Final = 50_000
"""Bytes a second below which a transfer is given up and begun again."""
KEEP_ALIVE: Final = 15.0
"""Seconds between renewals of the claim during a transfer."""
LEFT_ALONE_AFTER: Final = 3
"""Attempts after which an unfinished document that Clio will not delete is left: nobody can see it."""


class Stopped(Exception):
    """This delivery cannot go on as it stands. Says what a person is told."""

    def __init__(self, problem: Problem, state: Delivery.State | None = None) -> None:
        self.problem = problem
        self.state = state
        super().__init__(problem)


class NotYet(Exception):
    """This delivery may go on at a certain time."""

    def __init__(self, problem: Problem, *, until: datetime) -> None:
        self.problem = problem
        self.until = until
        super().__init__(problem)


def deliver(delivery_id: UUID) -> None:
    """Bring one delivery as far as it gets now. Calling it at any time, any number of times, does no harm."""
    delivery = claims.claim(delivery_id)
    if delivery is not None:
        Filing(delivery).run()


class Filing:
    """One worker's claim on one delivery."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.approval = delivery.approval
        self.destination = Destination.from_json(delivery.approval.destination)
        self.call = Call.NOTHING
        self.has_turn = False

    def run(self) -> None:
        """Step by step until it is filed, or until something stands in the way, which is written down."""
        try:
            self._require_connection()
            with self._client() as self.clio:
                while step := _STEPS.get(State(self.delivery.state)):
                    step(self)
            crashpoint("C19")
        except LostClaim:
            logger.info("Delivery %s is in other hands.", self.delivery.pk)
        except NotYet as wait:
            self._set_down(Hold.RETRY, wait.problem, until=wait.until, is_attempt=False)
        except Stopped as stop:
            self._set_down(Hold.PERSON, stop.problem, state=stop.state)
        except ClioError as error:
            self._settle(error)

    # Reserve

    def reserve(self) -> None:
        """Call 1. The intent stands in the row before the request leaves."""
        self._take_turn(Call.RESERVE, Priority.RESERVE)
        crashpoint("C04")
        now = database_now()
        move(
            self.delivery,
            to=State.RESERVING,
            event=Event.DELIVERY_RESERVE_STARTED,
            facts={
                "attempt": self.delivery.attempts + 1,
                "connection": self.delivery.connection_id,
                "matter": self.destination.matter_id,
                "sha256": self.approval.sha256,
            },
            intent_at=now,
            first_call_at=self.delivery.first_call_at or now,
        )
        crashpoint("C05")
        reservation = self.clio.reserve_document(
            self.destination.file_name,
            parent=_parent(self.destination),
            content_type=self.approval.media_type,
            category_id=self.destination.category_id,
            external_properties=self._properties(),
        )
        crashpoint("C07")
        self._keep(reservation, adopted=False)
        crashpoint("C09")

    def _properties(self) -> dict[str, str]:
        """What Clio keeps with a new document. An existing one is left alone: it takes five in all."""
        if self.destination.document_id is not None:
            return {}
        return {OPERATION: self.delivery.op_id, VERSION: str(self.approval.version_ref)}

    def find(self) -> None:
        """A reservation was begun and its answer is not known: look, once it must be over, then repeat."""
        over = (self.delivery.intent_at or database_now()) + QUIESCE
        if database_now() < over:
            raise NotYet(Problem.LOST_ANSWER, until=over)
        found = None if self.destination.document_id is not None else self._found()
        if found is not None:
            self._adopt(found)
        elif self.delivery.withdrawing:
            self._withdrawn(removed=False)
        else:
            move(self.delivery, to=State.QUEUED)

    def _found(self) -> wire.Document | None:
        """The document of this delivery in Clio, if there is one.

        Not asked for new versions of a document: an unfinished version bears no name of ours, so it cannot be
        told from anybody else's. It stays invisible, and ours is confirmed by its own uuid.
        """
        self._take_turn(Call.FIND, Priority.CONFIRM)
        documents = self.clio.find_documents(
            external_property_name=OPERATION,
            external_property_value=self.delivery.op_id,
            # Whether a matter's id also finds what lies in its folders is not documented.
            matter_id=self.destination.matter_id if self.destination.folder_id is None else None,
        )
        return choose([found for found in documents if self._is_ours(found)])

    def _is_ours(self, found: wire.Document) -> bool:
        """Anybody can write such a property, and a copy may have it. Deleted ones do not count."""
        named = any(
            (one.name, one.value) == (OPERATION, self.delivery.op_id) for one in found.external_properties
        )
        placed = found.matter is None or found.matter.id == self.destination.matter_id
        made_by_us = found.creator is None or found.creator.id == self.delivery.connection.clio_user_id
        return named and placed and made_by_us and found.deleted_at is None

    def _adopt(self, found: wire.Document) -> None:
        version = found.latest_version
        if version is None:
            raise Stopped(Problem.SURPRISED)
        if version.fully_uploaded:
            self._keep_ids(found.id, version, to=State.CONFIRMING)
        elif reservation := found.reservation():
            self._keep(reservation, adopted=True)
        else:
            self._keep_ids(found.id, version, to=State.RESERVED)
        if self.delivery.withdrawing:
            self._abandon_instead("withdrawing")

    def _keep(self, reservation: wire.Reservation, *, adopted: bool) -> None:
        """Rule 2: the id is recorded once. The address is a secret and is sealed."""
        move(
            self.delivery,
            to=State.RESERVED,
            only_if=Q(clio_document_id=None),
            event=Event.DELIVERY_RESERVED,
            facts={
                "attempt": self.delivery.attempts + 1,
                "clio_document": reservation.document_id,
                "clio_version": reservation.version_uuid,
                "version_number": reservation.version_number,
                "adopted": adopted,
                "put_until": reservation.put_deadline,
            },
            clio_document_id=reservation.document_id,
            clio_version_uuid=reservation.version_uuid,
            clio_version_number=reservation.version_number,
            **self._address(reservation),
        )

    def _keep_ids(self, document_id: int, version: wire.DocumentVersion, *, to: Delivery.State) -> None:
        move(
            self.delivery,
            to=to,
            only_if=Q(clio_document_id=None),
            event=Event.DELIVERY_RESERVED,
            facts={
                "attempt": self.delivery.attempts + 1,
                "clio_document": document_id,
                "clio_version": version.uuid,
                "version_number": version.version_number,
                "adopted": True,
            },
            clio_document_id=document_id,
            clio_version_uuid=version.uuid,
            clio_version_number=version.version_number,
        )

    def _address(self, reservation: wire.Reservation) -> dict[str, Any]:
        return {
            "put_url_sealed": vault.seal(reservation.put_url, binding=Binding.put_url(self.delivery.pk)),
            "put_headers": [list(header) for header in reservation.put_headers],
            "put_deadline": reservation.put_deadline,
        }

    # Transfer

    def transfer(self) -> None:
        """Call 2, to storage: exactly the approved bytes, hashed before they leave and while they leave."""
        put_url = self._put_url() or self._renewed_put_url()
        if put_url is None:
            return
        self._check_bytes()
        sent = self._send(put_url)
        crashpoint("C11")
        move(
            self.delivery,
            to=State.TRANSFERRED,
            event=Event.DELIVERY_TRANSFERRED,
            facts={
                **self._ids(),
                "attempt": self.delivery.attempts + 1,
                "sha256": sent.sha256,
                "size": sent.bytes_sent,
                "etag": sent.etag or None,
            },
            sha256_sent=sent.sha256,
            storage_etag=sent.etag[:80],
            **_NO_ADDRESS,
        )

    def _put_url(self) -> Secret | None:
        """The recorded address, if it is good for a while yet."""
        deadline = self.delivery.put_deadline
        if not self.delivery.put_url_sealed or deadline is None or deadline - NEAR_DEADLINE < database_now():
            return None
        try:
            return vault.open_sealed(self.delivery.put_url_sealed, binding=Binding.put_url(self.delivery.pk))
        except vault.Unsealable:
            return None

    def _renewed_put_url(self) -> Secret | None:
        """A fresh address for the same reservation. If Clio gives none, the state leads elsewhere."""
        self._take_turn(Call.RENEW, Priority.CONFIRM)
        document = self.clio.document(self._document_id)
        version, reservation = document.latest_version, document.reservation()
        if document.deleted_at is not None:
            raise Stopped(Problem.IN_TRASH)
        if version is not None and self._is_mine(version) and version.fully_uploaded:
            move(self.delivery, to=State.CONFIRMING)
        elif reservation is not None and reservation.version_uuid == self.delivery.clio_version_uuid:
            renew(self.delivery, **self._address(reservation))
            return reservation.put_url
        else:
            self._abandon_instead(Problem.STORAGE_EXPIRED)
        return None

    def _check_bytes(self) -> None:
        """Rule of the house: what was approved is what is sent. A mismatch stops everything and is told."""
        try:
            found = blobs.rehash(self.approval.sha256)
        except blobs.BlobMissing as missing:
            raise Stopped(Problem.BYTES_MISSING) from missing
        if found != self.approval.sha256:
            self._tell_of_mismatch(found)
            raise Stopped(Problem.BYTES_CHANGED)

    def _tell_of_mismatch(self, found: str) -> None:
        move(
            self.delivery,
            to=State.RESERVED,
            event=Event.DELIVERY_HASH_MISMATCH,
            facts={
                "step": State.RESERVED,
                "expected": self.approval.sha256,
                "found": found,
                "size": self.approval.size,
            },
        )

    def _send(self, put_url: Secret) -> Any:
        self.call = Call.TRANSFER
        renew(self.delivery)
        with blobs.open_blob(self.approval.sha256) as body:
            return self.clio.transfer(
                put_url,
                tuple((name, value) for name, value in self.delivery.put_headers),
                body,
                size=self.approval.size,
                sha256=self.approval.sha256,
                on_progress=self._keeping_alive(),
                seconds=max(120.0, self.approval.size / SLOWEST),
            )

    def _keeping_alive(self) -> Any:
        """Told of each chunk: keeps the claim through a long transfer, and breaks it off when it is lost."""
        renewed = time.monotonic()

        def on_progress(sent: int) -> bool:
            nonlocal renewed
            crashpoint("C10")
            if time.monotonic() - renewed > KEEP_ALIVE:
                renew(self.delivery)
                renewed = time.monotonic()
            return True

        return on_progress

    # Confirm

    def confirm(self) -> None:
        """Call 3, which makes the document visible. Only the recorded id and version are ever confirmed."""
        self._take_turn(Call.CONFIRM, Priority.CONFIRM)
        crashpoint("C13")
        move(
            self.delivery,
            to=State.CONFIRMING,
            event=Event.DELIVERY_CONFIRM_STARTED,
            facts={**self._ids(), "attempt": self.delivery.attempts + 1},
            intent_at=database_now(),
        )
        crashpoint("C21")
        try:
            confirmed = self.clio.confirm_document(
                self._document_id, version_uuid=self.delivery.clio_version_uuid
            )
        except errors.AlreadyUploaded:
            crashpoint("C16")
            self._read_back_or_wait()
            return
        crashpoint("C15")
        self._file(
            is_complete=confirmed.fully_uploaded
            and confirmed.version_uuid == self.delivery.clio_version_uuid,
            size=confirmed.size,
            number=confirmed.version_number,
        )

    def read_back(self) -> None:
        """A confirmation was begun and its answer is not known: ask, and confirm again if need be."""
        version = self._look(Call.READ_BACK)
        if version.fully_uploaded:
            self._file(is_complete=True, size=version.size, number=version.version_number, version=version)
        else:
            move(self.delivery, to=State.TRANSFERRED)

    def _read_back_or_wait(self) -> None:
        """Clio says that it was confirmed before: believed when the document says so as well."""
        version = self._look(Call.READ_BACK)
        self._file(
            is_complete=version.fully_uploaded,
            size=version.size,
            number=version.version_number,
            version=version,
        )

    def _look(self, call: Call) -> wire.DocumentVersion:
        """This delivery's version as Clio has it. The newest version of the document may be another one."""
        self._take_turn(call, Priority.CONFIRM)
        document = self.clio.document(self._document_id)
        if document.deleted_at is not None:
            raise Stopped(Problem.IN_TRASH)
        if document.latest_version is not None and self._is_mine(document.latest_version):
            return document.latest_version
        self._take_turn(call, Priority.CONFIRM)
        versions = self.clio.document_versions(self._document_id)
        mine = next((version for version in versions if self._is_mine(version)), None)
        if mine is None:
            raise Stopped(Problem.RESERVATION_GONE)
        return mine

    def _file(
        self,
        *,
        is_complete: bool,
        size: int | None,
        number: int | None,
        version: wire.DocumentVersion | None = None,
    ) -> None:
        """Filed, if Clio says that it holds the whole of exactly this version; otherwise ask again later."""
        if not is_complete or size is None:
            self.call = Call.READ_BACK
            raise errors.UploadTimeout(route="confirm")
        if size != self.approval.size:
            raise Stopped(Problem.SIZE_DIFFERS)
        if not self.delivery.sha256_sent:
            self._compare_bytes(version)
        finish(
            self.delivery,
            to=State.FILED,
            event=Event.DELIVERY_FILED,
            facts={
                **self._ids(),
                "attempt": self.delivery.attempts + 1,
                "version_number": number,
                "sha256": self.approval.sha256,
                "size": size,
                "confirmed": True,
                "region": self.delivery.connection.region,
                "matter": self.destination.matter_id,
            },
            clio_version_number=number,
            size_confirmed=size,
            sha256_sent=self.approval.sha256,
            withdrawing=False,
        )

    def _compare_bytes(self, version: wire.DocumentVersion | None) -> None:
        """A finished document that this database does not remember sending: its bytes decide."""
        self._take_turn(Call.READ_BACK, Priority.CONFIRM)
        with TemporaryFile() as copy:
            held = self.clio.download(
                self._document_id,
                copy,
                most=self.approval.size,
                version_id=version.id if version else None,
            )
        if held.sha256 != self.approval.sha256:
            raise Stopped(Problem.CONTENT_DIFFERS)

    # Abandon

    def abandon(self) -> None:
        """Rule 3: look at the reservation, take it back, make sure; only then another attempt, or the end."""
        crashpoint("C28")
        if self._is_finished_after_all():
            return
        is_new = self.destination.document_id is None
        removed = is_new and self._remove()
        if is_new and self._is_finished_after_all():
            return
        if self.delivery.withdrawing:
            self._withdrawn(removed=removed)
            return
        move(
            self.delivery,
            to=State.QUEUED,
            event=Event.DELIVERY_ABANDONED,
            facts={
                "attempt": self.delivery.attempts + 1,
                "clio_document": self._document_id,
                "removed_at_clio": removed,
            },
            clio_document_id=None,
            clio_version_uuid="",
            clio_version_number=None,
            intent_at=None,
            sha256_sent="",
            storage_etag="",
            **_NO_ADDRESS,
        )

    def _is_finished_after_all(self) -> bool:
        """Whether the document can be seen in Clio (not in its trash); then its way leads to filed."""
        try:
            version = self._look(Call.ABANDON)
        except (errors.NotFound, Stopped):
            return False
        if version.fully_uploaded:
            move(self.delivery, to=State.CONFIRMING)
        return version.fully_uploaded

    def _remove(self) -> bool:
        """Move the unfinished document to Clio's trash. A document that existed before is never touched."""
        self._take_turn(Call.ABANDON, Priority.CONFIRM)
        try:
            self.clio.delete_document(self._document_id)
        except errors.NotFound:
            return False
        except errors.Conflict:
            if self.delivery.attempts < LEFT_ALONE_AFTER:
                raise
            return False
        return True

    def _abandon_instead(self, reason: str) -> None:
        move(
            self.delivery,
            to=State.ABANDONING,
            event=Event.DELIVERY_ABANDON_STARTED,
            facts={
                "attempt": self.delivery.attempts + 1,
                "clio_document": self.delivery.clio_document_id,
                "reason": reason,
            },
        )

    def _withdrawn(self, *, removed: bool) -> None:
        finish(
            self.delivery,
            to=State.WITHDRAWN,
            event=Event.DELIVERY_WITHDRAWN,
            facts={
                "step": self.delivery.state,
                "clio_document": self.delivery.clio_document_id,
                "removed_at_clio": removed,
            },
        )

    # What every step needs

    def _require_connection(self) -> None:
        """What waits for a connection has not begun: it can still be undone."""
        if self.delivery.connection.status != Connection.Status.ACTIVE:
            raise errors.NeedsReconnect

    def _client(self) -> ClioClient:
        try:
            return client_for(self.delivery.connection, before_call=self._before_call)
        except regions.RegionNotReady as error:
            raise errors.AppRejected(str(error)) from error

    def _take_turn(self, call: Call, priority: Priority) -> None:
        """Wait for a place in the budget, before anything is recorded. Raises RateLimited for a long wait."""
        self.call = call
        limits.wait_for_turn(self.delivery.connection_id, priority)
        self.has_turn = True

    def _before_call(self, route: str) -> None:
        """Before each request to the API: still in the budget, still ours, and for longer than a call takes.

        A call that is repeated with a renewed token takes another turn.
        """
        if not self.has_turn:
            limits.wait_for_turn(self.delivery.connection_id, Priority.CONFIRM)
        self.has_turn = False
        renew(self.delivery, **({"intent_at": database_now()} if self.call is Call.RESERVE else {}))

    def _settle(self, error: ClioError) -> None:
        """Write down what an error means for this delivery."""
        _mark(error, self.call)
        decision = retry.decide(
            error,
            Standing(
                state=State(self.delivery.state),
                call=self.call,
                attempts=self.delivery.attempts,
                problem=self.delivery.problem,
                can_abandon=not self.delivery.withdrawing,
            ),
        )
        until = database_now() + timedelta(seconds=decision.wait)
        if decision.state == State.RESERVING and self.call is Call.RESERVE and self.delivery.intent_at:
            until = max(until, self.delivery.intent_at + QUIESCE)
        self._set_down(
            decision.hold,
            decision.problem,
            until=until,
            state=decision.state,
            is_attempt=decision.is_attempt,
            error=error,
            changes=_NO_ADDRESS if decision.needs_fresh_address else {},
        )

    def _set_down(
        self,
        hold: Delivery.Hold,
        problem: Problem,
        *,
        until: datetime | None = None,
        state: Delivery.State | None = None,
        is_attempt: bool = True,
        error: ClioError | None = None,
        changes: dict[str, Any] | None = None,
    ) -> None:
        try:
            set_down(
                self.delivery,
                hold=hold,
                state=state or State(self.delivery.state),
                problem=problem,
                until=until or database_now(),
                status=error.status if error else None,
                is_attempt=is_attempt,
                request_id=error.request_id if error else "",
                **(changes or {}),
            )
        except LostClaim:
            logger.info("Delivery %s is in other hands.", self.delivery.pk)

    def _is_mine(self, version: wire.DocumentVersion) -> bool:
        return version.uuid == self.delivery.clio_version_uuid

    def _ids(self) -> dict[str, Any]:
        return {
            "clio_document": self.delivery.clio_document_id,
            "clio_version": self.delivery.clio_version_uuid,
        }

    @property
    def _document_id(self) -> int:
        number = self.delivery.clio_document_id
        if number is None:
            raise Stopped(Problem.SURPRISED, State.RESERVING)
        return number


def choose(found: Iterable[wire.Document]) -> wire.Document | None:
    """Which of the documents that bear our name to go on with: the finished one, else the oldest.

    Two finished ones are a person's decision.
    """
    oldest_first = sorted(found, key=lambda document: document.id)
    finished = [one for one in oldest_first if one.latest_version and one.latest_version.fully_uploaded]
    if len(finished) > 1:
        raise Stopped(Problem.TWO_FOUND)
    return next(iter(finished or oldest_first), None)


def _parent(destination: Destination) -> wire.Parent:
    return wire.Parent(wire.ParentType(destination.parent_type), destination.parent_id)


def _mark(error: ClioError, call: Call) -> None:
    """The crash points that lie behind an error."""
    if error.ambiguous and call in _LOST:
        crashpoint(_LOST[call])
    for kind, name in _MET.items():
        if isinstance(error, kind):
            crashpoint(name)


_STEPS: Final = {
    State.QUEUED: Filing.reserve,
    State.RESERVING: Filing.find,
    State.RESERVED: Filing.transfer,
    State.TRANSFERRED: Filing.confirm,
    State.CONFIRMING: Filing.read_back,
    State.ABANDONING: Filing.abandon,
}

_NO_ADDRESS: Final[dict[str, Any]] = {"put_url_sealed": b"", "put_headers": [], "put_deadline": None}
_LOST: Final = {Call.RESERVE: "C06", Call.CONFIRM: "C14"}
_MET: Final = {
    errors.StorageDenied: "C12",
    errors.StorageExpired: "C12",
    errors.UploadTimeout: "C17",
    errors.UploadNotFound: "C18",
}
