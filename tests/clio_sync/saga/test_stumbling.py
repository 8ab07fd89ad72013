"""Errors of our own, a database that refuses, and rows that kill workers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import OperationalError

from clio_sync import claims, deliveries, problems
from clio_sync.clock import database_now
from clio_sync.filing.work import Work
from clio_sync.models import Delivery
from clio_sync.problems import Actor as Who
from clio_sync.problems import Problem
from portal import blobs
from portal.audit.events import Event
from portal.audit.log import Actor
from tests.cast import Cast
from tests.clio_sync.filing_kit import Died, Office, dying_at, happening_at, office
from tests.clio_sync.test_filing import is_filed_once
from tests.sandbox_process import SandboxProcess

State, Hold = Delivery.State, Delivery.Hold
CONFIRM, RESERVE = "documents.update", "documents.create"
SECRET = "https://storage.example/?X-Amz-Signature=0f3e5c for Okafor v. Brandt"


@pytest.fixture
def firm(cast: Cast, clio_sandbox: SandboxProcess) -> Office:
    return office(cast, clio_sandbox)


def a_bug(*arguments: Any, **options: Any) -> Any:
    raise ValueError(SECRET)


def test_a_bug_is_logged_without_its_words_and_tried_again_later(
    firm: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = firm.approved()
    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        broken.setattr(blobs, "open_blob", a_bug)
        firm.work(delivery)
    assert (delivery.state, delivery.hold, delivery.problem) == (
        State.RESERVED,
        Hold.RETRY,
        Problem.UNEXPECTED,
    )
    assert (delivery.lease_until, delivery.attempts) == (None, 0)
    assert "ValueError" in caplog.text
    assert "transferring.py" in caplog.text
    assert SECRET not in caplog.text and "Okafor" not in caplog.text
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_a_bug_that_stays_ends_with_a_person_after_growing_pauses(
    firm: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery, pauses = firm.approved(), []
    with monkeypatch.context() as broken:
        broken.setattr(Work, "require_approved", a_bug)
        for _ in range(claims.MOST_UNENDED):
            firm.later(delivery)
            began = database_now()
            firm.work(delivery)
            pauses.append((delivery.not_before - began).total_seconds())
        assert delivery.hold == Hold.PERSON
        assert pauses[0] < pauses[2] < pauses[-1]
        firm.later(delivery)
        assert claims.claim(delivery.pk) is None
    told = problems.explain(delivery)
    assert told is not None
    assert (told.who, told.button) == (Who.ADMIN, "retry")
    assert firm.api_calls() == [RESERVE]

    deliveries.retry_now(delivery, actor=Actor.user(firm.cast.dana))
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


@pytest.mark.parametrize("point", ["C04", "C20", "C10", "C21"])
def test_a_delivery_that_kills_worker_after_worker_ends_with_a_person(firm: Office, point: str) -> None:
    delivery = firm.approved()
    with dying_at(point, always=True):
        for _ in range(4 * claims.MOST_UNENDED):
            firm.later(delivery)
            with suppress(Died):
                firm.work(delivery)
            if delivery.hold == Hold.PERSON:
                break
    calls = len(firm.api_calls())
    delivery.refresh_from_db()
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.UNEXPECTED)
    assert firm.events(delivery)[-1] == Event.DELIVERY_NEEDS_PERSON
    firm.later(delivery)
    firm.work(delivery)
    assert len(firm.api_calls()) == calls

    deliveries.retry_now(delivery, actor=Actor.user(firm.cast.dana))
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


@pytest.mark.parametrize("times", range(1, 9))
def test_when_a_write_fails_no_call_follows_it(firm: Office, times: int) -> None:
    """The disk is full, the database is away: from this write on."""
    delivery = firm.approved()
    calls_then = -1

    def full() -> None:
        nonlocal calls_then
        calls_then = len(firm.clio.calls(since=firm.since))
        raise OperationalError("database or disk is full")

    with happening_at("C27", full, hit=times):
        firm.work(delivery)
    assert calls_then == len(firm.clio.calls(since=firm.since))
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)
    assert firm.unfinished() == []


def test_a_database_that_stays_away_leaves_the_row_to_the_end_of_its_lease(
    firm: Office, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = firm.approved()
    away = failing_from(3)
    with happening_at("C27", lambda: None, also=away):
        firm.work(delivery)
    assert delivery.lease_until is not None
    assert "could not be set down" in caplog.text
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_a_step_that_was_committed_although_it_seemed_to_fail_is_not_undone(firm: Office) -> None:
    """The answer to COMMIT may be lost as well as any other."""
    delivery = firm.approved()

    def lost() -> None:
        raise OperationalError("server closed the connection unexpectedly")

    for hit in (2, 3, 4, 5):  # after each step of one and the same delivery
        with happening_at("C23", lost, hit=hit if hit < 3 else 1):
            firm.later(delivery)
            firm.work(delivery)
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)
    assert firm.events(delivery).count(Event.DELIVERY_RESERVED) == 1


def test_waiting_for_the_limit_is_no_stumble(firm: Office) -> None:
    delivery = firm.approved()
    firm.clio.fault(RESERVE, "status", status=429, count=claims.MOST_UNENDED + 3)
    for _ in range(claims.MOST_UNENDED + 3):
        firm.later(delivery)
        firm.work(delivery)
        assert (delivery.hold, delivery.unended_claims) == (Hold.LIMIT, 0)
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def failing_from(nth: int) -> Callable[[str], None]:
    written = 0

    def write(name: str) -> None:
        nonlocal written
        written += name == "C27"
        if name == "C27" and written >= nth:
            raise OperationalError("connection refused")

    return write
