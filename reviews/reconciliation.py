"""The drafts as reconciling asks for them after a restored backup (`clio_sync.reconciling`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from django.db.models import QuerySet

from clio_sync.models import Connection
from clio_sync.reconciling.finding import KnownVersion
from reviews import lifecycle
from reviews.models import Version


class DraftVersions:
    """Versions of drafts that are meant for one Clio account."""

    def known(self, refs: Collection[UUID], *, connection: Connection) -> Mapping[UUID, KnownVersion]:
        return {version.pk: _told(version) for version in _meant_for(connection).filter(pk__in=refs)}

    def awaiting_a_decision(self, *, connection: Connection) -> Iterable[KnownVersion]:
        undecided = _meant_for(connection).filter(draft__status__in=lifecycle.OPEN)
        for version in undecided.exclude(draft__destination__document_id=None).iterator(chunk_size=200):
            yield _told(version)


def _meant_for(connection: Connection) -> QuerySet[Version]:
    return Version.objects.select_related("draft").filter(
        draft__connection__region=connection.region, draft__connection__account_id=connection.account_id
    )


def _told(version: Version) -> KnownVersion:
    return KnownVersion(
        version_ref=version.pk,
        matter_id=version.draft.matter_id,
        document_id=version.draft.destination.get("document_id"),
        sha256=version.sha256,
        size=version.size,
        submitted_at=version.created_at,
        label=f"draft {str(version.draft_id)[:8]}, version {version.number}",
    )
