"""Removing from Clio what was begun there and will never be finished.

A worker that lost its claim, or a search that Clio answered too late, leaves an unfinished document behind.
Nobody sees it, and it can never become visible: only the document that a delivery has recorded is confirmed.
What may be deleted is narrow: never a document with anything finished in it, never one that somebody else
made, never a version, never what a delivery has recorded.
"""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from clio_sync import regions
from clio_sync.api import errors, wire
from clio_sync.api.client import ClioClient
from clio_sync.api.errors import ClioError
from clio_sync.calls import client_for
from clio_sync.filing.reserving import OPERATION
from clio_sync.limits import Priority
from clio_sync.models import Connection, Delivery
from clio_sync.patience import Patience
from portal import gate
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record

logger = logging.getLogger(__name__)

LOOKED_BACK: Final = timedelta(days=30)
LEFT_FOR: Final = timedelta(hours=24)
"""Longer than any address lives to which its bytes could still be sent."""
PATIENCE: Final = 120.0
"""Seconds that one run waits for turns at one connection; what is left then waits for the next day."""

_OPERATION_ID: Final = re.compile(r"cs1-[0-9a-f]{26}")


def remove_litter() -> int:
    """Look at every connection that works; how many documents were removed.

    None while the gate is closed: a database that may have forgotten deliveries cannot tell their documents
    from litter.
    """
    if gate.closed():
        return 0
    return sum(_tidy(connection) for connection in Connection.objects.filter(status=Connection.Status.ACTIVE))


def is_litter(connection: Connection, found: wire.Document) -> bool:
    """Whether all that is known of it says that it is ours, unfinished, old, and in nobody's hands."""
    operation, version = _operation(found), found.latest_version
    return (
        _OPERATION_ID.fullmatch(operation) is not None
        and found.creator is not None
        and found.creator.id == connection.clio_user_id
        and found.deleted_at is None
        and found.created_at is not None
        and found.created_at < timezone.now() - LEFT_FOR
        and version is not None
        and not version.fully_uploaded
        and not _is_wanted(operation, found.id)
    )


def _is_wanted(operation: str, document_id: int) -> bool:
    """A delivery has recorded it, or is not over and may yet adopt it."""
    at_work = Delivery.objects.filter(op_id=operation).exclude(state__in=Delivery.FINAL)
    return at_work.exists() or Delivery.objects.filter(clio_document_id=document_id).exists()


def _tidy(connection: Connection) -> int:
    turns = Patience(PATIENCE).turns(connection.pk, Priority.SWEEP)
    try:
        with client_for(connection, before_call=turns) as clio:
            listing = clio.find_documents(
                external_property_name=OPERATION, created_since=timezone.now() - LOOKED_BACK
            )
            litter = [found.id for found in listing if is_litter(connection, found)]
            return sum(_remove(clio, connection, document_id) for document_id in litter)
    except (ClioError, regions.RegionNotReady) as error:
        logger.warning("Unfinished documents at connection %s wait for another day: %s", connection.pk, error)
        return 0


def _remove(clio: ClioClient, connection: Connection, document_id: int) -> bool:
    """Read it again right before: the list is as old as the waits since."""
    try:
        found = clio.document(document_id)
        versions = list(clio.document_versions(document_id))
        is_empty = bool(versions) and not any(version.fully_uploaded for version in versions)
        if not (is_empty and is_litter(connection, found)) or gate.closed():
            return False
        _tell(Event.DELIVERY_LITTER_REMOVE_STARTED, connection, found)
        clio.delete_document(document_id)
    except (errors.NotFound, errors.Conflict, errors.Forbidden):
        return False  # gone, in other hands, or locked: not litter for us
    _tell(Event.DELIVERY_LITTER_REMOVED, connection, found)
    return True


def _tell(event: Event, connection: Connection, found: wire.Document) -> None:
    delivery = Delivery.objects.filter(op_id=_operation(found)).select_related("approval").first()
    about: dict[str, Any] = {"corr": delivery.approval.draft_ref} if delivery else {}
    with transaction.atomic():
        record(
            event,
            actor=Actor.system("hygiene"),
            subject=Subject("clio_document", found.id),
            **about,
            connection=connection.pk,
            delivery=delivery.pk if delivery else None,
            op=_operation(found),
            matter=found.matter.id if found.matter else None,
        )


def _operation(found: wire.Document) -> str:
    return next((one.value for one in found.external_properties if one.name == OPERATION), "")
