"""One worker's claim on one delivery, and what every step of filing needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BufferedReader
from typing import Any, Final

from clio_sync import limits
from clio_sync.api import wire
from clio_sync.api.client import ClioClient
from clio_sync.claims import move, renew
from clio_sync.clock import database_now
from clio_sync.crashpoints import crashpoint
from clio_sync.destinations import Destination
from clio_sync.limits import Priority
from clio_sync.models import Delivery
from clio_sync.problems import Problem
from clio_sync.retry import Call
from portal import blobs
from portal.audit.events import Event

State = Delivery.State

_LAST_MOMENT: Final = {Call.RESERVE: "C20", Call.CONFIRM: "C21", Call.MAKE_FOLDER: "F04"}
_CARRIES_ON: Final = {Call.MAKE_FOLDER, Call.RESERVE, Call.RENEW, Call.TRANSFER, Call.CONFIRM}
NO_ADDRESS: Final[dict[str, Any]] = {"put_url_sealed": b"", "put_headers": [], "put_deadline": None}


def _nothing_else() -> None:
    pass


class Stopped(Exception):
    """This delivery cannot go on without a person. Says what they are told."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem)


class NotYet(Exception):
    """This delivery may go on at a certain time."""

    def __init__(self, problem: Problem, *, until: datetime) -> None:
        self.problem = problem
        self.until = until
        super().__init__(problem)


class CalledBack(Exception):
    """A person took the delivery back, and what was about to be sent was not."""


class Work:
    """A claimed delivery under way. `call` says what it is doing, for whoever has to judge an error."""

    clio: ClioClient

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.approval = delivery.approval
        self.destination = Destination.from_json(delivery.approval.destination)
        self.call = Call.NOTHING
        self.looked_again = False  # whether this claim has looked anew for folders that Clio lost
        self._has_turn = False
        self._before_call: Callable[[], None] = _nothing_else

    @property
    def state(self) -> Delivery.State:
        return State(self.delivery.state)

    @property
    def attempt(self) -> int:
        return self.delivery.attempts + 1

    @property
    def document_id(self) -> int:
        """The recorded document. Every state after RESERVING has one; a damaged row is a person's matter."""
        if self.delivery.clio_document_id is None:
            raise Stopped(Problem.SURPRISED)
        return self.delivery.clio_document_id

    @property
    def ids(self) -> dict[str, Any]:
        """The facts by which the log names this attempt."""
        return {
            "attempt": self.attempt,
            "clio_document": self.delivery.clio_document_id,
            "clio_version": self.delivery.clio_version_uuid,
        }

    def take_turn(self, call: Call, priority: Priority = Priority.CONFIRM) -> None:
        """Wait for a place in the budget, before anything is recorded. Raises RateLimited for a long wait."""
        self.call = call
        self._wait_for_turn(priority)
        self._has_turn = True

    def before_call(self, route: str) -> None:
        """Before each request to the API: in the budget, still ours, and for longer than a call takes.

        A call that is repeated with a renewed token takes another turn.
        """
        if not self._has_turn:
            self._wait_for_turn(Priority.CONFIRM)
        self._has_turn = False
        self.hold_on(**({"intent_at": database_now()} if self.call is Call.RESERVE else {}))
        self._before_call()
        if self.call in _LAST_MOMENT:
            crashpoint(_LAST_MOMENT[self.call])

    def hold_on(self, **changes: Any) -> None:
        """Keep the claim for another lease. Raises CalledBack instead of going on with what nobody wants."""
        renew(self.delivery, **changes)
        if self.delivery.withdrawing and self.call in _CARRIES_ON:
            raise CalledBack

    def _wait_for_turn(self, priority: Priority) -> None:
        limits.wait_for_turn(self.delivery.connection_id, priority, is_retry=self.delivery.attempts > 0)

    @contextmanager
    def also_before_call(self, act: Callable[[], None]) -> Iterator[None]:
        """Do something more right before each request, also before one that is repeated."""
        self._before_call = act
        try:
            yield
        finally:
            self._before_call = _nothing_else

    def is_mine(self, version: wire.DocumentVersion) -> bool:
        return version.uuid == self.delivery.clio_version_uuid

    def look(self, call: Call) -> wire.DocumentVersion:
        """This delivery's version as Clio has it now. The newest of its document may be another one."""
        self.take_turn(call)
        crashpoint("L01")
        document = self.clio.document(self.document_id)
        crashpoint("L02")
        if document.deleted_at is not None:
            raise Stopped(Problem.IN_TRASH)
        if document.latest_version is not None and self.is_mine(document.latest_version):
            return document.latest_version
        self.take_turn(call)
        crashpoint("L01")
        versions = list(self.clio.document_versions(self.document_id))
        crashpoint("L02")
        mine = next((version for version in versions if self.is_mine(version)), None)
        if mine is None:
            raise Stopped(Problem.RESERVATION_GONE)
        return mine

    def open_bytes(self) -> BufferedReader:
        """The stored file. Raises Stopped when it is missing."""
        try:
            return blobs.open_blob(self.approval.sha256)
        except blobs.BlobMissing as missing:
            raise Stopped(Problem.BYTES_MISSING) from missing

    def require_approved(self, found: str) -> None:
        """What was approved is what is sent. Another hash stops the delivery and is told in the log."""
        if found == self.approval.sha256:
            return
        move(
            self.delivery,
            to=self.state,
            event=Event.DELIVERY_HASH_MISMATCH,
            facts={
                "step": self.state,
                "expected": self.approval.sha256,
                "found": found,
                "size": self.approval.size,
            },
        )
        raise Stopped(Problem.BYTES_CHANGED)

    def abandon_instead(self, reason: str) -> None:
        """Turn to taking the reservation back."""
        move(
            self.delivery,
            to=State.ABANDONING,
            event=Event.DELIVERY_ABANDON_STARTED,
            facts={
                "attempt": self.attempt,
                "clio_document": self.delivery.clio_document_id,
                "reason": reason,
            },
        )
