"""Every event the log has ever known, and which facts each may carry.

To add one: a line in Event, a line in CATALOGUE, a sentence in sentences.py. A name is never changed or taken
out, because old entries keep it; one that is no longer written is marked `retired=True` and keeps its
sentence.

The facts are an allow-list. An entry is readable for ever by everyone who may read the log, so it holds ids,
counts, hashes and words from a fixed list; a person's or a client's words go in as `texts`, of which the
entry keeps only a salted commitment.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum


class Event(StrEnum):
    """Dotted, past tense: what it happened to, then what happened."""

    PERSON_SIGNED_IN = "person.signed_in"
    PERSON_SIGN_IN_FAILED = "person.sign_in_failed"
    PERSON_SIGNED_OUT = "person.signed_out"
    PERSON_CONFIRMED_IDENTITY = "person.confirmed_identity"
    PERSON_CREATED = "person.created"
    PERSON_CHANGED = "person.changed"
    PERSON_DEACTIVATED = "person.deactivated"
    PERSON_REACTIVATED = "person.reactivated"
    PERSON_INVITED = "person.invited"
    PERSON_PASSWORD_CHANGED = "person.password_changed"  # noqa: S105  the name of an event
    ROLE_GRANTED = "role.granted"
    ROLE_REVOKED = "role.revoked"
    ACCESS_DENIED = "access.denied"

    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    API_KEY_REFUSED = "api_key.refused"

    CONNECTION_CONNECT_STARTED = "connection.connect_started"
    CONNECTION_CONNECTED = "connection.connected"
    CONNECTION_DECLINED = "connection.declined"
    CONNECTION_FAILED = "connection.failed"
    CONNECTION_TESTED = "connection.tested"
    CONNECTION_RECONNECTED = "connection.reconnected"
    CONNECTION_ACCOUNT_MISMATCH_REFUSED = "connection.account_mismatch_refused"
    CONNECTION_NEEDS_RECONNECTING = "connection.needs_reconnecting"
    CONNECTION_TOKEN_REFRESHED = "connection.token_refreshed"  # noqa: S105  the name of an event
    CONNECTION_MADE_DEFAULT = "connection.made_default"
    CONNECTION_DISCONNECTED = "connection.disconnected"
    TOKEN_KEYS_RESEALED = "token_keys.resealed"  # noqa: S105  the name of an event
    TOKEN_KEYS_RETIRED = "token_keys.retired"  # noqa: S105  the name of an event

    DRAFT_SUBMITTED = "draft.submitted"
    DRAFT_SUBMISSION_REFUSED = "draft.submission_refused"
    DRAFT_VERSION_ADDED = "draft.version_added"
    DRAFT_DESTINATION_CHANGED = "draft.destination_changed"
    DRAFT_OPENED = "draft.opened"
    DRAFT_CLAIMED = "draft.claimed"
    DRAFT_RELEASED = "draft.released"
    DRAFT_APPROVED = "draft.approved"
    DRAFT_APPROVAL_UNDONE = "draft.approval_undone"
    DRAFT_RETURNED = "draft.returned"
    DRAFT_REJECTED = "draft.rejected"
    DRAFT_WITHDRAWN = "draft.withdrawn"
    DECISION_DENIED = "decision.denied"
    DOWNLOAD_VERSION = "download.version"
    DOWNLOAD_RECEIPT = "download.receipt"

    DELIVERY_ENQUEUED = "delivery.enqueued"
    DELIVERY_RESERVE_STARTED = "delivery.reserve_started"
    DELIVERY_RESERVED = "delivery.reserved"
    DELIVERY_TRANSFERRED = "delivery.transferred"
    DELIVERY_CONFIRM_STARTED = "delivery.confirm_started"
    DELIVERY_FILED = "delivery.filed"
    DELIVERY_RETRY_SCHEDULED = "delivery.retry_scheduled"
    DELIVERY_PARKED = "delivery.parked"
    DELIVERY_RESUMED = "delivery.resumed"
    DELIVERY_NEEDS_PERSON = "delivery.needs_person"
    DELIVERY_RETRIED = "delivery.retried"
    DELIVERY_CANCELLED = "delivery.cancelled"
    DELIVERY_ABANDON_STARTED = "delivery.abandon_started"
    DELIVERY_ABANDONED = "delivery.abandoned"
    DELIVERY_WITHDRAWN = "delivery.withdrawn"
    DELIVERY_HASH_MISMATCH = "delivery.hash_mismatch"
    DELIVERY_OUTCOME_TOLD = "delivery.outcome_told"
    FOLDER_CREATE_STARTED = "folder.create_started"
    FOLDER_CREATED = "folder.created"
    FOLDER_FOUND = "folder.found"
    RATELIMIT_HIT = "ratelimit.hit"

    GATE_MARK_KEPT = "gate.mark_kept"
    GATE_CLOSED = "gate.closed"
    DELIVERY_LITTER_REMOVE_STARTED = "delivery.litter_remove_started"
    DELIVERY_LITTER_REMOVED = "delivery.litter_removed"
    DELIVERY_RECONCILED = "delivery.reconciled"
    RECONCILE_DOCUMENT_FOUND = "reconcile.document_found"
    RECONCILE_FINISHED = "reconcile.finished"

    NAMING_RULE_CHANGED = "naming.rule_changed"

    AUDIT_EXPORTED = "audit.exported"
    AUDIT_VERIFIED = "audit.verified"


class Kind(Enum):
    """The shapes a fact may have; a fact may also be None, and a list kind holds up to MANY of its shape."""

    ID = "an id: up to 64 letters, digits and . _ : -"
    HASH = "a SHA-256 in lower-case hex"
    COUNT = "a whole number from 0 to 2**53 - 1"
    CODE = "a word from a fixed list: up to 100 letters, digits and . _ : / + -"
    FLAG = "true or false"
    INSTANT = "a time as 2026-11-21T10:00:00.000000Z"
    OUTSIDE = "a text of up to 200 characters"  # an id another system gave; an odd one is kept as its hash
    IDS = "a list of ids"
    CODES = "a list of words"


MANY = 100

_SHAPES = {
    Kind.ID: re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"),
    Kind.HASH: re.compile(r"[0-9a-f]{64}"),
    Kind.CODE: re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,99}"),
    Kind.INSTANT: re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"),
}
_LISTS = {Kind.IDS: Kind.ID, Kind.CODES: Kind.CODE}

Scalar = str | int | bool | None
Single = Scalar | uuid.UUID | datetime
Fact = Single | Sequence[str] | Sequence[int] | Sequence[uuid.UUID]


class FactRefused(ValueError):
    """A caller handed the log something the catalogue does not allow for this event."""


@dataclass(frozen=True)
class Spec:
    """What an entry of one event may hold."""

    facts: Mapping[str, Kind] = field(default_factory=dict)
    texts: frozenset[str] = frozenset()
    retired: bool = False


def spec(*, texts: str = "", retired: bool = False, **facts: Kind) -> Spec:
    return Spec(facts=facts, texts=frozenset(texts.split()), retired=retired)


ID, HASH, COUNT, CODE, FLAG = Kind.ID, Kind.HASH, Kind.COUNT, Kind.CODE, Kind.FLAG
INSTANT, OUTSIDE, IDS, CODES = Kind.INSTANT, Kind.OUTSIDE, Kind.IDS, Kind.CODES

CATALOGUE: Mapping[Event, Spec] = {
    Event.PERSON_SIGNED_IN: spec(method=CODE),
    Event.PERSON_SIGN_IN_FAILED: spec(texts="email", reason=CODE),
    Event.PERSON_SIGNED_OUT: spec(),
    Event.PERSON_CONFIRMED_IDENTITY: spec(method=CODE),
    Event.PERSON_CREATED: spec(texts="email full_name", roles=CODES),
    Event.PERSON_CHANGED: spec(texts="full_name licence_number", fields=CODES),
    Event.PERSON_DEACTIVATED: spec(texts="reason", keys_revoked=COUNT, connections_revoked=COUNT),
    Event.PERSON_REACTIVATED: spec(texts="reason"),
    Event.PERSON_INVITED: spec(channel=CODE),
    Event.PERSON_PASSWORD_CHANGED: spec(method=CODE),
    Event.ROLE_GRANTED: spec(role=CODE, grant=ID),
    Event.ROLE_REVOKED: spec(role=CODE, grant=ID),
    Event.ACCESS_DENIED: spec(texts="reason", method=CODE, route=CODE, status=COUNT, reason_code=CODE),
    Event.API_KEY_CREATED: spec(texts="label", owner=ID, prefix=ID, expires_at=INSTANT, scopes=CODES),
    Event.API_KEY_REVOKED: spec(texts="reason", owner=ID, prefix=ID),
    Event.API_KEY_REFUSED: spec(reason=CODE, prefix=ID, route=CODE),
    Event.CONNECTION_CONNECT_STARTED: spec(region=CODE, state=HASH, reconnect=FLAG),
    Event.CONNECTION_CONNECTED: spec(region=CODE, clio_account=ID, clio_user=ID, is_default=FLAG),
    Event.CONNECTION_DECLINED: spec(region=CODE, state=HASH, reason=CODE),
    Event.CONNECTION_FAILED: spec(region=CODE, reason=CODE, status=COUNT),
    Event.CONNECTION_TESTED: spec(region=CODE, result=CODE, status=COUNT, request_id=OUTSIDE),
    Event.CONNECTION_RECONNECTED: spec(region=CODE, clio_account=ID, clio_user=ID, resumed=COUNT),
    Event.CONNECTION_ACCOUNT_MISMATCH_REFUSED: spec(region=CODE, expected_account=ID, clio_account=ID),
    Event.CONNECTION_NEEDS_RECONNECTING: spec(region=CODE, reason=CODE, status=COUNT, parked=COUNT),
    Event.CONNECTION_TOKEN_REFRESHED: spec(
        region=CODE, token_version=COUNT, expires_at=INSTANT, rotated=FLAG
    ),
    Event.CONNECTION_MADE_DEFAULT: spec(region=CODE, previous=ID),
    Event.CONNECTION_DISCONNECTED: spec(texts="reason", region=CODE, revoked_at_clio=FLAG, parked=COUNT),
    Event.TOKEN_KEYS_RESEALED: spec(key=OUTSIDE, resealed=COUNT),
    Event.TOKEN_KEYS_RETIRED: spec(key=OUTSIDE),
    Event.DRAFT_SUBMITTED: spec(
        texts="file_name note ai_tool ai_model ai_version ai_task",
        version=ID,
        number=COUNT,
        sha256=HASH,
        size=COUNT,
        media_type=CODE,
        kind=CODE,
        source=CODE,
        made_by_ai=FLAG,
        connection=ID,
        matter=ID,
        folder=ID,
        idempotency_key=HASH,
        destination=HASH,
    ),
    Event.DRAFT_SUBMISSION_REFUSED: spec(
        texts="file_name", reason=CODE, status=COUNT, size=COUNT, sha256=HASH, media_type=CODE, source=CODE
    ),
    Event.DRAFT_VERSION_ADDED: spec(
        texts="file_name note ai_tool ai_model ai_version ai_task",
        version=ID,
        number=COUNT,
        sha256=HASH,
        previous_sha256=HASH,
        size=COUNT,
        media_type=CODE,
        source=CODE,
        made_by_ai=FLAG,
        voided=COUNT,
    ),
    Event.DRAFT_DESTINATION_CHANGED: spec(
        destination=HASH, previous=HASH, connection=ID, matter=ID, folder=ID
    ),
    Event.DRAFT_OPENED: spec(version=ID, sha256=HASH),
    Event.DRAFT_CLAIMED: spec(version=ID, taken_over_from=ID),
    Event.DRAFT_RELEASED: spec(reason=CODE),
    Event.DRAFT_APPROVED: spec(
        texts="note",
        version=ID,
        number=COUNT,
        sha256=HASH,
        size=COUNT,
        decision=ID,
        approval=ID,
        delivery=ID,
        destination=HASH,
        connection=ID,
        matter=ID,
        statement=CODE,
        statement_sha256=HASH,
        attestation=HASH,
        undo_until=INSTANT,
    ),
    Event.DRAFT_APPROVAL_UNDONE: spec(
        texts="reason", version=ID, sha256=HASH, decision=ID, approval=ID, delivery=ID
    ),
    Event.DRAFT_RETURNED: spec(texts="reason", version=ID, sha256=HASH, decision=ID, reason_code=CODE),
    Event.DRAFT_REJECTED: spec(texts="reason", version=ID, sha256=HASH, decision=ID, reason_code=CODE),
    Event.DRAFT_WITHDRAWN: spec(texts="reason", version=ID, sha256=HASH, delivery=ID),
    Event.DECISION_DENIED: spec(
        texts="reason", verdict=CODE, version=ID, sha256=HASH, newest=ID, reason_code=CODE, status=COUNT
    ),
    Event.DOWNLOAD_VERSION: spec(version=ID, number=COUNT, sha256=HASH, size=COUNT, form=CODE),
    Event.DOWNLOAD_RECEIPT: spec(delivery=ID, sha256=HASH),
    Event.DELIVERY_ENQUEUED: spec(
        approval=ID,
        draft=ID,
        version=ID,
        sha256=HASH,
        size=COUNT,
        media_type=CODE,
        connection=ID,
        matter=ID,
        destination=HASH,
        not_before=INSTANT,
    ),
    Event.DELIVERY_RESERVE_STARTED: spec(approval=ID, attempt=COUNT, connection=ID, matter=ID, sha256=HASH),
    Event.DELIVERY_RESERVED: spec(
        approval=ID,
        attempt=COUNT,
        clio_document=ID,
        clio_version=OUTSIDE,
        version_number=COUNT,
        adopted=FLAG,
        request_id=OUTSIDE,
        status=COUNT,
        put_until=INSTANT,
    ),
    Event.DELIVERY_TRANSFERRED: spec(
        approval=ID,
        attempt=COUNT,
        clio_document=ID,
        clio_version=OUTSIDE,
        sha256=HASH,
        size=COUNT,
        etag=OUTSIDE,
        parts=COUNT,
    ),
    Event.DELIVERY_CONFIRM_STARTED: spec(approval=ID, attempt=COUNT, clio_document=ID, clio_version=OUTSIDE),
    Event.DELIVERY_FILED: spec(
        approval=ID,
        attempt=COUNT,
        clio_document=ID,
        clio_version=OUTSIDE,
        version_number=COUNT,
        sha256=HASH,
        size=COUNT,
        calls=COUNT,
        confirmed=FLAG,
        request_id=OUTSIDE,
        region=CODE,
        matter=ID,
    ),
    Event.DELIVERY_RETRY_SCHEDULED: spec(
        approval=ID,
        step=CODE,
        attempt=COUNT,
        reason=CODE,
        status=COUNT,
        not_before=INSTANT,
        request_id=OUTSIDE,
    ),
    Event.DELIVERY_PARKED: spec(
        approval=ID, step=CODE, reason=CODE, status=COUNT, connection=ID, request_id=OUTSIDE
    ),
    Event.DELIVERY_RESUMED: spec(approval=ID, step=CODE, connection=ID),
    Event.DELIVERY_NEEDS_PERSON: spec(
        approval=ID, step=CODE, attempt=COUNT, reason=CODE, status=COUNT, clio_document=ID, request_id=OUTSIDE
    ),
    Event.DELIVERY_RETRIED: spec(texts="reason", approval=ID, step=CODE),
    Event.DELIVERY_CANCELLED: spec(texts="reason", approval=ID, step=CODE, clio_document=ID),
    Event.DELIVERY_ABANDON_STARTED: spec(approval=ID, attempt=COUNT, clio_document=ID, reason=CODE),
    Event.DELIVERY_ABANDONED: spec(approval=ID, attempt=COUNT, clio_document=ID, removed_at_clio=FLAG),
    Event.DELIVERY_WITHDRAWN: spec(
        texts="reason", approval=ID, step=CODE, clio_document=ID, removed_at_clio=FLAG, request_id=OUTSIDE
    ),
    Event.DELIVERY_HASH_MISMATCH: spec(approval=ID, step=CODE, expected=HASH, found=HASH, size=COUNT),
    Event.DELIVERY_OUTCOME_TOLD: spec(approval=ID, draft=ID, result=CODE, told=ID, channel=CODE),
    Event.FOLDER_CREATE_STARTED: spec(texts="name", approval=ID, connection=ID, matter=ID, clio_parent=ID),
    Event.FOLDER_CREATED: spec(
        texts="name", approval=ID, connection=ID, matter=ID, clio_parent=ID, clio_folder=ID
    ),
    Event.FOLDER_FOUND: spec(
        texts="name", approval=ID, connection=ID, matter=ID, clio_parent=ID, clio_folder=ID
    ),
    Event.RATELIMIT_HIT: spec(
        connection=ID,
        region=CODE,
        scope=CODE,
        limit=COUNT,
        remaining=COUNT,
        retry_after=COUNT,
        request_id=OUTSIDE,
    ),
    Event.GATE_MARK_KEPT: spec(),
    Event.GATE_CLOSED: spec(reason=CODE),
    Event.DELIVERY_LITTER_REMOVE_STARTED: spec(connection=ID, delivery=ID, op=ID, matter=ID),
    Event.DELIVERY_LITTER_REMOVED: spec(connection=ID, delivery=ID, op=ID, matter=ID),
    Event.DELIVERY_RECONCILED: spec(approval=ID, result=CODE, step=CODE, clio_document=ID),
    Event.RECONCILE_DOCUMENT_FOUND: spec(
        connection=ID, version=ID, clio_version=OUTSIDE, op=ID, size=COUNT, result=CODE
    ),
    Event.RECONCILE_FINISHED: spec(
        opened=FLAG,
        reason=CODE,
        since=INSTANT,
        deliveries=COUNT,
        filed=COUNT,
        adopted=COUNT,
        needs_person=COUNT,
        found=COUNT,
        unknown=COUNT,
    ),
    Event.NAMING_RULE_CHANGED: spec(texts="pattern", previous=ID, fields=CODES),
    Event.AUDIT_EXPORTED: spec(
        texts="reason filter", format=CODE, entries=COUNT, withheld=COUNT, filter_sha256=HASH, up_to=COUNT
    ),
    Event.AUDIT_VERIFIED: spec(verdict=CODE, entries=COUNT, head=HASH, first_bad=COUNT, finding=CODE),
}


def checked(event: Event, facts: Mapping[str, Fact]) -> dict[str, Scalar | list[str]]:
    """The facts as the entry will hold them; raises FactRefused for one the catalogue does not allow."""
    allowed = CATALOGUE[event].facts
    return {name: _one(event, name, allowed, value) for name, value in facts.items()}


def _one(event: Event, name: str, allowed: Mapping[str, Kind], value: Fact) -> Scalar | list[str]:
    kind = allowed.get(name)
    if kind is None:
        raise FactRefused(
            f"{event} has no fact called {name}; add it to the catalogue if it is safe to keep for ever"
        )
    if value is None or value == "":
        return None
    result = _many(kind, value) if kind in _LISTS else _shaped(kind, value)
    if result is None:
        raise FactRefused(f"{event}: {name} is not {kind.value}")
    return result


def _many(kind: Kind, value: Fact) -> list[str] | None:
    if not isinstance(value, (list, tuple)) or len(value) > MANY:
        return None
    shaped = [_shaped(_LISTS[kind], item) for item in value]
    return [item for item in shaped if isinstance(item, str)] if None not in shaped else None


def _shaped(kind: Kind, value: object) -> Scalar:
    """As the entry keeps it, or None if it does not fit. Ids become text: JSON readers lose long numbers."""
    if kind is Kind.FLAG:
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    if kind is Kind.COUNT:
        return value if isinstance(value, int) and 0 <= value < 2**53 else None
    text = _as_text(kind, value)
    if kind is Kind.OUTSIDE:
        return _outside(text) if text is not None and len(text) <= 200 else None
    return text if text is not None and _SHAPES[kind].fullmatch(text) else None


def _as_text(kind: Kind, value: object) -> str | None:
    if isinstance(value, str):
        return str(value)
    if kind in {Kind.ID, Kind.OUTSIDE} and isinstance(value, (int, uuid.UUID)):
        return str(value)
    if kind is Kind.INSTANT and isinstance(value, datetime):
        return instant(value)
    return None


def _outside(text: str) -> str:
    """Another system's id. We cannot promise its shape, and an odd one must not stop the work around it."""
    plain = text.strip('"')
    if _SHAPES[Kind.ID].fullmatch(plain):
        return plain
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def instant(at: datetime) -> str:
    """A moment as the log writes it: UTC, microseconds always shown, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
