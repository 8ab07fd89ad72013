"""What the tests of filing share: a small portal at the real sandbox, and ways to make it suffer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from clio_sync import crashpoints, filing
from clio_sync.models import Connection, Delivery, RateState
from portal.audit.models import Entry
from portal.blobs import Blob
from reviews.models import Draft
from tests import factories
from tests.cast import Cast
from tests.sandbox_process import ALICE, SandboxProcess

State, Hold = Delivery.State, Delivery.Hold


class Died(BaseException):
    """The worker is gone: nothing after this point happened, nothing catches it, nothing is tidied up."""


@dataclass
class Office:
    """One connection, drafts approved at will, and a worker that can be asked to look."""

    cast: Cast
    clio: SandboxProcess
    link: Connection
    matter_id: int
    since: int

    def approved(self, content: bytes | Blob = factories.CONTENT, **place: Any) -> Delivery:
        return factories.approved(self.draft(content, **place), by=self.cast.alice)

    def draft(self, content: bytes | Blob = factories.CONTENT, **place: Any) -> Draft:
        target = factories.destination(self.link, **{"matter_id": self.matter_id, **place})
        return factories.draft(submitter=self.cast.carol, place=target, content=content)

    def work(self, delivery: Delivery) -> Delivery:
        """A worker looks once."""
        filing.deliver(delivery.pk)
        delivery.refresh_from_db()
        return delivery

    def work_until_done(self, delivery: Delivery, *, looks: int = 8) -> Delivery:
        """Workers look again and again, each as late as it takes for leases and pauses to be over."""
        for _ in range(looks):
            self.later(delivery)
            if self.work(delivery).state in Delivery.FINAL:
                break
        return delivery

    def later(self, delivery: Delivery) -> None:
        """Time goes by: leases end, pauses are over, and no call is still on its way."""
        past = timezone.now() - timedelta(minutes=5)
        rows = Delivery.objects.filter(pk=delivery.pk)
        rows.filter(lease_until__isnull=False).update(lease_until=past)
        rows.update(not_before=past)
        rows.filter(intent_at__isnull=False).update(intent_at=past)
        RateState.objects.update(
            next_at=past, blocked_until=None, empty_until=None, failures=0, open_until=None
        )

    def visible(self) -> list[dict[str, Any]]:
        """The portal's documents that a person sees in Clio."""
        return [document for document in self.clio.documents() if document["visible"]]

    def unfinished(self) -> list[dict[str, Any]]:
        return [one for one in self.clio.documents() if not one["visible"] and not one["deleted_at"]]

    def api_calls(self) -> list[str]:
        """What the portal asked Clio's API for, so far."""
        return [call["route"] for call in self.clio.calls(listener="api", since=self.since)]

    def events(self, delivery: Delivery) -> list[str]:
        entries = Entry.objects.filter(object_type="delivery", object_id=str(delivery.pk)).order_by("seq")
        return [str(event) for event in entries.values_list("event", flat=True)]


def office(cast: Cast, clio: SandboxProcess) -> Office:
    link = factories.connection(connected_by=cast.dana, clio_user_id=ALICE)
    factories.tokens_for(link, clio)
    RateState.objects.create(connection=link, limit=100_000)
    matter_id = clio.matter_id()
    return Office(cast, clio, link, matter_id, clio.last_call_id())


@contextmanager
def dying_at(point: str, *, hit: int = 1, always: bool = False) -> Iterator[None]:
    """A worker that dies when it comes to `point` for the `hit`th time, or each time from then on."""

    def die() -> None:
        raise Died(point)

    with happening_at(point, die, hit=hit, always=always):
        yield


@contextmanager
def happening_at(
    point: str,
    act: Callable[[], None],
    *,
    hit: int = 1,
    always: bool = False,
    also: Callable[[str], None] = crashpoints.nothing,
) -> Iterator[None]:
    """`act` happens when a worker comes to `point`; the test fails if none ever does.

    `also` is told of every point on the way.
    """
    seen = 0

    def on_point(name: str) -> None:
        nonlocal seen
        also(name)
        if name == point:
            seen += 1
            if seen == hit or (always and seen > hit):
                act()

    crashpoints.on_point = on_point
    try:
        yield
    finally:
        crashpoints.on_point = crashpoints.nothing
    assert seen >= hit, f"no worker ever came to {point}"
