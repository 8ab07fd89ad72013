"""The queue: which drafts a person sees under which tab, narrowed by the filters in the address."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import CharField, Count, Q, Value
from django.http import QueryDict
from django.utils import timezone

from clio_sync.models import Delivery
from portal.accounts.models import User
from portal.accounts.roles import may_review
from portal.http import words
from reviews.formats import MediaType
from reviews.models import UNTOLD, Draft, DraftQuerySet, Status
from reviews.status import HELD_UP

OPEN = Q(status__in=[Status.WAITING, Status.IN_REVIEW])
FILED = Q(status=Status.APPROVED, delivery__state=Delivery.State.FILED)
STUCK = Q(status=Status.APPROVED, delivery__hold__in=[Delivery.Hold.PERSON, Delivery.Hold.CONNECTION])
FILING = Q(status=Status.APPROVED) & ~FILED
CLOSED = Q(status__in=[Status.REJECTED, Status.WITHDRAWN])
AGES = ((1, "Over 1 day"), (3, "Over 3 days"), (7, "Over 7 days"), (30, "Over 30 days"))


@dataclass(frozen=True)
class Tab:
    key: str
    label: str
    rows: Q
    newest_first: bool = False


def tabs_for(user: User) -> list[Tab]:
    """Reviewers see what waits for them first; submitters what came back to them."""
    mine = Q(status=Status.IN_REVIEW, reviewer=user) if may_review(user) else OPEN
    tabs = [
        Tab("waiting", "Waiting", OPEN),
        Tab("mine", "My reviews", mine),
        Tab("returned", "Returned", Q(status=Status.RETURNED)),
        Tab("filing", "Filing", FILING & ~STUCK),
        Tab("stuck", "Needs you" if may_review(user) else HELD_UP, STUCK),
        Tab("filed", "Filed", FILED, newest_first=True),
        Tab("closed", "Closed", CLOSED, newest_first=True),
    ]
    return tabs if may_review(user) else [tab for tab in tabs if tab.key != "mine"]


@dataclass(frozen=True)
class Filters:
    """The narrowing part of the address. Unknown values mean no narrowing."""

    text: str = ""
    matter: str = ""
    media_type: str = ""
    days: int = 0

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        days = query.get("age", "")
        media_type = query.get("type", "")
        return cls(
            text=words(query, "q"),
            matter=words(query, "matter"),
            media_type=media_type if media_type in set(MediaType) else "",
            days=int(days) if days in {str(age) for age, _ in AGES} else 0,
        )

    def apply(self, drafts: DraftQuerySet) -> DraftQuerySet:
        for word in self.text.lower().split():
            drafts = drafts.filter(search_text__contains=word)
        if self.matter:
            drafts = drafts.filter(matter_number__iexact=self.matter)
        if self.media_type:
            drafts = drafts.filter(media_type=self.media_type)
        if self.days:
            drafts = drafts.filter(submitted_at__lt=timezone.now() - timedelta(days=self.days))
        return drafts

    def address(self, tab: str) -> str:
        """This tab with these filters, from the first page."""
        chosen = {
            "tab": tab,
            "q": self.text,
            "matter": self.matter,
            "type": self.media_type,
            "age": self.days,
        }
        return "?" + urlencode({key: value for key, value in chosen.items() if value})


def rows(user: User, tab: Tab, filters: Filters) -> DraftQuerySet:
    drafts = filters.apply(Draft.objects.visible_to(user).filter(tab.rows))
    order = ("-changed_at", "-id") if tab.newest_first else ("submitted_at", "id")
    return drafts.select_related("submitter", "reviewer", "delivery", "latest_version").order_by(*order)


def counts(user: User, tabs: list[Tab], filters: Filters) -> dict[str, int]:
    """How many rows stand under each tab, in one query that looks at no delivery which has ended: of the
    approved drafts, those that nobody was told about yet are the only ones that may not be filed."""
    drafts = filters.apply(Draft.objects.visible_to(user)).order_by()
    on_the_way = drafts.filter(UNTOLD, status=Status.APPROVED).exclude(FILED)
    mine = drafts.filter(status=Status.IN_REVIEW, reviewer=user)
    counted = (
        drafts.values_list("status").annotate(Count("pk")),
        on_the_way.values_list(_named("unfiled")).annotate(Count("pk")),
        on_the_way.filter(STUCK).values_list(_named("stuck")).annotate(Count("pk")),
        mine.values_list(_named("mine")).annotate(Count("pk")),
    )
    found: Counter[str] = Counter(dict(counted[0].union(*counted[1:], all=True)))
    sums = {
        "waiting": found[Status.WAITING] + found[Status.IN_REVIEW],
        "mine": found["mine"],
        "returned": found[Status.RETURNED],
        "filing": found["unfiled"] - found["stuck"],
        "stuck": found["stuck"],
        "filed": found[Status.APPROVED] - found["unfiled"],
        "closed": found[Status.REJECTED] + found[Status.WITHDRAWN],
    }
    return {tab.key: sums[tab.key] for tab in tabs}


def _named(name: str) -> Value:
    return Value(name, output_field=CharField())
