"""A reviewer takes a delivery back while it is being filed, at every moment there is."""

from __future__ import annotations

from typing import Final

import pytest

from clio_sync import deliveries, filing
from clio_sync.models import Connection, Delivery
from clio_sync.progress import can_take_back, progress
from portal.audit.events import Event
from portal.audit.log import Actor
from tests.cast import Cast
from tests.clio_sync.filing_kit import Died, Office, dying_at, happening_at, office
from tests.clio_sync.test_filing import is_filed_once, reconnect
from tests.sandbox_process import SandboxProcess

State, Hold = Delivery.State, Delivery.Hold

RESERVE, CONFIRM, TRANSFER = "documents.create", "documents.update", "storage.put"
SHOW, REMOVE = "documents.show", "documents.destroy"

# Where the worker is when the reviewer presses the button, and what it asks of Clio's API in the end.
IN_TIME: Final = {
    "C04": [],
    "C05": [],
    "C20": [RESERVE, SHOW, REMOVE, SHOW],
    "C07": [RESERVE, SHOW, REMOVE, SHOW],
    "C09": [RESERVE, SHOW, REMOVE, SHOW],
    "C10": [RESERVE, SHOW, REMOVE, SHOW],
    "C11": [RESERVE, SHOW, REMOVE, SHOW],
    "C13": [RESERVE, SHOW, SHOW, REMOVE, SHOW],
}
TOO_LATE: Final = ("C21", "C15")


@pytest.fixture
def firm(cast: Cast, clio_sandbox: SandboxProcess) -> Office:
    return office(cast, clio_sandbox)


def take_back(firm: Office, delivery: Delivery) -> None:
    deliveries.take_back(Delivery.objects.get(pk=delivery.pk), actor=Actor.user(firm.cast.bob))


@pytest.mark.parametrize("point", IN_TIME)
def test_the_worker_that_has_it_heeds_the_wish_before_its_next_call(firm: Office, point: str) -> None:
    delivery = firm.approved()
    with happening_at(point, lambda: take_back(firm, delivery)):
        firm.work(delivery)

    assert (delivery.state, firm.visible(), firm.unfinished()) == (State.WITHDRAWN, [], [])
    assert [REMOVE if call == "documents.trash" else call for call in firm.api_calls()] == IN_TIME[point]
    told = firm.events(delivery)
    assert told.index(Event.DELIVERY_CANCELLED) < told.index(Event.DELIVERY_WITHDRAWN)


@pytest.mark.parametrize("point", TOO_LATE)
def test_once_the_confirmation_is_on_its_way_it_ends_as_filed_and_says_so(firm: Office, point: str) -> None:
    delivery = firm.approved()
    with happening_at(point, lambda: take_back(firm, delivery)):
        firm.work(delivery)

    assert is_filed_once(firm, delivery)
    assert "called back too late" in progress(delivery).taking_back
    with pytest.raises(deliveries.TooLate, match=f"filed in Clio, as document {delivery.clio_document_id}"):
        take_back(firm, delivery)


@pytest.mark.parametrize("point", [*IN_TIME, *TOO_LATE])
def test_the_next_worker_heeds_the_wish_when_the_last_one_died(firm: Office, point: str) -> None:
    delivery = firm.approved()
    with dying_at(point), pytest.raises(Died):
        firm.work(delivery)
    take_back(firm, delivery)
    firm.work_until_done(delivery)

    if point == "C15":
        assert is_filed_once(firm, delivery)
    else:
        assert (delivery.state, firm.visible(), firm.unfinished()) == (State.WITHDRAWN, [], [])
    if point != "C21":
        assert firm.api_calls().count(CONFIRM) == int(point == "C15")


