"""What a person is told about a draft. A status never claims more than Clio's truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone

from clio_sync import problems
from clio_sync.models import Delivery
from clio_sync.progress import STEPS, can_undo, progress
from portal.accounts.models import User
from portal.accounts.roles import may_review
from reviews.models import Draft, Status

HELD_UP = "Held up"


@dataclass(frozen=True)
class Shown:
    """A status chip: its state (one of the design's words) and what stands after it."""

    state: str
    detail: str = ""
    label: str = ""  # other words than the state's own


def shown(draft: Draft, *, to: User | None = None, now: datetime | None = None) -> Shown:
    """The chip of a draft, from its review and, once approved, from its delivery. "Needs you" is not said to
    a person who can do nothing about it."""
    if draft.status != Status.APPROVED or draft.delivery is None:
        return Shown(draft.status)
    chip = of_delivery(draft.delivery, now=now or timezone.now())
    if chip.state == "needs_you" and to is not None and not may_review(to):
        return replace(chip, label=HELD_UP)
    return chip


def of_delivery(delivery: Delivery, *, now: datetime) -> Shown:
    if delivery.state == Delivery.State.FILED:
        return Shown("filed")
    if delivery.state == Delivery.State.WITHDRAWN:
        return Shown("withdrawn")
    if delivery.hold in {Delivery.Hold.PERSON, Delivery.Hold.CONNECTION}:
        return Shown("needs_you", "Clio connection" if delivery.hold == Delivery.Hold.CONNECTION else "")
    return _under_way(delivery, now)


def _under_way(delivery: Delivery, now: datetime) -> Shown:
    if can_undo(delivery, now=now):
        return Shown("approved", f"undo until {timezone.localtime(delivery.not_before):%H:%M:%S}")
    if delivery.withdrawing or delivery.state == Delivery.State.ABANDONING:
        return Shown("filing", "taking back")
    if delivery.state == Delivery.State.CONFIRMING and delivery.lease_until is None:
        return Shown("unconfirmed")
    return Shown("filing", f"{min(progress(delivery, now=now).step + 1, STEPS)}/{STEPS}")


def next_actor(draft: Draft) -> str:
    """Whose turn it is: one name or one role, for every state."""
    match draft.status:
        case Status.WAITING:
            return str(draft.reviewer) if draft.reviewer else "any reviewer"
        case Status.IN_REVIEW:
            return str(draft.reviewer)
        case Status.RETURNED:
            return str(draft.submitter)
        case Status.APPROVED:
            return _who_files(draft)
        case _:
            return "nobody"


def _who_files(draft: Draft) -> str:
    delivery = draft.delivery
    if delivery is None or delivery.state in Delivery.FINAL:
        return "nobody"
    if delivery.hold not in {Delivery.Hold.CONNECTION, Delivery.Hold.PERSON}:
        return "Countersign"
    problem = problems.explain(delivery)
    match problem.who if problem else problems.Actor.REVIEWER:
        case problems.Actor.ADMIN:
            return "an admin"
        case problems.Actor.OWNER:
            return str(delivery.connection.owner)
        case _:
            return str(draft.reviewer or "any reviewer")
