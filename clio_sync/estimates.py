"""How long until a delivery is filed: its place in its connection's line, at the pace that Clio allows now.

A document costs two calls; those before it in the line have theirs first, and nobody calls while the
connection stands still. What is in somebody's hands has no time to tell, nor has anything at a closed gate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Case, F, IntegerField, Q, Sum, Value, When, Window

from clio_sync import limits
from clio_sync.clock import database_now
from clio_sync.models import Connection, Delivery, DeliveryQuerySet, RateState
from portal import gate

State, Hold = Delivery.State, Delivery.Hold

WAITS_FOR_RECONNECTING: Final = "waits for reconnecting"
LAST_CALL: Final = 0.7
"""Seconds from the last turn until the answer is written down."""

# Calls to Clio that are still to be made.
CALLS: Final = Case(
    When(state__in=[State.RESERVED, State.TRANSFERRED, State.CONFIRMING], then=Value(1)),
    When(state=State.ABANDONING, then=Value(5)),
    default=Value(2),
    output_field=IntegerField(),
)


@dataclass(frozen=True)
class Estimate:
    words: str
    seconds: float | None = None
    """Until it is filed; None while it waits for somebody to reconnect."""


def estimates(deliveries: Iterable[Delivery]) -> dict[UUID, Estimate]:
    """What to tell of those that are on their way: one query for all of them, and one for the gate."""
    moving = [one for one in deliveries if one.state in Delivery.RUNNING and not one.withdrawing]
    parked = {one.pk: Estimate(WAITS_FOR_RECONNECTING) for one in moving if one.hold == Hold.CONNECTION}
    wanted = [one for one in moving if one.hold in Delivery.MOVING]
    if not wanted or gate.closed() is not None:
        return parked
    now = database_now()
    return parked | {one.pk: _estimate(one, vars(one)["place"], now) for one in _placed(wanted)}


def in_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 45:
        return "less than a minute"
    if minutes < 60:
        return f"about {_count(max(1, minutes), 'minute')}"
    if minutes < 24 * 60:
        hours, rest = divmod(round(minutes, -1), 60)
        return f"about {_count(hours, 'hour')}" + (f" {rest} minutes" if rest else "")
    return "more than a day"


def _placed(wanted: Collection[Delivery]) -> DeliveryQuerySet:
    """The wanted ones, each with the calls up to and with its own in its connection's line as `place`."""
    line = Delivery.objects.in_line().filter(connection__in={one.connection_id for one in wanted})
    place = Window(Sum(CALLS), partition_by=F("connection"), order_by=Delivery.LINE)
    # The alternative makes the database choose after it has summed up: the others of the line count as well.
    chosen = Q(place__lt=0) | Q(pk__in=[one.pk for one in wanted])
    return line.annotate(calls=CALLS, place=place).filter(chosen).select_related("connection__rate")


def _estimate(delivery: Delivery, place: int, now: datetime) -> Estimate:
    if delivery.connection.status != Connection.Status.ACTIVE:
        return Estimate(WAITS_FOR_RECONNECTING)
    rate = delivery.connection.rate if hasattr(delivery.connection, "rate") else RateState(next_at=now)
    begins = max(now, limits.stands_still_until(rate) or now, rate.next_at)
    step = limits.pace(rate, now)
    ends = max(begins + step * (place - 1), delivery.not_before + step)
    seconds = max(0.0, (ends - now).total_seconds()) + LAST_CALL
    return Estimate(in_words(seconds), seconds)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
