"""What can keep a delivery from moving, told so that a lawyer knows what happened and who acts.

Codes are stored on the row, sentences are not: they may be improved without touching history.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db import models

from clio_sync.models import Delivery


class InClio(StrEnum):
    """Whether the document can be seen in Clio."""

    YES = "yes"
    NO = "no"
    NOT_YET_KNOWN = "not yet known"


class Actor(StrEnum):
    """Whose turn it is."""

    PORTAL = "Countersign"
    REVIEWER = "the reviewer"
    ADMIN = "an admin"


class Button(StrEnum):
    """The one thing to press."""

    NONE = ""
    RETRY = "retry"
    RECONNECT = "reconnect"
    CANCEL = "cancel"


class Problem(models.TextChoices):
    UNREACHABLE = "unreachable", "Clio could not be reached"
    CLIO_TROUBLE = "clio_trouble", "Clio has trouble on its side"
    LIMIT = "limit", "Clio's limit is used up"
    LOST_ANSWER = "lost_answer", "An answer of Clio was lost"
    CONNECTION = "connection", "The connection needs reconnecting"
    FORBIDDEN = "forbidden", "Clio does not allow it"
    PLACE_NOT_FOUND = "place_not_found", "The destination was not found"
    PLACE_REFUSED = "place_refused", "Clio refused the destination"
    REFUSED = "refused", "Clio refused the request"
    BUSY = "busy", "Clio is changing this document"
    RESERVATION_GONE = "reservation_gone", "The unfinished document is gone from Clio"
    IN_TRASH = "in_trash", "The document is in Clio's trash"
    UPGRADE_NEEDED = "upgrade_needed", "The portal must be upgraded"
    APP_REJECTED = "app_rejected", "Clio does not accept the portal's app key"
    SURPRISED = "surprised", "Clio's answer was not understood"
    STORAGE_TROUBLE = "storage_trouble", "Clio's file storage has trouble"
    STORAGE_EXPIRED = "storage_expired", "The address for the file expired"
    STORAGE_DENIED = "storage_denied", "Clio's file storage refused the file"
    STORAGE_ADDRESS = "storage_address", "The storage address is not on the list"
    NOT_VERIFIED = "not_verified", "Clio is still checking the file"
    BYTES_NOT_FOUND = "bytes_not_found", "Clio did not find the file"
    BYTES_CHANGED = "bytes_changed", "The stored file is not the approved one"
    BYTES_MISSING = "bytes_missing", "The stored file is missing"
    SIZE_DIFFERS = "size_differs", "Clio shows another size"
    CONTENT_DIFFERS = "content_differs", "Clio holds other bytes"
    TWO_FOUND = "two_found", "Clio holds the document more than once"


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One problem of one delivery, for a page: what happened, is it in Clio, who acts, what to press."""

    code: str
    title: str
    happened: str
    in_clio: InClio
    who: Actor
    button: Button

    @property
    def in_clio_sentence(self) -> str:
        return IN_CLIO[self.in_clio]


IN_CLIO: Final = {
    InClio.YES: "The document is in Clio.",
    InClio.NO: "The document is not in Clio.",
    InClio.NOT_YET_KNOWN: "Whether the document is in Clio is not yet known.",
}

ITSELF = "Countersign will try again by itself."

