"""The budget's row, locked for one short transaction; never inside another one, which would keep the lock."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from clio_sync.api.client import CallReport
from clio_sync.clock import database_now
from clio_sync.limits import feedback, private
from clio_sync.limits.budget import Priority, Turn, take
from clio_sync.models import Connection, RateState
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record


def book(connection_id: UUID, priority: Priority, *, is_retry: bool = False) -> Turn:
    """The next turn in the connection's budget, if it is this caller's."""
    with transaction.atomic():
        state = _locked(connection_id)
        turn = take(state, database_now(), priority, is_retry=is_retry)
        if turn.is_booked:
            state.save()
    private.remember(state)
    return turn


def hear(connection: Connection, report: CallReport) -> None:
    """Learn from an answer. A pause that Clio asks for is one entry in the log, however many calls met it."""
    with transaction.atomic():
        state = _locked(connection.pk)
        begins_pause = feedback.hear(state, database_now(), report)
        state.save()
        if begins_pause:
            _tell(connection, report)


def _tell(connection: Connection, report: CallReport) -> None:
    record(
        Event.RATELIMIT_HIT,
        actor=Actor.system("limiter"),
        subject=Subject("connection", connection.pk),
        connection=connection.pk,
        region=connection.region,
        limit=report.rate.limit,
        remaining=report.rate.remaining,
        retry_after=round(feedback.asked_pause(report)),
        request_id=report.request_id or None,
    )


def _locked(connection_id: UUID) -> RateState:
    state = _states(connection_id).select_for_update().first()
    if state is None:
        RateState.objects.bulk_create([RateState(connection_id=connection_id)], ignore_conflicts=True)
        state = _states(connection_id).select_for_update().get()
    return state


def _states(connection_id: UUID) -> QuerySet[RateState]:
    return RateState.objects.filter(connection=connection_id)
