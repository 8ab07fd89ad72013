"""When filing meets an error of our own: a bug, a database that is away, a row that makes no sense."""

from __future__ import annotations

import logging
import traceback

from django.db import DatabaseError, close_old_connections, connection

from clio_sync import claims
from clio_sync.claims import LostClaim
from clio_sync.models import Delivery

logger = logging.getLogger(__name__)


def stumble(delivery: Delivery, error: BaseException) -> None:
    """Log it and set the delivery down, if the database lets us. If not, its lease ends by itself."""
    logger.error("Delivery %s met something unexpected.\n%s", delivery.pk, told(error))
    try:
        if not connection.in_atomic_block:
            close_old_connections()
        claims.stumble(delivery)
    except LostClaim:
        logger.info("Delivery %s is in other hands.", delivery.pk)
    except DatabaseError as broken:
        logger.warning("Delivery %s could not be set down (%s).", delivery.pk, type(broken).__name__)


def told(error: BaseException | None) -> str:
    """Where it happened and what kind it is, with its causes. No message: it may quote a client or a key."""
    links: list[str] = []
    while error is not None and len(links) < 5:
        links.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__name__)
        error = error.__cause__ or error.__context__
    return "\nbecause of\n".join(links)
