"""Documents in Clio that were approved and filed after the backup: this database knows nothing of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db import transaction

from clio_sync.api import wire
from clio_sync.api.client import ClioClient
from clio_sync.filing.reserving import OPERATION, VERSION
from clio_sync.models import Connection, Delivery, FiledElsewhere
from clio_sync.reconciling.looking import SKEW, first_version, version_with_these_bytes
from clio_sync.reconciling.report import DocumentLine, Verdict
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record


@dataclass(frozen=True, kw_only=True)
class KnownVersion:
    """A version that this database holds, as much of it as its document in Clio must agree with."""

    version_ref: UUID
    matter_id: int
    document_id: int | None  # set: it is to become a new version of this document
    sha256: str
    size: int
    submitted_at: datetime
    label: str


class Versions(Protocol):
    """The drafts, which this app knows nothing of."""

    def known(self, refs: Collection[UUID], *, connection: Connection) -> Mapping[UUID, KnownVersion]:
        """Those of these versions that exist here and are meant for the account of this connection."""

    def awaiting_a_decision(self, *, connection: Connection) -> Iterable[KnownVersion]:
        """Undecided ones that would become new versions of documents in the account of this connection."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A document of ours that this database does not know, and what to think of it."""

    line: DocumentLine
    version_uuid: str = ""
    size: int = 0

    @property
    def is_filed(self) -> bool:
        return self.line.verdict in {Verdict.KEPT_FROM_APPROVAL, Verdict.VERSION_UNKNOWN}


def find_documents(
    clio: ClioClient, connection: Connection, *, since: datetime | None, versions: Versions
) -> Iterator[Found]:
    """Every document with an operation that no delivery of this database has."""
    listing = clio.find_documents(
        external_property_name=OPERATION, created_since=since - SKEW if since else None
    )
    for page in listing.pages():
        here = _known_operations(page.items)
        strange = [one for one in page.items if _property(one, OPERATION) not in here]
        refs = [ref for one in strange if (ref := _version_ref(one)) is not None]
        known = versions.known(refs, connection=connection)
        for one in strange:
            ref = _version_ref(one)
            yield _judged(clio, connection, one, known.get(ref) if ref else None)


def find_versions(clio: ClioClient, connection: Connection, *, versions: Versions) -> Iterator[Found]:
    """Undecided versions whose very bytes already are a version of the document they are meant for."""
    for awaited in versions.awaiting_a_decision(connection=connection):
        if awaited.document_id is None:
            continue
        version = version_with_these_bytes(
            clio, awaited.document_id, sha256=awaited.sha256, size=awaited.size, since=awaited.submitted_at
        )
        if version is not None:
            line = DocumentLine(
                document_id=awaited.document_id,
                version_ref=awaited.version_ref,
                verdict=Verdict.KEPT_FROM_APPROVAL,
                note=awaited.label,
            )
            yield Found(line=line, version_uuid=version.uuid, size=awaited.size)


def keep(found: Found, connection: Connection) -> None:
    """Remember it, once; from now on its version cannot be approved."""
    line = found.line
    if line.version_ref is None:
        return
    with transaction.atomic():
        _, is_new = FiledElsewhere.objects.get_or_create(
            version_ref=line.version_ref,
            clio_document_id=line.document_id,
            clio_version_uuid=found.version_uuid,
            defaults={"connection": connection, "op_id": line.op_id, "size": found.size},
        )
        if is_new:
            record(
                Event.RECONCILE_DOCUMENT_FOUND,
                actor=Actor.system("reconcile"),
                subject=Subject("clio_document", line.document_id),
                connection=connection.pk,
                version=line.version_ref,
                clio_version=found.version_uuid,
                op=line.op_id or None,
                size=found.size,
                result=line.verdict.value,
            )


def _judged(
    clio: ClioClient, connection: Connection, found: wire.Document, known: KnownVersion | None
) -> Found:
    version = first_version(clio, found)
    size = version.size or 0 if version else 0
    line = DocumentLine(
        document_id=found.id,
        op_id=_property(found, OPERATION)[:40],
        version_ref=_version_ref(found),
        verdict=_verdict(connection, found, version, known),
        note=known.label if known else "",
    )
    return Found(line=line, version_uuid=version.uuid if version else "", size=size)


def _verdict(
    connection: Connection,
    found: wire.Document,
    version: wire.DocumentVersion | None,
    known: KnownVersion | None,
) -> Verdict:
    """Anybody can write a property: what counts is who made the document, where it lies, how long it is."""
    if found.creator is None or found.creator.id != connection.clio_user_id:
        return Verdict.NOT_OURS
    if version is None or not version.fully_uploaded:
        return Verdict.UNFINISHED
    if known is None:
        return Verdict.VERSION_UNKNOWN
    if found.matter is None or found.matter.id != known.matter_id:
        return Verdict.OTHER_PLACE
    return Verdict.KEPT_FROM_APPROVAL if version.size == known.size else Verdict.OTHER_SIZE


def _known_operations(documents: Iterable[wire.Document]) -> set[str]:
    named = {_property(one, OPERATION) for one in documents}
    return set(Delivery.objects.filter(op_id__in=named).values_list("op_id", flat=True))


def _property(found: wire.Document, name: str) -> str:
    return next((one.value for one in found.external_properties if one.name == name), "")


def _version_ref(found: wire.Document) -> UUID | None:
    try:
        return UUID(_property(found, VERSION))
    except ValueError:
        return None
