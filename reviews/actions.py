"""Everything that changes a draft. Page, program, command and test call the same verbs.

Each verb locks the draft, asks again who may and whether this is still the newest, changes it, and writes its
audit entry, in one transaction. `actor` is how the log knows the person; `by` is the person.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from clio_sync import connections, deliveries
from clio_sync.destinations import Destination
from clio_sync.elsewhere import FiledBefore
from clio_sync.errors import BadDestination
from clio_sync.models import Connection, Delivery
from portal import blobs
from portal.accounts import roles
from portal.accounts.models import ApiKey, User
from portal.audit.digest import digest
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record
from reviews import attestation, lifecycle, naming
from reviews.errors import (
    AlreadyFiled,
    BadSubmission,
    BytesChanged,
    NotAllowed,
    NotNewest,
    TooLate,
    WrongState,
)
from reviews.models import Decision, Draft, Opening, Status, Version


@dataclass(frozen=True, kw_only=True)
class Content:
    """Checked bytes that are already in the blob store, and what they are (`reviews.intake` makes these)."""

    sha256: str
    size: int
    media_type: str
    file_name: str
    page_count: int | None
    findings: list[dict[str, Any]]
    provenance: dict[str, Any]  # empty when a person made it
    note: str = ""


@dataclass(frozen=True)
class Seen:
    """What the reviewer had on the page: the decision is about this and nothing newer."""

    version_id: uuid.UUID
    sha256: str
    revision: int


def subject(draft: Draft) -> Subject:
    return Subject("draft", draft.pk)


def destination_of(draft: Draft) -> Destination:
    return Destination.from_json(draft.destination)


def address_of(draft: Draft) -> str:
    """The review screen's full address."""
    return settings.SITE_URL + reverse("reviews:draft", args=[draft.pk])


@transaction.atomic
def submit(
    content: Content,
    *,
    title: str,
    destination: Destination,
    submitter: User,
    actor: Actor,
    api_key: ApiKey | None = None,
) -> Draft:
    """A new draft with its first version, waiting in the queue."""
    if not roles.may_submit(_as_of_now(submitter)):
        raise NotAllowed("Submitting drafts needs the submitter role. An admin can give it.")
    draft = Draft.objects.create(
        title=title,
        submitter=submitter,
        api_key=api_key,
        connection_id=uuid.UUID(destination.connection_id),
        destination=destination.to_json(),
        matter_id=destination.matter_id,
        matter_number=destination.matter_number,
        client_name=destination.client_name,
        media_type=content.media_type,
        search_text=_search_text(title, destination),
    )
    version = _keep_version(draft, content, number=1, made_by=submitter)
    draft.latest_version = version
    draft.save(update_fields=["latest_version"])
    record(
        Event.DRAFT_SUBMITTED,
        actor=actor,
        subject=subject(draft),
        corr=draft.pk,
        texts={"file_name": content.file_name, "note": content.note},
        **_version_facts(version),
        kind=draft.kind,
        source="api" if api_key else "form",
        connection=draft.connection_id,
        matter=draft.matter_id,
        folder=destination.folder_id,
        destination=digest(draft.destination),
    )
    return draft


@transaction.atomic
def add_version(
    draft_id: uuid.UUID, content: Content, *, by: User, actor: Actor, revision: int | None = None
) -> Version:
    """A newer content. It voids earlier approvals, and who made it cannot approve it.

    A returned draft goes back to the reviewer who returned it. `revision` refuses a version that answers an
    older state of the draft than the one its maker saw.
    """
    draft = lifecycle.locked(draft_id)
    _must_take_a_version(draft, by, revision)
    latest = _latest(draft)
    if latest.sha256 == content.sha256 and latest.file_name == content.file_name:
        raise BadSubmission("unchanged", "This is the same file as the newest version.", field="file")
    version = _keep_version(draft, content, number=latest.number + 1, made_by=by)
    destination = _named_anew(draft, content, number=latest.number + 1)
    lifecycle.advance(
        draft,
        to=Status.IN_REVIEW if draft.reviewer_id else Status.WAITING,
        latest_version=version,
        media_type=content.media_type,
        destination=destination.to_json(),
        search_text=_search_text(draft.title, destination),
    )
    record(
        Event.DRAFT_VERSION_ADDED,
        actor=actor,
        subject=subject(draft),
        corr=draft.pk,
        texts={"file_name": content.file_name, "note": content.note},
        **_version_facts(version),
        previous_sha256=latest.sha256,
        source="api" if actor.type == "api_key" else "form",
    )
    return version