@pytest.mark.parametrize("route", [RESERVE, CONFIRM])
@pytest.mark.parametrize("kind", ["lose_before", "lose_after"])
def test_an_answer_that_was_lost_is_looked_for_first(firm: Office, route: str, kind: str) -> None:
    delivery = firm.approved()
    firm.clio.fault(route, kind)
    firm.work(delivery)
    take_back(firm, delivery)
    assert delivery.state in {State.RESERVING, State.CONFIRMING}
    firm.work_until_done(delivery)

    if (route, kind) == (CONFIRM, "lose_after"):
        assert is_filed_once(firm, delivery)
    else:
        assert (delivery.state, firm.visible(), firm.unfinished()) == (State.WITHDRAWN, [], [])


@pytest.mark.parametrize("confirm_trashed", [False, True])
@pytest.mark.parametrize("show_trashed", [False, True])
def test_a_ghost_that_still_holds_a_confirmation_makes_nothing_visible(
    firm: Office, confirm_trashed: bool, show_trashed: bool
) -> None:
    firm.clio.switch(confirm_trashed=confirm_trashed, show_trashed=show_trashed)
    delivery = firm.approved()

    def sleep_while_it_is_taken_back() -> None:
        take_back(firm, delivery)
        firm.work_until_done(delivery)
        assert delivery.state == State.WITHDRAWN

    with happening_at("C21", sleep_while_it_is_taken_back):
        filing.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, firm.visible()) == (State.WITHDRAWN, [])


def test_waiting_in_line_it_is_withdrawn_at_once_whatever_it_waits_for(firm: Office) -> None:
    for hold in (Hold.NONE, Hold.LIMIT, Hold.RETRY, Hold.CONNECTION, Hold.PERSON):
        delivery = firm.approved(f"{hold}".encode())
        Delivery.objects.filter(pk=delivery.pk).update(hold=hold)
        take_back(firm, delivery)
        delivery.refresh_from_db()
        assert delivery.state == State.WITHDRAWN
    assert firm.api_calls() == []


def test_without_its_connection_it_is_taken_back_once_that_works_again(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C13"), pytest.raises(Died):
        firm.work(delivery)
    firm.later(delivery)
    Connection.objects.update(status=Connection.Status.NEEDS_RECONNECTING)
    firm.work(delivery)
    take_back(firm, delivery)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.hold) == (State.TRANSFERRED, Hold.CONNECTION)
    assert "as soon as the connection works again" in progress(delivery).taking_back

    reconnect(firm)
    firm.work_until_done(delivery)
    assert (delivery.state, firm.visible(), firm.unfinished()) == (State.WITHDRAWN, [], [])


def test_a_connection_that_breaks_meanwhile_does_not_keep_what_clio_never_knew(firm: Office) -> None:
    delivery = firm.approved()

    def break_and_take_back() -> None:
        Connection.objects.update(status=Connection.Status.NEEDS_RECONNECTING)
        take_back(firm, delivery)
        raise Died

    with happening_at("C04", break_and_take_back), pytest.raises(Died):
        firm.work(delivery)
    firm.work_until_done(delivery)
    assert (delivery.state, firm.api_calls()) == (State.WITHDRAWN, [])


def test_a_new_version_that_is_called_back_leaves_the_document_as_it_was(firm: Office) -> None:
    original = firm.work(firm.approved(b"first"))
    revised = firm.approved(b"second", document_id=original.clio_document_id)
    with happening_at("C09", lambda: take_back(firm, revised)):
        firm.work(revised)
    assert revised.state == State.WITHDRAWN
    (document,) = firm.visible()
    assert document["sha256"] == original.approval.sha256


def test_calling_back_twice_is_told_and_logged_once(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C09"), pytest.raises(Died):
        firm.work(delivery)
    take_back(firm, delivery)
    delivery.refresh_from_db()
    assert not can_take_back(delivery)
    with pytest.raises(deliveries.TooLate, match="being taken back already"):
        take_back(firm, delivery)
    assert firm.events(delivery).count(Event.DELIVERY_CANCELLED) == 1


def test_an_approval_after_taking_back_is_filed(firm: Office) -> None:
    delivery = firm.approved()
    with happening_at("C13", lambda: take_back(firm, delivery)):
        firm.work(delivery)
    again = firm.work(firm.approved())
    assert is_filed_once(firm, again)
