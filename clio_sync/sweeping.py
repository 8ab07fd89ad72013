"""Finding what is due and ringing for it: why a lost message or broker costs seconds, and no document."""

from __future__ import annotations

import logging
import math
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef

from clio_sync.bell import ring
from clio_sync.clock import database_now
from clio_sync.limits import WINDOW
from clio_sync.models import Connection, Delivery
from clio_sync.parking import resume_deliveries
from portal import gate

logger = logging.getLogger(__name__)

CALLS_A_DOCUMENT: Final = 2
SPARE: Final = 4
BATCH: Final = 200


def sweep() -> int:
    """Ring for what is due, first in line first; how many. Resume what waits for a connection that works.

    For each connection no more are rung for than its limit lets through until the next sweep, and a few to
    spare: a backlog of thousands does not become thousands of messages every few seconds. While the gate is
    closed none are, and as long as it is open its mark is carried on.
    """
    closed = gate.advance()
    if closed:
        logger.warning("Nothing is filed. %s Run: manage.py reconcile", closed.sentence)
        return 0
    resume_deliveries()
    now = database_now()
    due = [delivery for connection in _busy(now) for delivery in _due(connection, now)][:BATCH]
    for delivery_id in due:
        ring(delivery_id)
    return len(due)


def _busy(now: datetime) -> list[Connection]:
    due = Delivery.objects.due(now).filter(connection=OuterRef("pk"))
    return list(Connection.objects.filter(Exists(due)).select_related("rate"))


def _due(connection: Connection, now: datetime) -> list[UUID]:
    due = Delivery.objects.due(now).in_line().filter(connection=connection)
    return list(due.values_list("pk", flat=True)[: _room(connection)])


def _room(connection: Connection) -> int:
    """How many documents fit into the time until the next sweep."""
    limit = connection.rate.limit if hasattr(connection, "rate") else 50
    return math.ceil(limit * settings.SWEEP_SECONDS / WINDOW / CALLS_A_DOCUMENT) + SPARE
