"""Deliveries wait while their connection is broken, and go on by themselves once it is mended."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from kombu.exceptions import OperationalError

from clio_sync.api.errors import NeedsReconnect
from clio_sync.models import Approval, Connection, Delivery
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record

logger = logging.getLogger(__name__)

STANDING_STILL = (Delivery.Hold.NONE, Delivery.Hold.RETRY, Delivery.Hold.LIMIT)


def needs_reconnecting(
    connection: Connection,
    *,
    reason: str,
    sentence: str = NeedsReconnect.words,
    status: int | None = None,
    only_if: Q | None = None,
) -> bool:
    """Clio no longer accepts this connection: say so, once, and park its deliveries.

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
        )
        if not marked:
            return False
        record(
            Event.CONNECTION_NEEDS_RECONNECTING,
            actor=Actor.system("connections"),
            subject=Subject("connection", connection.pk),
            region=connection.region,
            reason=reason,
            status=status,
            parked=park_deliveries(connection),
        )
    connection.status = Connection.Status.NEEDS_RECONNECTING
    return True


def park_deliveries(connection: Connection) -> int:
    """Hold back every delivery of this connection that still moves, but not one that waits for a person."""
    return Delivery.objects.filter(
        connection=connection, state__in=Delivery.RUNNING, hold__in=STANDING_STILL
    ).update(hold=Delivery.Hold.CONNECTION)


def resume_deliveries(connection: Connection | None = None) -> int:
    """Let parked deliveries go on now, though none before its time to undo is over.

    Without a connection: those of every connection that works. A worker may park a delivery in the very
    moment in which an admin reconnects, so the sweep asks this too.
    """
    parked = Delivery.objects.filter(state__in=Delivery.RUNNING, hold=Delivery.Hold.CONNECTION)
    mended = Connection.objects.filter(status=Connection.Status.ACTIVE)
    if connection is not None:
        mended = mended.filter(pk=connection.pk)
    undo_until = Approval.objects.filter(pk=OuterRef("approval_id")).values("undo_until")
    resumed = parked.filter(connection__in=mended).update(
        hold=Delivery.Hold.NONE, not_before=Greatest(Value(timezone.now()), Subquery(undo_until))
    )
    if resumed:
        transaction.on_commit(_ring)
    return resumed


def _ring() -> None:
    """The broker may be away: the next sweep finds the same rows."""
    try:
        current_app.send_task("clio_sync.tasks.sweep")
    except OperationalError:
        logger.warning("The broker did not take the bell; the sweep will find the deliveries.")
