"""What Clio holds of one delivery. Looking changes nothing, neither there nor here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import Final

from clio_sync.api import errors, wire
from clio_sync.api.client import ClioClient
from clio_sync.destinations import Destination
from clio_sync.filing.reserving import OPERATION, choose, is_ours
from clio_sync.models import Delivery, FiledElsewhere

SKEW: Final = timedelta(hours=1)
"""How far Clio's clock and ours may disagree."""


@dataclass(frozen=True)
class Seen:
    """One delivery's version as Clio has it."""

    document_id: int
    version: wire.DocumentVersion
    reservation: wire.Reservation | None = None

    @property
    def is_finished(self) -> bool:
        return self.version.fully_uploaded


def look(clio: ClioClient, delivery: Delivery) -> Seen | None:
    """By its operation id and by its recorded document; a finished one counts before an unfinished one.

    Raises Stopped when two are finished.
    """
    place = Destination.from_json(delivery.approval.destination)
    if place.document_id is not None:
        return _recorded(clio, delivery) or _unrecorded_version(clio, delivery, place.document_id)
    named = _named(clio, delivery, place)
    if named and (named.is_finished or delivery.clio_document_id in {None, named.document_id}):
        return named
    return _recorded(clio, delivery) or named


def version_with_these_bytes(
    clio: ClioClient, document_id: int, *, sha256: str, size: int, since: datetime
) -> wire.DocumentVersion | None:
    """A finished version that no delivery of this database is known to have filed and that holds these bytes.

    A new version bears no name of ours, so the bytes have to tell.
    """
    try:
        versions = list(clio.document_versions(document_id, fully_uploaded=True))
    except errors.NotFound:
        return None
    for version in versions:
        is_later = version.created_at is None or version.created_at >= since - SKEW
        may_be_ours = version.size == size and is_later and not _is_known(version)
        if may_be_ours and _bytes_of(clio, document_id, version, most=size) == sha256:
            return version
    return None


def _named(clio: ClioClient, delivery: Delivery, place: Destination) -> Seen | None:
    bearing = clio.find_documents(external_property_name=OPERATION, external_property_value=delivery.op_id)
    found = choose([one for one in bearing if is_ours(delivery, place.matter_id, one)])
    version = _own_version(clio, found, delivery) if found else None
    return _seen(found, version) if found and version else None


def _recorded(clio: ClioClient, delivery: Delivery) -> Seen | None:
    if delivery.clio_document_id is None:
        return None
    try:
        found = clio.document(delivery.clio_document_id)
    except errors.NotFound:
        return None
    version = None if found.deleted_at else _own_version(clio, found, delivery)
    return _seen(found, version) if version else None


def _unrecorded_version(clio: ClioClient, delivery: Delivery, document_id: int) -> Seen | None:
    if delivery.clio_document_id is not None:
        return None
    approval = delivery.approval
    version = version_with_these_bytes(
        clio, document_id, sha256=approval.sha256, size=approval.size, since=approval.created_at
    )
    return Seen(document_id, version) if version else None


def first_version(clio: ClioClient, found: wire.Document) -> wire.DocumentVersion | None:
    """The one with which the document came into being; people may have added others since."""
    latest = found.latest_version
    if latest is None or latest.version_number in {None, 1}:
        return latest
    return min(
        clio.document_versions(found.id), key=lambda version: version.version_number or 0, default=None
    )


def _own_version(clio: ClioClient, found: wire.Document, delivery: Delivery) -> wire.DocumentVersion | None:
    if found.id != delivery.clio_document_id or not delivery.clio_version_uuid:
        return first_version(clio, found)
    latest, uuid = found.latest_version, delivery.clio_version_uuid
    if latest is not None and latest.uuid == uuid:
        return latest
    return next((one for one in clio.document_versions(found.id) if one.uuid == uuid), None)


def _seen(found: wire.Document, version: wire.DocumentVersion) -> Seen:
    reservation = found.reservation()
    is_same = reservation is not None and reservation.version_uuid == version.uuid
    return Seen(found.id, version, reservation if is_same else None)


def _is_known(version: wire.DocumentVersion) -> bool:
    return (
        Delivery.objects.filter(clio_version_uuid=version.uuid).exists()
        or FiledElsewhere.objects.filter(clio_version_uuid=version.uuid).exists()
    )


def _bytes_of(clio: ClioClient, document_id: int, version: wire.DocumentVersion, *, most: int) -> str:
    with TemporaryFile() as copy:
        return clio.download(document_id, copy, most=most, version_id=version.id).sha256
