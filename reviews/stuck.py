"""What stands still until somebody has done something: by problem and connection, page by page, all at once.

Thousands may be stuck for one reason, such as a connection that ended. So a page continues after the last row
of the one before, and counts and rows come from an index of what is stuck alone.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import QueryDict

from clio_sync import deliveries
from clio_sync.limits import WINDOW
from clio_sync.models import Connection, Delivery, DeliveryQuerySet, RateState
from clio_sync.problems import Problem
from clio_sync.sweeping import CALLS_A_DOCUMENT
from portal.accounts.models import User
from portal.accounts.roles import may_review
from portal.audit.log import Actor
from portal.http import words
from reviews.models import Draft

PAGE: Final = 50
AT_ONCE: Final = 200
"""How many one press tries again: as many as a page may keep somebody waiting for."""
USUAL_LIMIT: Final = 50


@dataclass(frozen=True)
class Filters:
    """The narrowing part of the address. Unknown values mean no narrowing."""

    problem: str = ""
    connection: str = ""
    matter: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        problem = query.get("problem", "")
        return cls(
            problem=problem if problem in Problem else "",
            connection=_as_id(query.get("connection", "")),
            matter=words(query, "matter"),
        )

    def apply(self, stuck: DeliveryQuerySet) -> DeliveryQuerySet:
        if self.problem == Problem.CONNECTION:
            stuck = stuck.filter(hold=Delivery.Hold.CONNECTION)
        elif self.problem:
            stuck = stuck.filter(hold=Delivery.Hold.PERSON, problem=self.problem)
        if self.connection:
            stuck = stuck.filter(connection=uuid.UUID(self.connection))
        if self.matter:
            drafts = Draft.objects.filter(matter_number__iexact=self.matter, delivery__isnull=False)
            stuck = stuck.filter(pk__in=drafts.values("delivery"))
        return stuck

    def address(self, **more: str) -> str:
        chosen = {"problem": self.problem, "connection": self.connection, "matter": self.matter, **more}
        return "?" + urlencode({key: value for key, value in chosen.items() if value})


@dataclass(frozen=True, kw_only=True)
class Group:
    """How many stand still for one reason at one connection. Tells nothing of a draft."""

    problem: Problem
    connection: Connection
    count: int

    @property
    def address(self) -> str:
        return Filters(problem=self.problem, connection=str(self.connection.pk)).address()


def visible_to(user: User) -> DeliveryQuerySet:
    """What a reviewer may mend: all of it; for a submitter what became of their own drafts."""
    stuck = Delivery.objects.stuck()
    if may_review(user):
        return stuck
    return stuck.filter(
        pk__in=Draft.objects.visible_to(user).filter(delivery__isnull=False).values("delivery")
    )


def groups(stuck: DeliveryQuerySet) -> list[Group]:
    """The largest first."""
    counted: Counter[tuple[str, uuid.UUID]] = Counter()
    rows = stuck.order_by().values_list("hold", "problem", "connection").annotate(Count("pk"))
    for hold, problem, connection, count in rows:
        parked = hold == Delivery.Hold.CONNECTION
        counted[Problem.CONNECTION if parked else problem, connection] += count
    known = Connection.objects.select_related("owner").in_bulk([connection for _, connection in counted])
    return [
        Group(problem=Problem(problem), connection=known[connection], count=count)
        for (problem, connection), count in counted.most_common()
    ]


def page(stuck: DeliveryQuerySet, *, after: str) -> tuple[list[Draft], str]:
    """The drafts of one page, oldest filing first, and where the next page begins, or nothing."""
    rows = list(
        _beyond(stuck, after).order_by("created_at", "pk").values_list("created_at", "pk")[: PAGE + 1]
    )
    shown = [pk for _, pk in rows[:PAGE]]
    drafts = Draft.objects.filter(delivery__in=shown).select_related(
        "submitter", "reviewer", "latest_version", "delivery__connection__owner"
    )
    by_delivery = {draft.delivery_id: draft for draft in drafts}
    more = f"{rows[PAGE - 1][0].isoformat()}_{rows[PAGE - 1][1]}" if len(rows) > PAGE else ""
    return [by_delivery[pk] for pk in shown if pk in by_delivery], more


def _beyond(stuck: DeliveryQuerySet, after: str) -> DeliveryQuerySet:
    """What comes after the row that `after` names. Nonsense names none."""
    at, _, key = after.partition("_")
    with suppress(ValueError):
        moment, last = datetime.fromisoformat(at), uuid.UUID(key)
        if moment.tzinfo is not None:
            later = Q(created_at__gt=moment) | Q(created_at=moment, pk__gt=last)
            return stuck.filter(later, created_at__gte=moment)
    return stuck


def to_try_again(user: User, filters: Filters) -> DeliveryQuerySet:
    """Those that a person's word sets going. What waits for its connection goes on when that is mended."""
    return filters.apply(visible_to(user)).filter(hold=Delivery.Hold.PERSON)


def try_again(waiting: DeliveryQuerySet, *, actor: Actor) -> int:
    """Try the oldest AT_ONCE again, each with its entry in the log; how many.

    They start as far apart as Clio's limit lets a connection file them: what people wait for goes between.
    """
    places: Counter[uuid.UUID] = Counter()
    limits = dict(RateState.objects.values_list("connection", "limit"))
    for delivery in waiting.select_related("approval").order_by("created_at", "pk")[:AT_ONCE]:
        pace = WINDOW * CALLS_A_DOCUMENT / limits.get(delivery.connection_id, USUAL_LIMIT)
        with suppress(deliveries.NothingToDo):
            deliveries.retry_now(delivery, actor=actor, wait=pace * places[delivery.connection_id])
            places[delivery.connection_id] += 1
    return places.total()


def names(of: Iterable[Group]) -> dict[str, str]:
    """The connections of these groups, for a filter to choose from."""
    return {str(group.connection.pk): str(group.connection) for group in of}


def _as_id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""
