"""How far a delivery is, in the words of the pages. It never claims more than Clio's truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils import timezone

from clio_sync import problems
from clio_sync.models import Delivery
from clio_sync.problems import Explanation

State, Hold = Delivery.State, Delivery.Hold

STEPS = 3
MEGABYTE = 1024 * 1024  # as everywhere on the pages

# How many of reserve, transfer and confirm are done.
_DONE = {
    State.QUEUED: 0,
    State.RESERVING: 0,
    State.ABANDONING: 0,
    State.WITHDRAWN: 0,
    State.RESERVED: 1,
    State.TRANSFERRED: 2,
    State.CONFIRMING: 2,
    State.FILED: 3,
}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """How much of a file that takes long is on its way or there."""

    bytes_sent: int
    size: int

    def __str__(self) -> str:
        return f"{self.bytes_sent // MEGABYTE} of {-(-self.size // MEGABYTE)} MB sent"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One delivery, for a page. `step` counts the calls to Clio that are done: reserve, transfer, confirm."""

    step: int
    label: str
    sentence: str = ""  # why it does not move now, or what it waits for
    taking_back: str = ""  # what becomes of it, once a person called it back
    problem: Explanation | None = None
    undo_until: datetime | None = None  # set while it can be undone
    resumes_at: datetime | None = None  # set while it waits for a moment
    sent: Sent | None = field(default=None, repr=False)  # set while a long transfer is under way

    @property
    def steps(self) -> int:
        return STEPS


def progress(delivery: Delivery, *, now: datetime | None = None) -> Progress:
    now = now or timezone.now()
    problem = problems.explain(delivery)
    return Progress(
        step=_DONE[State(delivery.state)],
        label=_label(delivery, now),
        sentence=_sentence(delivery, problem, now),
        taking_back=_taking_back(delivery),
        problem=problem,
        undo_until=delivery.not_before if can_undo(delivery, now=now) else None,
        resumes_at=delivery.not_before if _waits(delivery, now) else None,
        sent=_sent(delivery),
    )


def _sent(delivery: Delivery) -> Sent | None:
    if delivery.state != State.RESERVED or delivery.hold or delivery.bytes_sent is None:
        return None
    return Sent(bytes_sent=min(delivery.bytes_sent, delivery.approval.size), size=delivery.approval.size)


def can_undo(delivery: Delivery, *, now: datetime) -> bool:
    """Whether to offer it. `deliveries.undo` decides for good."""
    return (
        delivery.state == State.QUEUED
        and delivery.first_call_at is None
        and delivery.attempts == 0
        and delivery.not_before > now
    )


def can_take_back(delivery: Delivery) -> bool:
    """Whether to offer it. `deliveries.take_back` decides for good."""
    return delivery.state in Delivery.RUNNING and not delivery.withdrawing


def _label(delivery: Delivery, now: datetime) -> str:
    if delivery.state == State.FILED:
        return "Filed ✓"
    if delivery.state == State.WITHDRAWN:
        return "Withdrawn"
    if delivery.hold in (Hold.PERSON, Hold.CONNECTION):
        return "Needs you"
    if can_undo(delivery, now=now):
        return f"Approved (undo until {timezone.localtime(delivery.not_before):%H:%M:%S})"
    return _label_under_way(delivery)


def _label_under_way(delivery: Delivery) -> str:
    if delivery.withdrawing:
        return "Taking back"
    if delivery.state == State.CONFIRMING and delivery.lease_until is None:
        return "Filed, unconfirmed"
    return f"Filing ({min(_DONE[State(delivery.state)] + 1, STEPS)}/{STEPS})"


def _taking_back(delivery: Delivery) -> str:
    if not delivery.withdrawing or delivery.state == State.WITHDRAWN:
        return ""
    if delivery.state == State.FILED:
        return (
            "It was called back too late: Clio had made it visible already. Delete it in Clio if it must go."
        )
    if delivery.hold == Hold.CONNECTION:
        return "It was called back, and is removed from Clio as soon as the connection works again."
    return _BACK.get(State(delivery.state), _REMOVED_FIRST)


_REMOVED_FIRST: Final = (
    "It is being taken back: what Clio holds unfinished is removed first, then the draft is in review again."
)
_BACK: Final = {
    State.RESERVING: (
        "It is being taken back. Clio may have reserved a place for it, so Countersign looks there first."
    ),
    State.CONFIRMING: (
        "It was called back, but Clio may have made it visible already. "
        "If so it counts as filed; if not it is removed."
    ),
}


def _waits(delivery: Delivery, now: datetime) -> bool:
    return delivery.hold in (Hold.RETRY, Hold.LIMIT) and delivery.not_before > now


def _sentence(delivery: Delivery, problem: Explanation | None, now: datetime) -> str:
    return f"{problem.line} {_when(delivery, now)}".rstrip() if problem else ""


def _when(delivery: Delivery, now: datetime) -> str:
    if not _waits(delivery, now):
        return ""
    seconds = (delivery.not_before - now).total_seconds()
    if seconds < 60:
        return "It goes on within a minute."
    return f"It goes on at {timezone.localtime(delivery.not_before):%H:%M %Z}."
