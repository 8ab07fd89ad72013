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
    REVIEWER = "a reviewer"
    ADMIN = "an admin"
    OWNER = "the lawyer whose connection it is"


class Button(StrEnum):
    """The one thing to press."""

    NONE = ""
    RETRY = "retry"
    CHOOSE = "choose"  # another folder: the delivery is taken back, and the lawyer approves again
    RECONNECT = "reconnect"
    CANCEL = "cancel"


class Problem(models.TextChoices):
    UNREACHABLE = "unreachable", "Clio could not be reached"
    CLIO_TROUBLE = "clio_trouble", "Clio has trouble on its side"
    LIMIT = "limit", "Clio's limit is used up"
    RESTING = "resting", "Clio is given a rest"
    LOST_ANSWER = "lost_answer", "An answer of Clio was lost"
    CONNECTION = "connection", "The connection needs reconnecting"
    FORBIDDEN = "forbidden", "Clio does not allow it"
    PLACE_NOT_FOUND = "place_not_found", "The destination was not found"
    PLACE_REFUSED = "place_refused", "Clio refused the destination"
    MATTER_CLOSED = "matter_closed", "The matter is closed"
    FOLDER_UNDER_WAY = "folder_under_way", "The new folder is being made"
    REFUSED = "refused", "Clio refused the request"
    BUSY = "busy", "Clio is changing this document"
    RESERVATION_GONE = "reservation_gone", "The unfinished document is gone from Clio"
    IN_TRASH = "in_trash", "The document is in Clio's trash"
    UPGRADE_NEEDED = "upgrade_needed", "The portal must be upgraded"
    APP_REJECTED = "app_rejected", "Clio does not accept the portal's app key"
    ADDRESS_REFUSED = "address_refused", "Clio's address is not on the list"
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
    ALREADY_FILED = "already_filed", "Clio already holds this version"
    UNEXPECTED = "unexpected", "Something went wrong in Countersign"


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One problem of one delivery, for a page: what happened, is it in Clio, who acts, what to press."""

    code: str
    title: str
    happened: str
    in_clio: InClio
    in_clio_sentence: str
    who: Actor
    acts: str
    """Who acts, and how; without a button, why there is none."""
    button: Button

    @property
    def line(self) -> str:
        """All of it, in one line."""
        return f"{self.happened} {self.in_clio_sentence} {self.acts}"


IN_CLIO: Final = {
    InClio.YES: "The document is in Clio.",
    InClio.NO: "The document is not in Clio.",
    InClio.NOT_YET_KNOWN: "Whether the document is in Clio is not yet known.",
}

# What the problem itself tells about the document in Clio; otherwise it follows from the state.
_TELLS: Final[dict[Problem, tuple[InClio, str]]] = {
    Problem.IN_TRASH: (InClio.NO, "The document lies in Clio's trash, where nobody finds it."),
    Problem.SIZE_DIFFERS: (InClio.YES, "A document is in Clio, but not the approved one."),
    Problem.CONTENT_DIFFERS: (InClio.YES, "A document is in Clio, but not the approved one."),
    Problem.TWO_FOUND: (InClio.YES, "The document is in Clio more than once."),
    Problem.ALREADY_FILED: (InClio.YES, IN_CLIO[InClio.YES]),
}

ITSELF = "Countersign will try again by itself."
TRY_AGAIN = "A reviewer can try again."
THEN_TRY_AGAIN = "An admin has to mend it; then a reviewer can try again."
CHOOSE_ANOTHER = "A reviewer can choose another folder and approve again."
RECONNECT_IT = "An admin has to reconnect it; then filing goes on by itself."
RECONNECT_OWN = "The lawyer whose connection it is has to reconnect it; then filing goes on by itself."
TAKE_BACK = "A reviewer can stop the filing; the draft is in review again then."


@dataclass(frozen=True)
class Entry:
    """What happened; and once the portal has stopped trying: who acts, how, and the button."""

    happened: str
    who: Actor = Actor.REVIEWER
    acts: str = TRY_AGAIN
    button: Button = Button.RETRY


def _for_an_admin(happened: str) -> Entry:
    return Entry(happened, Actor.ADMIN, THEN_TRY_AGAIN)


def _elsewhere(happened: str) -> Entry:
    return Entry(happened, Actor.REVIEWER, CHOOSE_ANOTHER, Button.CHOOSE)


CATALOGUE: Final[dict[Problem, Entry]] = {
    Problem.UNREACHABLE: Entry("Clio could not be reached over the network."),
    Problem.CLIO_TROUBLE: Entry("Clio answered that it has trouble on its side."),
    Problem.LIMIT: Entry(
        "Clio lets each connection make a limited number of calls a minute, and they are used up.",
        Actor.PORTAL,
        ITSELF,
        Button.NONE,
    ),
    Problem.RESTING: Entry(
        "Clio failed several times in a row, so nothing is asked of it for half a minute.",
        Actor.PORTAL,
        ITSELF,
        Button.NONE,
    ),
    Problem.LOST_ANSWER: Entry(
        "Clio's answer did not arrive. Countersign looks what Clio holds before it does anything again."
    ),
    Problem.CONNECTION: Entry(
        "Clio no longer accepts this connection.", Actor.ADMIN, RECONNECT_IT, Button.RECONNECT
    ),
    Problem.FORBIDDEN: _for_an_admin(
        "The connected Clio user, or the portal's app in Clio, lacks the permission."
    ),
    Problem.PLACE_NOT_FOUND: _elsewhere(
        "Clio no longer has this matter, folder or document, or the connected Clio user may not see it."
    ),
    Problem.PLACE_REFUSED: _elsewhere(
        "Clio refused to take the document there. The matter may be closed, or the folder may be locked."
    ),
    Problem.MATTER_CLOSED: _elsewhere(
        "The matter was closed when Countersign last looked, so nothing was sent to Clio."
    ),
    Problem.FOLDER_UNDER_WAY: Entry(
        "The folder it goes into is just being made for another document.", Actor.PORTAL, ITSELF, Button.NONE
    ),
    Problem.REFUSED: Entry("Clio refused the request and will refuse it again until something changes."),
    Problem.BUSY: Entry("Clio is changing this document and refused a second change."),
    Problem.RESERVATION_GONE: Entry(
        "Clio no longer shows the unfinished document: somebody removed it, or the connected Clio user may "
        "not see it any more.",
        Actor.REVIEWER,
        f"Look for it in Clio first. {TAKE_BACK}",
        Button.CANCEL,
    ),
    Problem.IN_TRASH: Entry(
        "Somebody moved the document to Clio's trash while it was being filed.",
        Actor.REVIEWER,
        "Take it out of the trash in Clio; then a reviewer can try again.",
    ),
    Problem.UPGRADE_NEEDED: _for_an_admin(
        "Clio no longer offers the version of its API that this portal speaks. The portal has to be upgraded."
    ),
    Problem.APP_REJECTED: _for_an_admin(
        "The portal has no app key and secret for this region that Clio accepts."
    ),
    Problem.ADDRESS_REFUSED: _for_an_admin(
        "The portal was led to an address that is not on its list. Nothing was sent there."
    ),
    Problem.SURPRISED: _for_an_admin("Clio answered in a way that the portal does not understand."),
    Problem.STORAGE_TROUBLE: Entry("Clio's file storage could not take the file."),
    Problem.STORAGE_EXPIRED: Entry("The address that Clio gave for the file was no longer valid."),
    Problem.STORAGE_DENIED: _for_an_admin("Clio's file storage refused the file, also at a fresh address."),
    Problem.STORAGE_ADDRESS: _for_an_admin(
        "Clio named a storage address that is not on this portal's list. Nothing was sent there."
    ),
    Problem.NOT_VERIFIED: Entry("The file was sent, and Clio is still checking it."),
    Problem.BYTES_NOT_FOUND: Entry("Clio did not find the file in its storage. It has to be sent again."),
    Problem.BYTES_CHANGED: Entry(
        "The file stored in this portal is no longer the one that was approved. It was not sent.",
        Actor.ADMIN,
        f"An admin has to find out why. {TAKE_BACK}",
        Button.CANCEL,
    ),
    Problem.BYTES_MISSING: Entry(
        "The approved file is missing from this portal's storage.",
        Actor.ADMIN,
        "An admin has to restore it from a backup; then a reviewer can try again.",
    ),
    Problem.SIZE_DIFFERS: Entry(
        "Clio shows a document of another size than the one that was approved.",
        Actor.REVIEWER,
        "Compare them in Clio, and delete the wrong one there. "
        "Then a reviewer can stop the filing, and approve again.",
        Button.CANCEL,
    ),
    Problem.CONTENT_DIFFERS: Entry(
        "Clio holds a document under this delivery's name whose bytes are not the approved ones.",
        Actor.REVIEWER,
        "Compare them in Clio, and delete the wrong one there. "
        "Then a reviewer can stop the filing, and approve again.",
        Button.CANCEL,
    ),
    Problem.TWO_FOUND: Entry(
        "Clio holds this document more than once.",
        Actor.REVIEWER,
        "Delete one of them in Clio; then a reviewer can try again.",
    ),
    Problem.ALREADY_FILED: Entry(
        "This version was filed before a backup was restored. It is not filed again.",
        Actor.REVIEWER,
        "A reviewer can stop the filing.",
        Button.CANCEL,
    ),
    Problem.UNEXPECTED: _for_an_admin("Something went wrong inside Countersign. The server's log says what."),
}

_BY_ITSELF: Final = Entry("", Actor.PORTAL, ITSELF, Button.NONE)

# A confirmation makes a document visible, and nothing else does. It may have gone out before a filing is
# taken back.
_VISIBLE = {
    Delivery.State.FILED: InClio.YES,
    Delivery.State.CONFIRMING: InClio.NOT_YET_KNOWN,
    Delivery.State.ABANDONING: InClio.NOT_YET_KNOWN,
}


def in_clio(delivery: Delivery) -> InClio:
    """Whether the document can be seen in Clio, as far as this row knows."""
    return _in_clio(delivery)[0]


def _in_clio(delivery: Delivery) -> tuple[InClio, str]:
    if delivery.problem in _TELLS:
        return _TELLS[Problem(delivery.problem)]
    known = _VISIBLE.get(Delivery.State(delivery.state), InClio.NO)
    return known, IN_CLIO[known]


def problem_of(delivery: Delivery) -> Problem | None:
    """What keeps it, or None. A delivery that waits for its connection waits for that, whatever went wrong
    before."""
    if delivery.hold == Delivery.Hold.CONNECTION:
        return Problem.CONNECTION
    return Problem(delivery.problem) if delivery.problem else None


def explain(delivery: Delivery) -> Explanation | None:
    """The delivery's problem in words, or None when there is none."""
    problem = problem_of(delivery)
    if problem is None:
        return None
    known, sentence = _in_clio(delivery)
    next_step = _next_step(delivery, problem)
    return Explanation(
        code=problem.value,
        title=problem.label,
        happened=CATALOGUE[problem].happened,
        in_clio=known,
        in_clio_sentence=sentence,
        who=next_step.who,
        acts=next_step.acts,
        button=next_step.button,
    )


def _next_step(delivery: Delivery, problem: Problem) -> Entry:
    if problem is Problem.CONNECTION:
        return _reconnecting(delivery)
    return CATALOGUE[problem] if delivery.hold == Delivery.Hold.PERSON else _BY_ITSELF


def _reconnecting(delivery: Delivery) -> Entry:
    """An admin's turn, unless it is a lawyer's own connection: nobody else can reconnect that."""
    if delivery.connection.owner_id is None:
        return CATALOGUE[Problem.CONNECTION]
    return Entry("", Actor.OWNER, RECONNECT_OWN, Button.RECONNECT)
