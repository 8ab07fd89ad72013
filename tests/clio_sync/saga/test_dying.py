"""A worker dies, or sleeps for too long, at each of the points that docs/reliability.md lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from django.db import transaction
from django.utils import timezone

from clio_sync import crashpoints, deliveries, filing
from clio_sync.models import Delivery
from portal.audit.events import Event
from portal.audit.log import Actor
from portal.audit.verify import verify
from tests import factories
from tests.cast import Cast
from tests.clio_sync.filing_kit import Died, Office, dying_at, happening_at, office
from tests.sandbox_process import SandboxProcess

State, Hold = Delivery.State, Delivery.Hold
Way = Callable[[Office, Delivery], None]

RESERVE, CONFIRM, TRANSFER = "documents.create", "documents.update", "storage.put"


def straight_on(firm: Office, delivery: Delivery) -> None:
    """Every delivery comes there."""


def fault(route: str, kind: str, /, **plan: Any) -> Way:
    def plan_it(firm: Office, delivery: Delivery) -> None:
        firm.clio.fault(route, kind, **plan)

    return plan_it


def switch(**values: Any) -> Way:
    return lambda firm, delivery: firm.clio.switch(**values)


def confirmed_before(firm: Office, delivery: Delivery) -> None:
    """The row does not know that it was confirmed."""
    with dying_at("C15"), pytest.raises(Died):
        firm.work(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(state=State.TRANSFERRED)
    firm.later(delivery)


def token_ends(firm: Office, delivery: Delivery) -> None:
    firm.clio.act("expire_tokens")


def confirmation_unanswered(firm: Office, delivery: Delivery) -> None:
    firm.clio.fault(CONFIRM, "lose_after")
    firm.work(delivery)
    firm.later(delivery)


def called_back(firm: Office, delivery: Delivery) -> None:
    """A reviewer wants it back when Clio holds it unfinished."""
    with dying_at("C13"), pytest.raises(Died):
        firm.work(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(hold=Hold.PERSON, problem="refused", lease_until=None)
    delivery.refresh_from_db()
    deliveries.cancel(delivery, actor=Actor.user(firm.cast.alice))
    firm.later(delivery)


WAYS: Final[dict[str, Way]] = {
    **dict.fromkeys(("C04", "C05", "C07", "C09", "C10", "C11", "C13", "C15", "C19"), straight_on),
    **dict.fromkeys(("C20", "C21", "C23", "C24", "C27"), straight_on),
    "C06": fault(RESERVE, "lose_after"),
    "C08": fault(RESERVE, "wrong_json"),
    "C12": fault(TRANSFER, "status", status=403),
    "C14": fault(CONFIRM, "lose_after"),
    "C16": confirmed_before,
    "C17": switch(confirm_times_out=1),
    "C18": fault(TRANSFER, "status", status=200, body=""),
    "C22": fault(RESERVE, "status", status=422),
    "C25": token_ends,
    "C26": fault(RESERVE, "status", status=429, headers={"Retry-After": "1"}),
    **dict.fromkeys(("L01", "L02"), confirmation_unanswered),
    **dict.fromkeys(("C28", "D01", "D02"), called_back),
}
AT_THE_APPROVAL: Final = {"C01", "C02", "C03"}
TAKEN_BACK: Final = {"C28", "D01", "D02"}


@pytest.fixture
def firm(cast: Cast, clio_sandbox: SandboxProcess) -> Office:
    return office(cast, clio_sandbox)


def test_every_point_has_its_way() -> None:
    elsewhere = {point for point in crashpoints.POINTS if point.startswith("F")}  # folders: test_placing
    assert set(WAYS) | AT_THE_APPROVAL | elsewhere == set(crashpoints.POINTS)


@pytest.mark.parametrize("point", sorted(WAYS))
def test_a_worker_that_dies_there_leaves_one_document_or_none_if_it_was_called_back(
    firm: Office, point: str
) -> None:
    delivery = firm.approved()
    WAYS[point](firm, delivery)
    with dying_at(point), pytest.raises(Died):
        firm.work(delivery)
    finish(firm, delivery)
    is_as_it_should_be(firm, delivery, taken_back=point in TAKEN_BACK)


@pytest.mark.parametrize("point", sorted(set(WAYS) - {"C27"}))  # C27 lies inside a transaction
def test_a_worker_that_wakes_there_after_another_has_done_its_work_does_no_harm(
    firm: Office, point: str
) -> None:
    delivery = firm.approved()
    WAYS[point](firm, delivery)
    asked_by_the_ghost = 0

    def sleep_too_long() -> None:
        nonlocal asked_by_the_ghost
        finish(firm, delivery)
        asked_by_the_ghost = -len(firm.api_calls())

    with happening_at(point, sleep_too_long):
        filing.deliver(delivery.pk)
    asked_by_the_ghost += len(firm.api_calls())
    delivery.refresh_from_db()
    is_as_it_should_be(firm, delivery, taken_back=point in TAKEN_BACK, litter=point == "C20")
    assert asked_by_the_ghost <= 1


@pytest.mark.parametrize(
    ("point", "nth"), [*(("C23", nth) for nth in range(1, 6)), *(("C27", nth) for nth in range(1, 9))]
)
def test_a_worker_may_die_before_or_after_any_of_its_writes(firm: Office, point: str, nth: int) -> None:
    delivery = firm.approved()
    with dying_at(point, hit=nth), pytest.raises(Died):
        firm.work(delivery)
    finish(firm, delivery)
    is_as_it_should_be(firm, delivery, taken_back=False)


@pytest.mark.parametrize("nth", range(1, 6))
def test_a_standby_that_never_heard_of_the_last_step_files_one_document(firm: Office, nth: int) -> None:
    """The row is as it was before the step, and Clio knows better."""
    delivery = firm.approved()
    before: dict[str, Any] = {}

    def fail_over() -> None:
        if before:
            Delivery.objects.filter(pk=delivery.pk).exclude(state__in=Delivery.FINAL).update(**before)
        raise Died

    def remember(name: str) -> None:
        if name == "C27":
            before.update(Delivery.objects.filter(pk=delivery.pk).values().get())

    with happening_at("C23", fail_over, hit=nth, also=remember), pytest.raises(Died):
        firm.work(delivery)
    finish(firm, delivery)
    is_as_it_should_be(firm, delivery, taken_back=False)


@pytest.mark.parametrize("point", sorted(AT_THE_APPROVAL))
def test_dying_at_the_approval_loses_nothing_that_was_approved(
    firm: Office, django_capture_on_commit_callbacks: Any, point: str
) -> None:
    draft = firm.draft()
    with (
        dying_at(point),
        pytest.raises(Died),
        django_capture_on_commit_callbacks(execute=True),
        transaction.atomic(),
    ):
        factories.approved(draft, by=firm.cast.alice)
    approved = list(Delivery.objects.filter(approval__draft_ref=draft.pk))
    assert len(approved) == (0 if point == "C01" else 1)
    for delivery in approved:
        finish(firm, delivery)
        is_as_it_should_be(firm, delivery, taken_back=False)


def finish(firm: Office, delivery: Delivery) -> None:
    """Workers look until it is over; a person who is asked says: try again."""
    for _ in range(3):
        firm.work_until_done(delivery)
        if delivery.hold != Hold.PERSON:
            break
        deliveries.retry_now(delivery, actor=Actor.user(firm.cast.alice))


def is_as_it_should_be(firm: Office, delivery: Delivery, *, taken_back: bool, litter: bool = False) -> None:
    """The oracle: Clio's ledger, the row and the log say the same."""
    if taken_back:
        assert (delivery.state, firm.visible()) == (State.WITHDRAWN, [])
    else:
        (document,) = firm.visible()
        assert (delivery.state, delivery.clio_document_id) == (State.FILED, document["id"])
        assert document["sha256"] == delivery.approval.sha256 == delivery.sha256_sent
    assert len(firm.unfinished()) == int(litter)
    assert delivery.done_at is not None and delivery.done_at <= timezone.now()
    told = firm.events(delivery)
    assert told.count(Event.DELIVERY_FILED) == int(not taken_back)
    assert told.count(Event.DELIVERY_WITHDRAWN) == int(taken_back)
    assert verify().line.startswith("VALID")
