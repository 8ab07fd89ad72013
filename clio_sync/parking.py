"""Deliveries wait while their connection is broken, and go on by themselves once it is mended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from celery import current_app
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from kombu.exceptions import OperationalError

from clio_sync.api.errors import NeedsReconnect
from clio_sync.clock import database_now
from clio_sync.deliveries import tell
from clio_sync.models import Approval, Connection, Delivery
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record

logger = logging.getLogger(__name__)

BATCH: Final = 200
CONNECTIONS: Final = Actor.system("connections")
STANDING_STILL = (Delivery.Hold.NONE, Delivery.Hold.RETRY, Delivery.Hold.LIMIT)


def needs_reconnecting(
    connection: Connection,
    *,
    reason: str,
    sentence: str = NeedsReconnect.words,
    status: int | None = None,
    only_if: Q | None = None,
) -> bool:
    """Clio no longer accepts this connection: say so, once, and park its deliveries. Not in a transaction.

    Does nothing, and returns False, when the tokens are no longer those of `connection`: somebody has
    reconnected it meanwhile, and what failed belongs to the past. `only_if` says what else must still hold.
    """
    with transaction.atomic():
        marked = Connection.objects.filter(
            only_if or Q(),
            pk=connection.pk,
            token_version=connection.token_version,
            status=Connection.Status.ACTIVE,
        ).update(
            status=Connection.Status.NEEDS_RECONNECTING,
            refresh_lease_owner="",
            refresh_lease_until=None,
            last_error=sentence,
            last_error_at=timezone.now(),
            break_told_at=None,
        )
        if not marked:
            return False
        record(
            Event.CONNECTION_NEEDS_RECONNECTING,
            actor=CONNECTIONS,
            subject=Subject("connection", connection.pk),
            region=connection.region,
            reason=reason,
            status=status,
            parked=moving(connection).count(),
        )
    connection.status = Connection.Status.NEEDS_RECONNECTING
    park_deliveries(connection, reason=reason)
    return True


def moving(connection: Connection) -> QuerySet[Delivery]:
    """What goes through this connection and no worker has. What one has, it parks itself at its next call."""
    free = Q(lease_until=None) | Q(lease_until__lt=database_now())
    return Delivery.objects.running().filter(free, connection=connection, hold__in=STANDING_STILL)


def parked(connection: Connection | None = None) -> QuerySet[Delivery]:
    """What waits for this connection; without one, for any that works by now."""
    waiting = Delivery.objects.running().filter(hold=Delivery.Hold.CONNECTION)
    if connection is not None:
        return waiting.filter(connection=connection)
    return waiting.filter(connection__in=Connection.objects.filter(status=Connection.Status.ACTIVE))


def park_deliveries(connection: Connection, *, reason: str) -> int:
    """Hold back every delivery of this connection that still moves, but not one that waits for a person.

    Call it after the transaction that broke the connection, never in it: thousands take a while, and the log
    is locked for each batch. What a crash leaves unparked is parked when its turn comes.
    """
    still_broken = moving(connection).exclude(connection__status=Connection.Status.ACTIVE)
    changes = {"hold": Delivery.Hold.CONNECTION, "fence": F("fence") + 1}
    told = partial(tell, event=Event.DELIVERY_PARKED, actor=CONNECTIONS, reason=reason)
    return _in_batches(still_broken, changes, told)


def resume_deliveries(connection: Connection | None = None, *, by: Actor = CONNECTIONS) -> int:
    """Let parked deliveries go on now, though none before its time to undo is over.

    Without a connection: those of every connection that works. A worker may park a delivery in the very
    moment in which an admin reconnects, so the sweep asks this too.
    """
    undo_until = Approval.objects.filter(pk=OuterRef("approval_id")).values("undo_until")
    changes = {
        "hold": Delivery.Hold.NONE,
        "not_before": Greatest(Value(database_now()), Subquery(undo_until)),
    }
    mended = parked(connection).filter(connection__status=Connection.Status.ACTIVE)
    resumed = _in_batches(mended, changes, partial(tell, event=Event.DELIVERY_RESUMED, actor=by))
    if resumed:
        transaction.on_commit(_ring)
    return resumed


def _in_batches(standing: QuerySet[Delivery], changes: dict[str, Any], told: Callable[..., None]) -> int:
    """Change the rows and tell of each, some at a time: other writers of the log get their turns between."""
    done = 0
    while batch := _batch(standing, changes, told):
        done += batch
    return done


@transaction.atomic
def _batch(standing: QuerySet[Delivery], changes: dict[str, Any], told: Callable[..., None]) -> int:
    rows = list(standing.select_for_update(of=("self",)).select_related("approval").order_by("pk")[:BATCH])
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(**changes)
    for row in rows:
        told(row, step=row.state, connection=row.connection_id)
    return len(rows)


def _ring() -> None:
    """The broker may be away: the next sweep finds the same rows."""
    try:
        current_app.send_task("clio_sync.tasks.sweep")
    except OperationalError:
        logger.warning("The broker did not take the bell; the sweep will find the deliveries.")
