"""Rows as the portal itself would have made them: connection, draft, version, decision, approval, delivery.

Each takes what a test cares about and invents the rest. Nothing here gets around a trigger: an approval made
here has its decision, or the database refuses it.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from clio_sync import deliveries
from clio_sync.api.secret import Secret
from clio_sync.destinations import Destination
from clio_sync.models import Connection, Delivery
from clio_sync.tokens import sealed
from portal import blobs
from portal.accounts.models import User
from portal.audit.log import Actor
from portal.blobs import Blob
from reviews.models import Decision, Draft, Status, Version
from tests.sandbox_process import SandboxProcess

CONTENT = b"The parties agree to the terms below.\n"
MATTER = 1_000_042


def connection(*, connected_by: User, owner: User | None = None, **fields: Any) -> Connection:
    """An active connection to the sandbox, without tokens."""
    link = Connection(
        **{
            "region": "sandbox",
            "account_id": 1,
            "account_name": "Brandt & Okafor LLP",
            "clio_user_id": 350771,
            "clio_user_name": "Alice Brandt",
            "connected_by": connected_by,
            "owner": owner,
            **fields,
        }
    )
    link.save()
    return link


def tokens_for(link: Connection, sandbox: SandboxProcess) -> None:
    """Give the connection tokens of the sandbox's first user, as consenting would have."""
    given = sandbox.tokens(user_id=link.clio_user_id)
    link.token_version += 1
    both = sealed(
        link.pk,
        version=link.token_version,
        access=Secret(given["access_token"]),
        refresh=Secret(given["refresh_token"]),
    )
    link.access_sealed, link.refresh_sealed = both["access_sealed"], both["refresh_sealed"]
    link.token_issued_at = timezone.now()
    link.expires_at = link.token_issued_at + timedelta(seconds=given["expires_in"])
    link.save()


def destination(link: Connection, **fields: Any) -> Destination:
    return Destination(
        **{
            "connection_id": str(link.pk),
            "matter_id": MATTER,
            "matter_number": "2026-0042",
            "matter_description": "Okafor v. Brandt",
            "file_name": "Settlement offer.txt",
            **fields,
        }
    )


def draft(
    *,
    submitter: User,
    place: Destination,
    content: bytes | Blob = CONTENT,
    made_by: User | None = None,
    media_type: str = "text/plain",
    **fields: Any,
) -> Draft:
    """A draft in review with one version, whose bytes are in the blob store."""
    row = Draft.objects.create(
        **{
            "title": place.file_name,
            "status": Status.IN_REVIEW,
            "submitter": submitter,
            "connection_id": uuid.UUID(place.connection_id),
            "destination": place.to_json(),
            "matter_id": place.matter_id,
            "matter_number": place.matter_number,
            "media_type": media_type,
            **fields,
        }
    )
    version(row, content=content, made_by=made_by or submitter, media_type=media_type)
    return row


def version(row: Draft, *, content: bytes | Blob, made_by: User, media_type: str = "text/plain") -> Version:
    """The draft's next and newest version, of bytes or of a blob that is stored."""
    blob = content if isinstance(content, Blob) else blobs.store([content], limit=max(len(content), 1))
    newest = Version.objects.create(
        draft=row,
        number=row.versions.count() + 1,
        sha256=blob.sha256,
        size=blob.size,
        media_type=media_type,
        file_name=row.title,
        made_by=made_by,
    )
    row.latest_version = newest
    row.save(update_fields=["latest_version"])
    return newest


def decision(of: Version, *, by: User) -> Decision:
    """An approving one."""
    return Decision.objects.create(
        version=of,
        sha256=of.sha256,
        reviewer=by,
        verdict=Decision.Verdict.APPROVE,
        statement_version="1",
    )


@transaction.atomic
def approved(row: Draft, *, by: User, undo_seconds: int = 0, link: Connection | None = None) -> Delivery:
    """Approve the draft's newest version, as `reviews.actions.approve` does, and return its delivery."""
    newest = row.latest_version
    assert newest is not None
    verdict = decision(newest, by=by)
    delivery = deliveries.enqueue(
        draft_ref=row.pk,
        version_ref=newest.pk,
        sha256=newest.sha256,
        size=newest.size,
        media_type=newest.media_type,
        destination=Destination.from_json(row.destination),
        connection=link or row.connection,
        approvers=[{"user": by.pk, "decision": str(verdict.pk)}],
        approved_by=by,
        undo_seconds=undo_seconds,
        actor=Actor.user(by),
    )
    row.status, row.delivery = Status.APPROVED, delivery
    row.save(update_fields=["status", "delivery"])
    return delivery
