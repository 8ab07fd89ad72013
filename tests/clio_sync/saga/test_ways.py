"""The real code, at the real sandbox, takes every way of the table and no other."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from clio_sync import claims, deliveries, lifecycle
from clio_sync.models import Delivery
from portal.audit.log import Actor
from tests.cast import Cast
from tests.clio_sync.filing_kit import Died, Office, dying_at, happening_at, office
from tests.clio_sync.test_filing import confirmed_but_forgotten
from tests.sandbox_process import SandboxProcess

State = Delivery.State
CONFIRM, TRANSFER = "documents.update", "storage.put"


@pytest.fixture
def firm(cast: Cast, clio_sandbox: SandboxProcess) -> Office:
    return office(cast, clio_sandbox)


def test_every_way_is_taken_and_no_other(firm: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    walked: set[tuple[str, str]] = set()
    write = claims._write

    def writing(delivery: Delivery, *conditions: Any, **changes: Any) -> None:
        here = delivery.state
        write(delivery, *conditions, **changes)
        if delivery.state != here:
            walked.add((here, delivery.state))

    monkeypatch.setattr(claims, "_write", writing)
    for journey in (
        a_worker_dies_before_the_reservation,
        the_database_forgets_that_it_was_finished,
        the_address_ends_and_there_is_no_other,
        clio_refuses_the_confirmation,
        clio_does_not_find_the_bytes,
        a_person_takes_it_back,
        the_database_is_an_older_one,
    ):
        journey(firm)
    assert walked == {(here, to) for here, ways in lifecycle.EDGES.items() for to in ways}


def test_a_way_that_is_not_in_the_table_is_refused(firm: Office) -> None:
    delivery = claims.claim(firm.approved().pk)
    assert delivery is not None
    with pytest.raises(lifecycle.NoSuchWay):
        claims.move(delivery, to=State.CONFIRMING)
    delivery.refresh_from_db()
    assert delivery.state == State.QUEUED


def a_worker_dies_before_the_reservation(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C05"), pytest.raises(Died):
        firm.work(delivery)
    assert firm.work_until_done(delivery).state == State.FILED


def the_database_forgets_that_it_was_finished(firm: Office) -> None:
    assert firm.work_until_done(confirmed_but_forgotten(firm)).state == State.FILED


def the_address_ends_and_there_is_no_other(firm: Office) -> None:
    firm.clio.switch(put_url_renewed_on_show=False)
    delivery = firm.approved()
    with dying_at("C09"), pytest.raises(Died):
        firm.work(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(put_deadline=timezone.now())
    assert firm.work_until_done(delivery).state == State.FILED
    firm.clio.switch(put_url_renewed_on_show=True)


def clio_refuses_the_confirmation(firm: Office) -> None:
    firm.clio.fault(CONFIRM, "status", status=429)
    assert firm.work_until_done(firm.approved()).state == State.FILED


def clio_does_not_find_the_bytes(firm: Office) -> None:
    firm.clio.fault(TRANSFER, "status", status=200, body="")
    assert firm.work_until_done(firm.approved()).state == State.FILED


def a_person_takes_it_back(firm: Office) -> None:
    for point in ("C04", "C13", "C11"):
        delivery = firm.approved()
        with happening_at(point, lambda: take_back(firm, delivery)):  # noqa: B023 - used at once
            assert firm.work(delivery).state == State.WITHDRAWN


def the_database_is_an_older_one(firm: Office) -> None:
    """It knows the reservation, and neither the transfer nor the confirmation."""
    for wanted_back in (False, True):
        delivery = firm.approved()
        with dying_at("C15"), pytest.raises(Died):
            firm.work(delivery)
        Delivery.objects.filter(pk=delivery.pk).update(state=State.RESERVED, put_deadline=timezone.now())
        firm.later(delivery)
        if wanted_back:
            take_back(firm, delivery)
        assert firm.work_until_done(delivery).state == State.FILED


def take_back(firm: Office, delivery: Delivery) -> None:
    deliveries.take_back(Delivery.objects.get(pk=delivery.pk), actor=Actor.user(firm.cast.alice))