def expect_version(draft_id: uuid.UUID, *, by: User, revision: int | None = None) -> None:
    """Raise what `add_version` would raise about the draft, before a file is read and kept for nothing."""
    _must_take_a_version(Draft.objects.get(pk=draft_id), by, revision)


def _must_take_a_version(draft: Draft, by: User, revision: int | None) -> None:
    if not roles.may_add_version(_as_of_now(by), submitter_id=draft.submitter_id):
        raise NotAllowed("Only the submitter or a reviewer can add a version to this draft.")
    _must_be_open(draft, revision)


def _must_be_open(draft: Draft, revision: int | None) -> None:
    if revision is not None and revision != draft.revision:
        raise NotNewest("This draft changed while you were editing. Look at it again, then do it anew.")
    if draft.status not in lifecycle.OPEN:
        raise WrongState(f"This draft is {draft.get_status_display().lower()}; it takes no changes.")


@transaction.atomic
def change_destination(
    draft_id: uuid.UUID, destination: Destination, *, by: User, actor: Actor, revision: int | None = None
) -> Draft:
    """Another place, or another name there, for a draft that is still open. `destination` is one that
    `reviews.places` checked with Clio.

    It voids no decision, but a page that shows the old one can no longer be approved. `revision` refuses a
    change to an older state of the draft than the one its maker saw.
    """
    draft = lifecycle.locked(draft_id)
    _must_move(draft, by, revision)
    previous, now = digest(draft.destination), destination.to_json()
    if now == destination_of(draft).to_json():
        return draft
    lifecycle.advance(
        draft,
        to=Status(draft.status),
        connection_id=uuid.UUID(destination.connection_id),
        destination=now,
        matter_id=destination.matter_id,
        matter_number=destination.matter_number,
        client_name=destination.client_name,
        search_text=_search_text(draft.title, destination),
    )
    record(
        Event.DRAFT_DESTINATION_CHANGED,
        actor=actor,
        subject=subject(draft),
        corr=draft.pk,
        destination=digest(draft.destination),
        previous=previous,
        connection=draft.connection_id,
        matter=draft.matter_id,
        folder=destination.folder_id,
    )
    return draft


def expect_change(draft_id: uuid.UUID, *, by: User, revision: int | None = None) -> None:
    """Raise what `change_destination` would raise about the draft, before Clio is asked for nothing."""
    _must_move(Draft.objects.get(pk=draft_id), by, revision)


def _must_move(draft: Draft, by: User, revision: int | None) -> None:
    if not roles.may_change_destination(_as_of_now(by), submitter_id=draft.submitter_id):
        raise NotAllowed("Only the submitter or a reviewer can change where this draft goes.")
    _must_be_open(draft, revision)


def note_opening(version: Version, *, by: User, actor: Actor) -> None:
    """Put on record the first time this person opened this version. Opened is not reviewed."""
    if Opening.objects.filter(version=version, user=by).exists():
        return
    with transaction.atomic():
        _, is_first = Opening.objects.get_or_create(version=version, user=by)
        if is_first:
            record(
                Event.DRAFT_OPENED,
                actor=actor,
                subject=subject(version.draft),
                corr=version.draft_id,
                version=version.pk,
                sha256=version.sha256,
            )


@transaction.atomic
def claim(draft_id: uuid.UUID, *, by: User, actor: Actor) -> Draft:
    """Take a draft into review, also from a colleague, who is named on record."""
    draft = lifecycle.locked(draft_id)
    _must_decide(draft, by)
    previous = draft.reviewer_id
    if previous == by.pk and draft.status == Status.IN_REVIEW:
        return draft
    lifecycle.advance(draft, to=Status.IN_REVIEW, reviewer=by, claimed_at=timezone.now())
    record(
        Event.DRAFT_CLAIMED,
        actor=actor,
        subject=subject(draft),
        corr=draft.pk,
        version=draft.latest_version_id,
        taken_over_from=previous,
    )
    return draft


@transaction.atomic
def release(draft_id: uuid.UUID, *, by: User, actor: Actor) -> Draft:
    """Give a claimed draft back to the queue."""
    draft = lifecycle.locked(draft_id)
    if draft.reviewer_id != by.pk or draft.status != Status.IN_REVIEW:
        raise WrongState("You are not reviewing this draft, so there is nothing to give back.")
    lifecycle.advance(draft, to=Status.WAITING, reviewer=None, claimed_at=None)
    record(Event.DRAFT_RELEASED, actor=actor, subject=subject(draft), corr=draft.pk, reason="by_reviewer")
    return draft


