"""A firm's worth of drafts, written in bulk past the pages but not past the database's own rules."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from clio_sync.destinations import Destination
from clio_sync.models import Approval, Connection, Delivery, Region
from portal.accounts.models import Role, RoleGrant, User
from reviews.models import Decision, Draft, Status, Version

SHARES = {
    Status.WAITING: 0.40,
    Status.IN_REVIEW: 0.05,
    Status.RETURNED: 0.05,
    Status.REJECTED: 0.05,
    Status.APPROVED: 0.45,  # nearly all of them filed
}
WORDS = (
    "engagement",
    "letter",
    "notice",
    "motion",
    "affidavit",
    "summary",
    "memo",
    "brief",
    "accounts",
    "claim",
)
MATTERS = 400
BATCH = 1000
PASSWORD = "only for the bench 2026"


@dataclass(frozen=True)
class Firm:
    reviewer: User
    submitter: User
    connection: Connection


def a_firm() -> Firm:
    reviewer, submitter = _person("alice", Role.REVIEWER), _person("carol", Role.SUBMITTER)
    connection = Connection.objects.create(
        region=Region.SANDBOX,
        account_id=1,
        account_name="Harrow & Quill",
        clio_user_id=1,
        clio_user_name="Alice Marchetti",
        is_default=True,
        connected_by=reviewer,
    )
    return Firm(reviewer, submitter, connection)


def populate(firm: Firm, *, drafts: int, seed: int) -> None:
    """Add drafts in every state, spread over a year."""
    chance = random.Random(seed)
    for start in range(0, drafts, BATCH):
        _batch(firm, min(BATCH, drafts - start), chance)


def _batch(firm: Firm, size: int, chance: random.Random) -> None:
    made = [_draft(firm, chance) for _ in range(size)]
    Draft.objects.bulk_create(made)
    versions = [_version(firm, draft, chance) for draft in made]
    Version.objects.bulk_create(versions)
    newest = Version.objects.filter(draft=OuterRef("pk")).values("pk")[:1]
    _of(made).update(latest_version=Subquery(newest))
    statuses = chance.choices(list(SHARES), list(SHARES.values()), k=size)
    for status in set(statuses) - {Status.APPROVED}:
        chosen = [draft for draft, given in zip(made, statuses, strict=True) if given == status]
        _of(chosen).update(status=status, reviewer=firm.reviewer if status == Status.IN_REVIEW else None)
    approved = [
        version for version, given in zip(versions, statuses, strict=True) if given == Status.APPROVED
    ]
    _approve(firm, approved, chance)


def _approve(firm: Firm, versions: list[Version], chance: random.Random) -> None:
    Decision.objects.bulk_create(
        Decision(
            version=version,
            sha256=version.sha256,
            reviewer=firm.reviewer,
            verdict=Decision.Verdict.APPROVE,
            statement_version="bench",
        )
        for version in versions
    )
    approvals = [_approval(firm, version) for version in versions]
    Approval.objects.bulk_create(approvals)
    deliveries = [_delivery(approval, chance) for approval in approvals]
    Delivery.objects.bulk_create(deliveries)
    drafts = [version.draft for version in versions]
    for draft, delivery in zip(drafts, deliveries, strict=True):
        draft.status, draft.delivery = Status.APPROVED, delivery
        draft.outcome_told_at = delivery.done_at  # submitters hear of it within seconds
    Draft.objects.bulk_update(drafts, ["status", "delivery", "outcome_told_at"], batch_size=200)


def _draft(firm: Firm, chance: random.Random) -> Draft:
    matter = chance.randrange(MATTERS)
    title = " ".join(chance.sample(WORDS, 3)).capitalize()
    number = f"2026-{matter:04}"
    when = timezone.now() - timedelta(minutes=chance.randrange(365 * 24 * 60))
    destination = Destination(
        connection_id=str(firm.connection.pk),
        matter_id=matter + 1,
        matter_number=number,
        matter_description="Okafor v. Brandt",
        client_name=f"Client {matter}",
        file_name=f"{title}.docx",
    )
    return Draft(
        title=title,
        submitter=firm.submitter,
        connection=firm.connection,
        destination=destination.to_json(),
        matter_id=matter + 1,
        matter_number=number,
        client_name=f"Client {matter}",
        media_type=_media_type(chance),
        search_text=f"{title} {number} client {matter}".lower(),
        submitted_at=when,
        changed_at=when,
    )


def _version(firm: Firm, draft: Draft, chance: random.Random) -> Version:
    return Version(
        draft=draft,
        number=1,
        sha256=f"{chance.getrandbits(256):064x}",
        size=40_000,
        media_type=draft.media_type,
        file_name=f"{draft.title}.docx",
        made_by=firm.submitter,
        made_by_ai=True,
        provenance={"tool": "Drafter", "model": "m-2", "version": "2", "task": "draft"},
    )


def _approval(firm: Firm, version: Version) -> Approval:
    return Approval(
        draft_ref=version.draft_id,
        version_ref=version.pk,
        sha256=version.sha256,
        size=version.size,
        media_type=version.media_type,
        connection=firm.connection,
        destination=version.draft.destination,
        approvers=[],
        approved_by=firm.reviewer,
        undo_until=version.draft.changed_at,
    )


def _delivery(approval: Approval, chance: random.Random) -> Delivery:
    delivery = Delivery(approval=approval, version_ref=approval.version_ref, connection=approval.connection)
    if chance.random() < 0.97:
        delivery.state = Delivery.State.FILED
        delivery.clio_document_id = chance.randrange(10**6, 10**9)
        delivery.size_confirmed = approval.size
        delivery.done_at = approval.undo_until
    return delivery


def _media_type(chance: random.Random) -> str:
    return chance.choice(
        [
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/pdf",
            "text/markdown",
            "text/plain",
        ]
    )


def _person(name: str, role: Role) -> User:
    user = User.objects.create_user(f"{name}@bench.example", PASSWORD, full_name=name.capitalize())
    RoleGrant.objects.create(user=user, role=role)
    return user


def _of(drafts: Iterable[Draft]) -> models.QuerySet[Draft]:
    return Draft.objects.filter(pk__in=[draft.pk for draft in drafts])
