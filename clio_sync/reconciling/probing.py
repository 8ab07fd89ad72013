"""Whether Clio's search can be believed: it must find what this database knows to be filed."""

from __future__ import annotations

from typing import Final

from clio_sync.api import errors
from clio_sync.api.client import ClioClient
from clio_sync.filing.reserving import OPERATION
from clio_sync.models import Connection, Delivery
from clio_sync.reconciling.looking import SKEW

PROBES: Final = 3
"""Newest filed documents that are tried; people may have deleted some of them in Clio."""


def search_is_true(clio: ClioClient, connection: Connection) -> bool:
    """False when a document that Clio can show is not found by its property. With nothing filed, True."""
    return all(_is_found(clio, filed) or not _is_there(clio, filed) for filed in _newest(connection))


def _newest(connection: Connection) -> list[Delivery]:
    filed = connection.deliveries.filter(
        state=Delivery.State.FILED, approval__destination__document_id=None, first_call_at__isnull=False
    )
    return list(filed.order_by("-done_at")[:PROBES])


def _is_found(clio: ClioClient, filed: Delivery) -> bool:
    """By the name of the property alone, as documents are searched that nobody here knows."""
    assert filed.first_call_at is not None  # noqa: S101 - as asked for above
    listing = clio.find_documents(external_property_name=OPERATION, created_since=filed.first_call_at - SKEW)
    return any(found.id == filed.clio_document_id for found in listing)


def _is_there(clio: ClioClient, filed: Delivery) -> bool:
    try:
        return clio.document(filed.clio_document_id or 0).deleted_at is None
    except errors.NotFound:
        return False