def approve(
    draft_id: uuid.UUID, seen: Seen, *, agreed: set[str], by: User, actor: Actor, note: str = ""
) -> Draft:
    """Countersign: decision, immutable approval and delivery in one transaction; the bell rings after commit.

    `agreed` holds the codes of the statements the reviewer ticked; all are needed. Raises NotNewest when the
    page shows something older than the newest version; NotAllowed; WrongState; BytesChanged when the stored
    bytes lost their hash. They are hashed before the lock is taken, because that may take a while.
    """
    missing = [statement for statement in attestation.STATEMENTS if statement.code not in agreed]
    if missing:
        raise BadSubmission("statement", "Tick both statements to approve.", field="agreed")
    _must_be_newest(Draft.objects.select_related("latest_version").get(pk=draft_id), seen)
    _must_be_whole(seen.sha256)
    try:
        with transaction.atomic():
            draft = lifecycle.locked(draft_id)
            version = _decidable(draft, seen, by)
            return _countersign(draft, version, by=by, actor=actor, note=note)
    except DatabaseError:
        # Its own gate asks again: they may have lost the role since we did.
        _decidable(Draft.objects.select_related("latest_version").get(pk=draft_id), seen, by)
        raise


def _countersign(draft: Draft, version: Version, *, by: User, actor: Actor, note: str) -> Draft:
    now = timezone.now()
    destination = destination_of(draft)
    decision = Decision.objects.create(
        version=version,
        sha256=version.sha256,
        reviewer=by,
        verdict=Decision.Verdict.APPROVE,
        reason=note,
        statement_version=attestation.STATEMENT_VERSION,
        attestation=attestation.compose(
            draft, version, destination=destination, by=by, actor=actor, decided_at=now
        ),
        created_at=now,
    )
    try:
        delivery = deliveries.enqueue(
            draft_ref=draft.pk,
            version_ref=version.pk,
            sha256=version.sha256,
            size=version.size,
            media_type=version.media_type,
            destination=destination,
            connection=_connection_for(by, destination),
            approvers=[{"user": by.pk, "decision": str(decision.pk)}],
            approved_by=by,
            undo_seconds=settings.UNDO_SECONDS,
            actor=actor,
        )
    except FiledBefore as filed:
        raise AlreadyFiled(str(filed)) from filed
    lifecycle.advance(draft, to=Status.APPROVED, reviewer=by, delivery=delivery, outcome_told_at=None)
    record(
        Event.DRAFT_APPROVED,
        actor=actor,
        subject=subject(draft),
        corr=draft.pk,
        texts={"note": note},
        version=version.pk,
        number=version.number,
        sha256=version.sha256,
        size=version.size,
        decision=decision.pk,
        approval=delivery.approval_id,
        delivery=delivery.pk,
        destination=digest(draft.destination),
        connection=delivery.connection_id,
        matter=draft.matter_id,
        statement=attestation.STATEMENT_VERSION,
        statement_sha256=attestation.statements_digest(),
        attestation=digest(decision.attestation),
        undo_until=delivery.approval.undo_until,
    )
    return draft


@transaction.atomic
def undo(draft_id: uuid.UUID, *, by: User, actor: Actor) -> Draft:
    """Take an approval back before its first call to Clio. Raises TooLate after that."""
    draft = lifecycle.locked(draft_id)
    delivery = draft.delivery
    if draft.status != Status.APPROVED or delivery is None:
        raise WrongState("This draft is not approved, so there is nothing to undo.")
    if delivery.approval.approved_by_id != by.pk:
        raise NotAllowed("Only the reviewer who approved can undo it.")
    try:
        deliveries.undo(delivery, actor=actor)
    except deliveries.TooLate as error:
        raise TooLate(str(error)) from error
    _back_to_review(draft, delivery, actor=actor, claimed_at=timezone.now())
    return draft


@transaction.atomic
def take_back(draft_id: uuid.UUID, *, by: User, actor: Actor) -> Draft:
    """A reviewer stops the filing, however far it is. Raises TooLate when it is filed.

    What Clio does not know is in review again at once. Otherwise `filing_withdrawn` follows when Clio is
    clean, unless it turns out that Clio had confirmed the document before.
    """
    draft = lifecycle.locked(draft_id)
    if not roles.may_review(_as_of_now(by)):
        raise NotAllowed("Only a reviewer can take a filing back.")
    delivery = draft.delivery
    if draft.status != Status.APPROVED or delivery is None:
        raise WrongState("This draft is not being filed, so there is nothing to take back.")
    try:
        deliveries.take_back(delivery, actor=actor)
    except deliveries.TooLate as error:
        raise TooLate(str(error)) from error
    if delivery.state == Delivery.State.WITHDRAWN:
        _back_to_review(draft, delivery, actor=actor)
    return draft


