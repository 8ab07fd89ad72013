"""Ringing for a delivery. A message only says "look now"; a lost one costs seconds: the sweep rings again."""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from celery import current_app
from kombu.exceptions import OperationalError

from clio_sync.crashpoints import crashpoint

TASK: Final = "clio_sync.tasks.deliver"
STALE_AFTER: Final = 60.0
"""Seconds after which an unheard message is dropped: a stopped worker does not wake up to thousands."""

logger = logging.getLogger(__name__)


def ring(delivery_id: UUID, *, after: float = 0.0) -> None:
    """Ask a worker to look at a delivery in `after` seconds; a few at most, longer waits belong to the sweep.

    A broker that is away is not an error: the row is the queue.
    """
    try:
        current_app.send_task(
            TASK, args=[str(delivery_id)], countdown=after or None, expires=after + STALE_AFTER, retry=False
        )
        crashpoint("C03")
    except OperationalError:
        logger.warning("The broker is away; delivery %s waits for the sweep.", delivery_id)
