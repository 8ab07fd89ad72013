"""Event and facts in, the sentence a person reads out. It tells what the entry holds and adds nothing.

A sentence names facts in braces. A part in square brackets falls away when a fact in it is missing, as old
entries may lack what newer ones hold. Names of people are looked up when the page is made: entries hold ids
(see log.Actor).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model

from portal.audit.events import CATALOGUE, Event, Kind
from portal.audit.models import Entry, Outcome

Names = Mapping[str, str]

SENTENCES: Mapping[Event, str] = {
    Event.PERSON_SIGNED_IN: "{actor} signed in[ with {method}].",
    Event.PERSON_SIGN_IN_FAILED: "{actor} tried to sign in and failed[: {reason}].",
    Event.PERSON_SIGNED_OUT: "{actor} signed out.",
    Event.PERSON_CONFIRMED_IDENTITY: "{actor} confirmed who they are[ with {method}].",
    Event.PERSON_CREATED: "{actor} added {object}[ with the roles {roles}].",
    Event.PERSON_CHANGED: "{actor} changed the details of {object}[: {fields}].",
    Event.PERSON_DEACTIVATED: "{actor} deactivated {object}[; {keys_revoked} API keys were revoked].",
    Event.PERSON_REACTIVATED: "{actor} reactivated {object}.",
    Event.PERSON_INVITED: "{actor} made a password link for {object}[ ({channel})].",
    Event.PERSON_PASSWORD_CHANGED: "The password of {object} was changed[ ({method})].",
    Event.ROLE_GRANTED: "{actor} gave {object} the role {role}.",
    Event.ROLE_REVOKED: "{actor} took the role {role} from {object}.",
    Event.ACCESS_DENIED: "{actor} was turned away[ at {route}][ ({reason_code})].",
    Event.API_KEY_CREATED: "{actor} created {object}[ for {owner}][, valid until {expires_at}].",
    Event.API_KEY_REVOKED: "{actor} revoked {object}[ of {owner}].",
    Event.API_KEY_REFUSED: "An API key was refused[: {reason}][, at {route}].",
    Event.CONNECTION_CONNECT_STARTED: "{actor} set out to connect to Clio[ in region {region}].",
    Event.CONNECTION_CONNECTED: "{actor} connected {object}[, account {clio_account}][, region {region}].",
    Event.CONNECTION_DECLINED: "Consent was declined at Clio while {actor} connected[ region {region}].",
    Event.CONNECTION_FAILED: "Connecting to Clio failed for {actor}[: {reason}][ (Clio answered {status})].",
    Event.CONNECTION_TESTED: "{actor} tested {object}[: {result}][ (Clio answered {status})].",
    Event.CONNECTION_RECONNECTED: "{actor} reconnected {object}[; {resumed} deliveries go on].",
    Event.CONNECTION_ACCOUNT_MISMATCH_REFUSED: (
        "{actor} tried to reconnect {object} with another Clio account and was refused"
        "[: {clio_account} instead of {expected_account}]."
    ),
    Event.CONNECTION_NEEDS_RECONNECTING: "{object} needs reconnecting[: {reason}][; {parked} wait].",
    Event.CONNECTION_TOKEN_REFRESHED: "{actor} renewed the access of {object}[ until {expires_at}].",
    Event.CONNECTION_MADE_DEFAULT: "{actor} made {object} the default.",
    Event.CONNECTION_DISCONNECTED: "{actor} disconnected {object}[; {parked} deliveries wait].",
    Event.TOKEN_KEYS_RESEALED: "{actor} sealed stored secrets anew[: {resealed}][, under the key {key}].",
    Event.TOKEN_KEYS_RETIRED: "{actor} retired a key that sealed secrets[: {key}].",
    Event.DRAFT_SUBMITTED: "{actor} submitted {object}[ for matter {matter}][: {media_type}, {size} bytes].",
    Event.DRAFT_SUBMISSION_REFUSED: "A submission by {actor} was refused[: {reason}].",
    Event.DRAFT_VERSION_ADDED: "{actor} added version {number} to {object}[: {media_type}, {size} bytes].",
    Event.DRAFT_DESTINATION_CHANGED: "{actor} changed where {object} will be filed[: matter {matter}].",
    Event.DRAFT_OPENED: "{actor} opened {object}.",
    Event.DRAFT_CLAIMED: "{actor} took {object} for review[ from {taken_over_from}].",
    Event.DRAFT_RELEASED: "{actor} gave {object} back to the queue.",
    Event.DRAFT_APPROVED: (
        "{actor} approved [version {number} of ]{object}[, SHA-256 {sha256}][; undo until {undo_until}]."
    ),
    Event.DRAFT_APPROVAL_UNDONE: "{actor} undid the approval of {object}; nothing had been sent.",
    Event.DRAFT_RETURNED: "{actor} returned {object} for changes[: {reason_code}].",
    Event.DRAFT_REJECTED: "{actor} rejected {object}[: {reason_code}].",
    Event.DRAFT_WITHDRAWN: "{actor} withdrew {object}.",
    Event.DECISION_DENIED: "{actor} was not allowed to decide on {object}[ ({verdict})][: {reason_code}].",
    Event.DOWNLOAD_VERSION: "{actor} downloaded [version {number} of ]{object}.",
    Event.DOWNLOAD_RECEIPT: "{actor} downloaded the receipt of {object}[, SHA-256 {sha256}].",
    Event.DELIVERY_ENQUEUED: "{actor} put {object} in line[, matter {matter}][, at {not_before}].",
    Event.DELIVERY_RESERVE_STARTED: "{actor} began to reserve {object}[, try {attempt}].",
    Event.DELIVERY_RESERVED: "Clio reserved document {clio_document} for {object} (step 1 of 3).",
    Event.DELIVERY_TRANSFERRED: "{actor} sent the bytes of {object} (step 2 of 3)[, SHA-256 {sha256}].",
    Event.DELIVERY_CONFIRM_STARTED: "{actor} began to confirm {object} at Clio[ as {clio_document}].",
    Event.DELIVERY_FILED: (
        "{object} is filed in Clio as document {clio_document} (step 3 of 3)[, SHA-256 {sha256}]."
    ),
    Event.DELIVERY_RETRY_SCHEDULED: "{object} will be tried again[ at {not_before}][: {reason}].",
    Event.DELIVERY_PARKED: "{object} waits for its connection[: {reason}].",
    Event.DELIVERY_RESUMED: "{object} goes on[ at step {step}].",
    Event.DELIVERY_NEEDS_PERSON: "{object} needs a person[: {reason}][, at step {step}].",
    Event.DELIVERY_RETRIED: "{actor} asked for {object} to be tried again.",
    Event.DELIVERY_WITHDRAWN: "{actor} withdrew {object}[ at step {step}].",
    Event.DELIVERY_CANCELLED: "{actor} called {object} back[ at step {step}].",
    Event.DELIVERY_ABANDON_STARTED: "{actor} began to remove {object} at Clio[, document {clio_document}].",
    Event.DELIVERY_ABANDONED: "{actor} gave up {object}[; document {clio_document} was not filed].",
    Event.DELIVERY_HASH_MISMATCH: (
        "{object} was stopped: the bytes are not those that were approved[ ({found} instead of {expected})]."
    ),
    Event.DELIVERY_OUTCOME_TOLD: "{actor} told[ {told}] how {object} ended[: {result}].",
    Event.FOLDER_CREATE_STARTED: "{actor} began to make {object}[ in matter {matter}].",
    Event.FOLDER_CREATED: "{actor} made {object}, in Clio folder {clio_folder}[, in matter {matter}].",
    Event.FOLDER_FOUND: "{object} was in Clio already, as folder {clio_folder}[, in matter {matter}].",
    Event.RATELIMIT_HIT: "Clio asked for a pause on {object}[ of {retry_after} seconds].",
    Event.GATE_MARK_KEPT: "From here on a mark outside the database says how far this log has come.",
    Event.GATE_CLOSED: "{actor} stopped all filing[: {reason}].",
    Event.DELIVERY_LITTER_REMOVE_STARTED: "{actor} is about to remove the unfinished {object} from Clio.",
    Event.DELIVERY_LITTER_REMOVED: "{actor} removed the unfinished {object} from Clio[, operation {op}].",
    Event.DELIVERY_RECONCILED: (
        "After a restored backup {object} was compared with Clio: {result}[, document {clio_document}]."
    ),
    Event.RECONCILE_DOCUMENT_FOUND: (
        "{object} was found in Clio, filed after the backup[: version {version}][, {result}]."
    ),
    Event.RECONCILE_FINISHED: (
        "The database was compared with Clio: {deliveries} deliveries looked up[, {filed} were filed already]"
        "[, {found} documents unknown here][, {unknown} points not known]."
    ),
    Event.NAMING_RULE_CHANGED: "{actor} changed the rule for file names[: by {fields}].",
    Event.AUDIT_EXPORTED: "{actor} exported {entries} entries of the audit log[ as {format}].",
    Event.AUDIT_VERIFIED: (
        "{actor} verified the audit log: {verdict}[, {entries} entries][, first fault at {first_bad}]."
    ),
}

# These tell in their own words that something did not go as meant.
SPEAKS_FOR_ITSELF = {
    Event.PERSON_SIGN_IN_FAILED,
    Event.ACCESS_DENIED,
    Event.API_KEY_REFUSED,
    Event.CONNECTION_DECLINED,
    Event.CONNECTION_FAILED,
    Event.CONNECTION_ACCOUNT_MISMATCH_REFUSED,
    Event.DRAFT_SUBMISSION_REFUSED,
    Event.DECISION_DENIED,
    Event.DELIVERY_HASH_MISMATCH,
    Event.DELIVERY_RETRY_SCHEDULED,
    Event.DELIVERY_PARKED,
    Event.DELIVERY_NEEDS_PERSON,
    Event.CONNECTION_NEEDS_RECONNECTING,
    Event.RATELIMIT_HIT,
    Event.AUDIT_VERIFIED,
}

# Facts whose value is the id of a person.
PEOPLE_IN_FACTS = ("owner", "taken_over_from", "told")

_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_FACT = re.compile(r"\{(\w+)\}")
_OBJECTS = {"api_key": "API key"}


def sentence(entry: Entry, names: Names) -> str:
    """One line for one entry; an event this version does not know is told by its name."""
    said = entry.content
    if not said:
        return "The bytes of this entry cannot be read."
    if str(said.get("event")) not in set(Event):
        return f"{who(entry, names)}: {said.get('event')}."
    event = Event(str(said["event"]))
    words = _words(event, entry, names)
    told = _OPTIONAL.sub(lambda part: _filled(part.group(1), words, or_drop=True), SENTENCES[event])
    told = _filled(told, words)
    told = told[:1].upper() + told[1:]
    return (
        told if said.get("outcome") == Outcome.OK or event in SPEAKS_FOR_ITSELF else f"{_label(said)}: {told}"
    )


def who(entry: Entry, names: Names) -> str:
    """The actor in words."""
    kind, identity, principal = (_text(entry.content, "actor", key) for key in ("type", "id", "on_behalf_of"))
    behind = f" for {names.get(principal, principal)}" if principal else ""
    match kind:
        case "user":
            return names.get(identity, f"person {identity}")
        case "api_key":
            return f"API key {identity[:8]}{behind}"
        case "worker":
            return f"the {identity} worker{behind}"
        case "anonymous":
            return "somebody not signed in"
        case _:
            return f"{kind} {identity}".strip() or "nobody known"


def names_for(entries: Iterable[Entry]) -> dict[str, str]:
    """The present names of everyone these entries mention, by id, in one query."""
    ids = {person for entry in entries for person in _people(entry.content) if person.isdecimal()}
    return {str(user.pk): str(user) for user in get_user_model()._default_manager.filter(pk__in=ids)}


def _people(said: dict[str, Any]) -> list[str]:
    found = [_text(said, "actor", "on_behalf_of")]
    found += [_text(said, "actor", "id")] if _text(said, "actor", "type") == "user" else []
    found += [_text(said, "object", "id")] if _text(said, "object", "type") == "person" else []
    return found + [_text(said, "detail", name) for name in PEOPLE_IN_FACTS]


def _text(said: dict[str, Any], part: str, name: str) -> str:
    """A text in a part of the entry, or nothing. A log that was tampered with must still be readable."""
    inner = said.get(part)
    value = inner.get(name) if isinstance(inner, dict) else None
    return value if isinstance(value, str) else ""


def _words(event: Event, entry: Entry, names: Names) -> dict[str, str]:
    kinds = CATALOGUE[event].facts
    detail = entry.content.get("detail")
    words = {
        name: names.get(str(value), f"person {value}")
        if name in PEOPLE_IN_FACTS
        else _one(kinds.get(name), value)
        for name, value in (detail.items() if isinstance(detail, dict) else ())
        if value is not None and value != []
    }
    return words | {"actor": who(entry, names), "object": _object(entry, names)}


def _object(entry: Entry, names: Names) -> str:
    kind, identity = _text(entry.content, "object", "type"), _text(entry.content, "object", "id")
    if kind == "person":
        return names.get(identity, f"person {identity}")
    return f"{_OBJECTS.get(kind, kind.replace('_', ' '))} {identity[:8]}".strip() or "it"


def _one(kind: Kind | None, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if kind is Kind.INSTANT and isinstance(value, str):
        return f"{value[:10]} {value[11:19]} UTC"
    if kind is Kind.HASH and isinstance(value, str):
        return value[:12]
    return f"{value:,}" if isinstance(value, int) else str(value).replace("_", " ")


def _filled(part: str, words: Mapping[str, str], *, or_drop: bool = False) -> str:
    if or_drop and any(name not in words for name in _FACT.findall(part)):
        return ""
    return _FACT.sub(lambda fact: words.get(fact.group(1), "(not given)"), part)


def _label(said: dict[str, Any]) -> str:
    return "Denied" if said.get("outcome") == Outcome.DENIED else "Failed"