def _back_to_review(draft: Draft, delivery: Delivery, *, actor: Actor, **changes: Any) -> None:
    lifecycle.advance(draft, to=Status.IN_REVIEW, delivery=None, **changes)
    record(
        Event.DRAFT_APPROVAL_UNDONE,
        actor=actor,
        subject=subject(draft),
        corr=draft.pk,
        version=draft.latest_version_id,
        sha256=_latest(draft).sha256,
        approval=delivery.approval_id,
        delivery=delivery.pk,
    )


@transaction.atomic
def return_for_changes(
    draft_id: uuid.UUID, seen: Seen, *, reason_code: str, reason: str, by: User, actor: Actor
) -> Draft:
    """Back to the submitter with a reason; the next version comes back to this reviewer."""
    return _refuse(
        draft_id, seen, Decision.Verdict.RETURN, reason_code=reason_code, reason=reason, by=by, actor=actor
    )


@transaction.atomic
def reject(
    draft_id: uuid.UUID, seen: Seen, *, reason_code: str, reason: str, by: User, actor: Actor
) -> Draft:
    """The end of this draft, with a reason."""
    return _refuse(
        draft_id, seen, Decision.Verdict.REJECT, reason_code=reason_code, reason=reason, by=by, actor=actor
    )


def _refuse(
    draft_id: uuid.UUID,
    seen: Seen,
    verdict: Decision.Verdict,
    *,
    reason_code: str,
    reason: str,
    by: User,
    actor: Actor,
) -> Draft:
    if reason_code not in Decision.Reason.values or not reason.strip():
        raise BadSubmission("reason", "Choose a reason and say in a sentence what is wrong.", field="reason")
    draft = lifecycle.locked(draft_id)
    version = _decidable(draft, seen, by)
    decision = Decision.objects.create(
        version=version,
        sha256=version.sha256,
        reviewer=by,
        verdict=verdict,
        reason_code=reason_code,
        reason=reason.strip(),
    )
    is_return = verdict == Decision.Verdict.RETURN
    lifecycle.advance(
        draft, to=Status.RETURNED if is_return else Status.REJECTED, reviewer=by, outcome_told_at=None
    )
    record(
        Event.DRAFT_RETURNED if is_return else Event.DRAFT_REJECTED,
        actor=actor,
        subject=subject(draft),
        corr=draft.pk,
        texts={"reason": decision.reason},
        version=version.pk,
        sha256=version.sha256,
        decision=decision.pk,
        reason_code=reason_code,
    )
    return draft


@transaction.atomic
def withdraw(draft_id: uuid.UUID, *, by: User, actor: Actor) -> Draft:
    """The submitter takes an undecided draft back."""
    draft = lifecycle.locked(draft_id)
    if not roles.may_withdraw(_as_of_now(by), submitter_id=draft.submitter_id):
        raise NotAllowed("Only the person who submitted this draft can withdraw it.")
    lifecycle.advance(draft, to=Status.WITHDRAWN)
    record(
        Event.DRAFT_WITHDRAWN,
        actor=actor,
        subject=subject(draft),
        corr=draft.pk,
        version=draft.latest_version_id,
        sha256=_latest(draft).sha256,
    )
    return draft


def retry_filing(draft_id: uuid.UUID, *, by: User, actor: Actor) -> None:
    """A reviewer mended what the filing waited for: let it go on from where it stands."""
    _move_on(partial(deliveries.retry_now, _stuck(draft_id, by), actor=actor))


@transaction.atomic
def cancel_filing(draft_id: uuid.UUID, *, by: User, actor: Actor) -> Draft:
    """A reviewer stops a filing that needs a person. The draft is in review again: at once if Clio holds
    nothing of it, else as soon as a worker has taken that back (`filing_withdrawn`).

    Choosing another destination begins with this too, because the destination is part of what was approved.
    """
    lifecycle.locked(draft_id)
    _move_on(partial(deliveries.cancel, _stuck(draft_id, by), actor=actor))
    filing_withdrawn(draft_id, actor=actor)
    return Draft.objects.get(pk=draft_id)


def _move_on(move: Callable[[], None]) -> None:
    try:
        move()
    except deliveries.NothingToDo as error:
        raise WrongState(str(error)) from error


