"""The proof after filing: what was approved, sent and confirmed, and where the log says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from clio_sync.destinations import Destination
from clio_sync.models import Connection, Delivery, Region
from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.models import Entry


class NotFiled(LookupError):
    """There is no receipt: Clio has not confirmed the document."""


@dataclass(frozen=True, kw_only=True)
class ClioIdentity:
    """As whom Clio shows the document filed."""

    user_name: str
    account_name: str
    region: str
    is_own: bool  # the approving lawyer's own connection, not the firm's


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a filed delivery can prove. The hashes are equal, or the delivery would not be filed."""

    delivery_id: UUID
    approval_id: UUID
    op_id: str  # the name Clio keeps with the document, in external_properties
    draft_ref: UUID
    version_ref: UUID
    destination: Destination
    media_type: str
    size: int
    sha256_approved: str
    sha256_sent: str
    storage_etag: str
    clio_document_id: int
    clio_version_uuid: str
    clio_version_number: int | None
    approved_by: User
    approved_at: datetime
    filed_at: datetime
    filed_as: ClioIdentity
    failed_attempts: int
    log_position: int | None  # the entry `delivery.filed`
    log_hash: str  # what the next entry names as its predecessor
    clio_url: str

    @property
    def is_same_bytes(self) -> bool:
        return self.sha256_approved == self.sha256_sent

    @property
    def storage_vouches(self) -> bool:
        """Whether storage's ETag is a plain MD5, which only a file sent in one piece has."""
        return len(self.storage_etag) == 32


def receipt(delivery: Delivery) -> Receipt:
    """The receipt of a filed delivery. Raises NotFiled for any other."""
    approval, number, filed_at = delivery.approval, delivery.clio_document_id, delivery.done_at
    if delivery.state != Delivery.State.FILED or number is None or filed_at is None:
        raise NotFiled
    entry = _log_entry(delivery)
    return Receipt(
        delivery_id=delivery.pk,
        approval_id=approval.pk,
        op_id=delivery.op_id,
        draft_ref=approval.draft_ref,
        version_ref=approval.version_ref,
        destination=Destination.from_json(approval.destination),
        media_type=approval.media_type,
        size=approval.size,
        sha256_approved=approval.sha256,
        sha256_sent=delivery.sha256_sent,
        storage_etag=delivery.storage_etag,
        clio_document_id=number,
        clio_version_uuid=delivery.clio_version_uuid,
        clio_version_number=delivery.clio_version_number,
        approved_by=approval.approved_by,
        approved_at=approval.created_at,
        filed_at=filed_at,
        filed_as=_identity(delivery),
        failed_attempts=delivery.attempts,
        log_position=entry.seq if entry else None,
        log_hash=entry.hash.hex() if entry else "",
        clio_url=clio_url(delivery.connection, number),
    )


def clio_url(connection: Connection, document_id: int) -> str:
    """Where a person opens a document in Clio: an address its pages use, which Clio does not document."""
    return f"{settings.CLIO_API_URLS[connection.region]}/nc/#/documents/{document_id}"


def _identity(delivery: Delivery) -> ClioIdentity:
    connection = delivery.connection
    return ClioIdentity(
        user_name=connection.clio_user_name,
        account_name=connection.account_name,
        region=Region(connection.region).label,
        is_own=connection.owner_id == delivery.approval.approved_by_id,
    )


def page_address(draft_ref: UUID) -> str:
    """Where a person reads the receipt, after signing in: what Clio keeps with the document."""
    return f"{settings.SITE_URL}{reverse('reviews:receipt', args=[draft_ref])}"


def _log_entry(delivery: Delivery) -> Entry | None:
    filed = Entry.objects.filter(
        object_type="delivery", object_id=str(delivery.pk), event=Event.DELIVERY_FILED.value
    )
    return filed.first()