# What happened; who acts once the portal has stopped trying; the button.
_CATALOGUE: Final[dict[Problem, tuple[str, Actor, Button]]] = {
    Problem.UNREACHABLE: (
        "Clio could not be reached over the network.",
        Actor.REVIEWER,
        Button.RETRY,
    ),
    Problem.CLIO_TROUBLE: ("Clio answered that it has trouble on its side.", Actor.REVIEWER, Button.RETRY),
    Problem.LIMIT: (
        "Clio lets each connection make a limited number of calls a minute, and they are used up.",
        Actor.PORTAL,
        Button.NONE,
    ),
    Problem.LOST_ANSWER: (
        "Clio's answer did not arrive. Countersign looks what Clio holds before it does anything again.",
        Actor.REVIEWER,
        Button.RETRY,
    ),
    Problem.CONNECTION: (
        "Clio no longer accepts this connection. Filing goes on by itself once it is reconnected.",
        Actor.ADMIN,
        Button.RECONNECT,
    ),
    Problem.FORBIDDEN: (
        "The connected Clio user, or the portal's app in Clio, may not put documents there.",
        Actor.ADMIN,
        Button.RETRY,
    ),
    Problem.PLACE_NOT_FOUND: (
        "Clio no longer has this matter, folder or document, or the connected Clio user may not see it.",
        Actor.REVIEWER,
        Button.CANCEL,
    ),
    Problem.PLACE_REFUSED: (
        "Clio refused to take the document there. The matter may be closed, or the folder may be locked.",
        Actor.REVIEWER,
        Button.CANCEL,
    ),
    Problem.REFUSED: ("Clio refused the request and will refuse it again.", Actor.REVIEWER, Button.RETRY),
    Problem.BUSY: (
        "Clio is changing this document and refused a second change.",
        Actor.REVIEWER,
        Button.RETRY,
    ),
    Problem.RESERVATION_GONE: (
        "Somebody removed the document from Clio before it was finished.",
        Actor.REVIEWER,
        Button.RETRY,
    ),
    Problem.IN_TRASH: (
        "Somebody moved the document to Clio's trash while it was being filed.",
        Actor.REVIEWER,
        Button.RETRY,
    ),
    Problem.UPGRADE_NEEDED: (
        "Clio no longer offers the version of its API that this portal speaks.",
        Actor.ADMIN,
        Button.RETRY,
    ),
    Problem.APP_REJECTED: (
        "Clio does not accept the portal's app key or secret.",
        Actor.ADMIN,
        Button.RETRY,
    ),
    Problem.SURPRISED: (
        "Clio answered in a way that the portal does not understand.",
        Actor.ADMIN,
        Button.RETRY,
    ),
    Problem.STORAGE_TROUBLE: ("Clio's file storage could not take the file.", Actor.REVIEWER, Button.RETRY),
    Problem.STORAGE_EXPIRED: (
        "The address that Clio gave for the file was no longer valid.",
        Actor.REVIEWER,
        Button.RETRY,
    ),
    Problem.STORAGE_DENIED: (
        "Clio's file storage refused the file, also at a fresh address.",
        Actor.ADMIN,
        Button.RETRY,
    ),
    Problem.STORAGE_ADDRESS: (
        "Clio named a storage address that is not on this portal's list. Nothing was sent there.",
        Actor.ADMIN,
        Button.RETRY,
    ),
    Problem.NOT_VERIFIED: ("Clio has the file and is still checking it.", Actor.REVIEWER, Button.RETRY),
    Problem.BYTES_NOT_FOUND: (
        "Clio did not find the file in its storage. It has to be sent again.",
        Actor.REVIEWER,
        Button.RETRY,
    ),
    Problem.BYTES_CHANGED: (
        "The file stored in this portal is no longer the one that was approved. It was not sent.",
        Actor.ADMIN,
        Button.CANCEL,
    ),
    Problem.BYTES_MISSING: (
        "The approved file is missing from this portal's storage. It can be restored from a backup.",
        Actor.ADMIN,
        Button.RETRY,
    ),
    Problem.SIZE_DIFFERS: (
        "Clio shows a document of another size than the one that was approved. Compare them in Clio.",
        Actor.REVIEWER,
        Button.RETRY,
    ),
    Problem.CONTENT_DIFFERS: (
        "Clio holds a document under this delivery's name whose bytes are not the approved ones.",
        Actor.REVIEWER,
        Button.RETRY,
    ),
    Problem.TWO_FOUND: (
        "Clio holds this document more than once. Delete one of them in Clio, then try again.",
        Actor.REVIEWER,
        Button.RETRY,
    ),
}

_VISIBLE = {
    Delivery.State.FILED: InClio.YES,
    Delivery.State.CONFIRMING: InClio.NOT_YET_KNOWN,
}


def in_clio(delivery: Delivery) -> InClio:
    """Only a confirmation makes a document visible, so before the first one the answer is a plain no."""
    if delivery.problem in (Problem.SIZE_DIFFERS, Problem.CONTENT_DIFFERS, Problem.TWO_FOUND):
        return InClio.YES
    return _VISIBLE.get(Delivery.State(delivery.state), InClio.NO)


def _problem(delivery: Delivery) -> Problem | None:
    if delivery.hold == Delivery.Hold.CONNECTION:
        return Problem.CONNECTION  # whatever went wrong before, this is what it waits for
    return Problem(delivery.problem) if delivery.problem else None


def explain(delivery: Delivery) -> Explanation | None:
    """The delivery's problem in words, or None when there is none."""
    problem = _problem(delivery)
    if problem is None:
        return None
    happened, who, button = _CATALOGUE[problem]
    waits = delivery.hold != Delivery.Hold.PERSON and problem is not Problem.CONNECTION
    return Explanation(
        code=problem.value,
        title=problem.label,
        happened=f"{happened} {ITSELF}" if waits else happened,
        in_clio=in_clio(delivery),
        who=Actor.PORTAL if waits else who,
        button=Button.NONE if waits else button,
    )
