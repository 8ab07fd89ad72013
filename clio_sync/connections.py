"""The connections the firm has: which one to use, and testing, preferring and ending one.

Calls to Clio stand outside transactions; each act and its entry in the log share one.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from clio_sync import regions, tokens
from clio_sync.api.errors import ClioError
from clio_sync.api.secret import Secret
from clio_sync.api.wire import WhoAmI
from clio_sync.calls import client_for
from clio_sync.destinations import Destination
from clio_sync.errors import BadDestination
from clio_sync.models import Connection, Delivery
from clio_sync.oauth import deauthorize
from clio_sync.parking import moving, needs_reconnecting, park_deliveries, resume_deliveries
from clio_sync.tokens import fresh_token
from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record
from portal.audit.models import Outcome

__all__ = [
    "Reply",
    "broken",
    "choose_connection",
    "client_for",
    "default",
    "disconnect",
    "firms",
    "fresh_token",
    "listed",
    "make_default",
    "named",
    "needs_reconnecting",
    "park_deliveries",
    "personal",
    "resume_deliveries",
    "test_connection",
    "waiting",
]

Status = Connection.Status


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came of asking Clio, for the person who asked."""

    ok: bool
    sentence: str


# Looking


def firms() -> QuerySet[Connection]:
    """The firm's own connections, the ones a draft may name."""
    return Connection.objects.filter(owner=None)


def personal(user: User) -> QuerySet[Connection]:
    """The connections by which this lawyer files in their own name."""
    return Connection.objects.filter(owner=user)


def listed() -> QuerySet[Connection]:
    """For a page: with the people involved, and `parked`, how many deliveries wait for the connection."""
    waiting = Delivery.objects.running().filter(connection=OuterRef("pk"), hold=Delivery.Hold.CONNECTION)
    counted = waiting.order_by().values("connection").values(count=Count("pk"))
    parked = Coalesce(Subquery(counted), 0)
    everything = Connection.objects.select_related("owner", "connected_by").annotate(parked=parked)
    return everything.order_by("-is_default", "connected_at")


def default() -> Connection | None:
    """The connection of a draft that names none."""
    return Connection.objects.filter(is_default=True).first()


def named(connection_id: uuid.UUID | str | None) -> Connection:
    """The connection that a draft names, or the default one. Raises BadDestination.

    Only the firm's own can be named: nobody files through a lawyer's personal connection but that lawyer.
    """
    if not connection_id:
        chosen = default()
        if chosen is None:
            raise BadDestination("not_connected", "Clio is not connected yet. Ask an admin to connect it.")
    else:
        wanted = _as_id(connection_id)
        chosen = firms().filter(pk=wanted).first() if wanted else None
        if chosen is None:
            raise BadDestination("unknown_connection", "There is no such connection to Clio. Choose another.")
    if chosen.status != Status.ACTIVE:
        what = "was disconnected" if chosen.status == Status.DISCONNECTED else "needs reconnecting"
        raise BadDestination(
            "not_connected", f"The connection to {chosen.account_name} {what}. Ask an admin."
        )
    return chosen


def broken() -> QuerySet[Connection]:
    return Connection.objects.filter(status=Status.NEEDS_RECONNECTING).select_related("owner")


def choose_connection(approver: User, destination: Destination) -> Connection:
    """Whose identity files: the approving lawyer's own connection to the same account, else the firm's.

    Raises BadDestination when the firm's was ended. One that only needs reconnecting is chosen all the same:
    its deliveries wait.
    """
    firm = Connection.objects.get(pk=destination.connection_id)
    if firm.status == Status.DISCONNECTED:
        raise BadDestination("not_connected", f"The connection to {firm} was ended. Name another one.")
    own = personal(approver).filter(region=firm.region, account_id=firm.account_id, status=Status.ACTIVE)
    return own.order_by("connected_at").first() or firm


def waiting(connection: Connection) -> int:
    """How many deliveries still have to go through this connection."""
    return Delivery.objects.running().filter(connection=connection).count()


def _as_id(text: uuid.UUID | str) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


# With a connection that stands


def test_connection(connection: Connection, *, by: Actor) -> Reply:
    """Ask Clio who we are."""
    status: int | None = 200
    try:
        with client_for(connection) as clio:
            result = _told(connection, clio.who_am_i())
    except ClioError as error:
        result, status = Reply(ok=False, sentence=error.sentence), error.status
    except regions.RegionNotReady as error:
        result, status = Reply(ok=False, sentence=str(error)), None
    with transaction.atomic():
        record(
            Event.CONNECTION_TESTED,
            actor=by,
            subject=_subject(connection),
            outcome=Outcome.OK if result.ok else Outcome.ERROR,
            region=connection.region,
            result="ok" if result.ok else "failed",
            status=status,
        )
    return result


def _told(connection: Connection, me: WhoAmI) -> Reply:
    if me.account.id != connection.account_id:
        return Reply(ok=False, sentence=f"Clio answers for another account: {me.account.name}.")
    return Reply(ok=True, sentence=f"Clio answers: {me.name} of {me.account.name}.")


def make_default(connection: Connection, *, by: Actor) -> None:
    """Use this connection for drafts that name none. BadDestination unless it is the firm's and works."""
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if row.owner_id is not None or row.status != Status.ACTIVE:
            raise BadDestination("not_connected", "Only a working connection of the firm can be the default.")
        previous = Connection.objects.filter(is_default=True).exclude(pk=row.pk).first()
        Connection.objects.filter(is_default=True).update(is_default=False)
        Connection.objects.filter(pk=row.pk).update(is_default=True)
        record(
            Event.CONNECTION_MADE_DEFAULT,
            actor=by,
            subject=_subject(row),
            region=row.region,
            previous=previous.pk if previous else None,
        )


def disconnect(connection: Connection, *, by: Actor, reason: str = "") -> bool:
    """End a connection: give the access back to Clio, and forget the tokens even if Clio does not answer.

    Returns whether Clio confirmed the end. Deliveries that were to use the connection wait.
    """
    if connection.status == Status.DISCONNECTED:
        return True
    was_ended = _end_at_clio(connection)
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        row.status, row.is_default = Status.DISCONNECTED, False
        row.access_sealed = row.refresh_sealed = b""
        row.token_version += 1
        row.token_issued_at = row.expires_at = row.refresh_lease_until = None
        row.refresh_lease_owner = ""
        row.save()
        record(
            Event.CONNECTION_DISCONNECTED,
            actor=by,
            subject=_subject(row),
            texts={"reason": reason},
            region=row.region,
            revoked_at_clio=was_ended,
            parked=moving(row).count(),
        )
    park_deliveries(row, reason="disconnected")
    return was_ended


def _end_at_clio(connection: Connection) -> bool:
    for token in (fresh_token, _stored_token):
        with suppress(ClioError):
            return deauthorize(connection.region, token(connection))
    return False


def _stored_token(connection: Connection) -> Secret:
    return tokens.access_of(Connection.objects.get(pk=connection.pk))


def _subject(connection: Connection | None) -> Subject | None:
    return Subject("connection", connection.pk) if connection else None