def _stuck(draft_id: uuid.UUID, by: User) -> Delivery:
    draft = Draft.objects.select_related("delivery").get(pk=draft_id)
    if not roles.may_review(_as_of_now(by)):
        raise NotAllowed("Only a reviewer can decide what becomes of this filing.")
    if draft.delivery is None or draft.delivery.hold != Delivery.Hold.PERSON:
        raise WrongState("This filing does not wait for a person any more. Reload to see where it stands.")
    return draft.delivery


@transaction.atomic
def filing_withdrawn(draft_id: uuid.UUID, *, actor: Actor) -> None:
    """Its delivery was called back and nothing is in Clio: the draft is in review again."""
    draft = lifecycle.locked(draft_id)
    delivery = draft.delivery
    if draft.status != Status.APPROVED or delivery is None or delivery.state != Delivery.State.WITHDRAWN:
        return
    _back_to_review(draft, delivery, actor=actor)


def identity_for(user: User, draft: Draft) -> Connection | None:
    """The connection that would file this draft if `user` approved it: their own, else the firm's."""
    try:
        return connections.choose_connection(user, destination_of(draft))
    except BadDestination:
        return None


def _connection_for(by: User, destination: Destination) -> Connection:
    try:
        return connections.choose_connection(by, destination)
    except BadDestination as bad:
        raise WrongState(bad.sentence) from bad


def _decidable(draft: Draft, seen: Seen, by: User) -> Version:
    """The newest version, if it is what was seen and this person may decide on it now."""
    version = _must_be_newest(draft, seen)
    _must_decide(draft, by)
    if draft.reviewer_id not in {None, by.pk}:
        raise NotAllowed(f"{draft.reviewer} is reviewing this draft. Take it over first.")
    if draft.revision != seen.revision:
        raise NotNewest("This draft changed since you opened the page. Look at it again before you decide.")
    return version


def _must_be_newest(draft: Draft, seen: Seen) -> Version:
    version = _latest(draft)
    if version.pk != seen.version_id or version.sha256 != seen.sha256:
        raise NotNewest(
            f"Version {version.number} arrived while you were reading. Look at what changed first."
        )
    return version


def _must_be_whole(sha256: str) -> None:
    try:
        found = blobs.rehash(sha256)
    except blobs.BlobMissing:
        raise BytesChanged("The stored file is missing. It was not approved; tell an admin.") from None
    if found != sha256:
        raise BytesChanged(
            "The stored file no longer matches its SHA-256. It was not approved; tell an admin."
        )


def _must_decide(draft: Draft, by: User) -> None:
    if draft.status not in lifecycle.DECIDABLE:
        raise WrongState(f"This draft is {draft.get_status_display().lower()} already.")
    by = _as_of_now(by)
    if not roles.may_review(by):
        raise NotAllowed("Deciding on drafts needs the reviewer role. An admin can give it.")
    if not roles.may_decide(by, submitter_id=draft.submitter_id, last_editor_id=_latest(draft).made_by_id):
        raise NotAllowed("Nobody decides on their own work: another reviewer has to.")


def _as_of_now(person: User) -> User:
    """Their roles and whether they are active, read again: both may have changed since the page began."""
    return User.objects.get(pk=person.pk)


def _latest(draft: Draft) -> Version:
    assert draft.latest_version is not None, "submit() always sets the latest version"  # noqa: S101
    return draft.latest_version


def _keep_version(draft: Draft, content: Content, *, number: int, made_by: User) -> Version:
    return Version.objects.create(
        draft=draft,
        number=number,
        sha256=content.sha256,
        size=content.size,
        media_type=content.media_type,
        file_name=content.file_name,
        page_count=content.page_count,
        findings=content.findings,
        made_by=made_by,
        made_by_ai=bool(content.provenance),
        provenance=content.provenance,
        note=content.note,
    )


def _version_facts(version: Version) -> dict[str, Any]:
    return {
        "version": version.pk,
        "number": version.number,
        "sha256": version.sha256,
        "size": version.size,
        "media_type": version.media_type,
        "made_by_ai": version.made_by_ai,
    }


def _named_anew(draft: Draft, content: Content, *, number: int) -> Destination:
    place = destination_of(draft)
    facts = naming.Facts.of(place, title=draft.title, version=number, original=content.file_name)
    return replace(place, file_name=naming.renamed(place, facts))


def _search_text(title: str, destination: Destination) -> str:
    words = (
        title,
        destination.matter_number,
        destination.matter_description,
        destination.client_name,
        destination.file_name,
    )
    return " ".join(words).lower()
