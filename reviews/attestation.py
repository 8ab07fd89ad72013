"""What a reviewer states when approving, and the record of it: what the system observed, what the person
attested and what was derived are kept apart, so that none is mistaken for another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clio_sync.destinations import Destination
from portal.accounts.models import User
from portal.audit.digest import digest
from portal.audit.log import Actor
from reviews.models import Draft, Version

SCHEMA = "1"


@dataclass(frozen=True)
class Statement:
    """One sentence to tick. Never reworded: a new wording is a new set with a new version."""

    code: str
    text: str


STATEMENT_VERSION = "2026-11"
STATEMENTS = (
    Statement(
        "human_verification",
        "I, a human licensee, independently checked this content; "
        "I did not rely on an AI system to verify itself.",
    ),
    Statement(
        "professional_judgment",
        "I exercised my own professional judgment and take responsibility for this document.",
    ),
)


def statements_digest() -> str:
    return digest([[statement.code, statement.text] for statement in STATEMENTS])


def compose(
    draft: Draft, version: Version, *, destination: Destination, by: User, actor: Actor, decided_at: datetime
) -> dict[str, Any]:
    """The attestation record of one approval (peers' fields; docs/architecture.md names each)."""
    return {
        "schema": SCHEMA,
        "observed": _observed(draft, version, destination, decided_at) | {"reviewer": _reviewer(by, actor)},
        "attested": {
            "statement_version": STATEMENT_VERSION,
            "statements_sha256": statements_digest(),
            "agreed": [statement.code for statement in STATEMENTS],
        },
        "derived": {"versions": version.number, "changed_since_first_draft": _changed(draft, version)},
    }


def _observed(
    draft: Draft, version: Version, destination: Destination, decided_at: datetime
) -> dict[str, Any]:
    return {
        "draft": str(draft.pk),
        "kind": draft.kind,
        "version": str(version.pk),
        "content_sha256": version.sha256,
        "size": version.size,
        "media_type": version.media_type,
        "file_name": version.file_name,
        "parent_sha256s": [v.sha256 for v in draft.versions.filter(number__lt=version.number)],
        "provenance": version.provenance,
        "findings": version.findings,
        "destination": destination.to_json(),
        "decided_at": decided_at.isoformat(),
    }


def _reviewer(by: User, actor: Actor) -> dict[str, Any]:
    return {
        "id": by.pk,
        "name": by.full_name,
        "licence_number": by.licence_number,
        "roles": sorted(by.roles),
        "auth": list(actor.auth),
        "auth_age_s": actor.auth_age_s,
    }


def _changed(draft: Draft, version: Version) -> bool:
    first = draft.versions.get(number=1)
    return first.sha256 != version.sha256
