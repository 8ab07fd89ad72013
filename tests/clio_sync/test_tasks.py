from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.utils import timezone

from clio_sync import bell, sweeping, tasks
from clio_sync.models import Connection, Delivery, RateState
from tests import factories
from tests.cast import Cast
from tests.clio_sync.filing_kit import office
from tests.sandbox_process import SandboxProcess

State, Hold = Delivery.State, Delivery.Hold


@pytest.fixture
def link(cast: Cast) -> Connection:
    return factories.connection(connected_by=cast.dana)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    rung: list[UUID] = []
    monkeypatch.setattr(sweeping, "ring", rung.append)
    return rung


def delivery(cast: Cast, link: Connection, **fields: object) -> Delivery:
    draft = factories.draft(submitter=cast.carol, place=factories.destination(link))
    made = factories.approved(draft, by=cast.alice)
    Delivery.objects.filter(pk=made.pk).update(**fields)
    return made


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def test_the_sweep_rings_for_what_is_due_and_for_nothing_else(
    cast: Cast, link: Connection, rung: list[UUID]
) -> None:
    now = timezone.now()
    due = [
        delivery(cast, link, not_before=now - minutes(9)),
        delivery(cast, link, not_before=now - minutes(8), hold=Hold.RETRY, state=State.RESERVED),
        delivery(
            cast, link, not_before=now - minutes(7), lease_until=now - minutes(1), state=State.RESERVING
        ),
    ]
    delivery(cast, link, not_before=now + minutes(1))
    delivery(cast, link, hold=Hold.PERSON)
    delivery(cast, link, lease_until=now + minutes(1))
    delivery(cast, link, state=State.WITHDRAWN, done_at=now)

    tasks.sweep()

    assert rung == [each.pk for each in (*due[1:], due[0])], "what is begun comes first"


def test_the_sweep_rings_for_no_more_than_the_limit_lets_through(
    cast: Cast, link: Connection, rung: list[UUID], settings: LazySettings
) -> None:
    settings.SWEEP_SECONDS = 5
    RateState.objects.create(connection=link, limit=50)
    for _ in range(12):
        delivery(cast, link)
    assert sweeping.sweep() == 7
    other = factories.connection(connected_by=cast.dana, clio_user_id=7)
    delivery(cast, other)
    assert sweeping.sweep() == 8


def test_the_sweep_costs_the_same_number_of_queries_for_one_delivery_and_for_many(
    cast: Cast, link: Connection, rung: list[UUID], django_assert_max_num_queries: object
) -> None:
    for _ in range(10):
        delivery(cast, link)
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        sweeping.sweep()


def test_the_sweep_resumes_what_waits_for_a_connection_that_works_again(
    cast: Cast, link: Connection, rung: list[UUID]
) -> None:
    parked = delivery(cast, link, hold=Hold.CONNECTION)
    sweeping.sweep()
    assert rung == [parked.pk]


def test_a_message_files_and_a_second_one_does_nothing(cast: Cast, clio_sandbox: SandboxProcess) -> None:
    firm = office(cast, clio_sandbox)
    approved = firm.approved()
    tasks.deliver(str(approved.pk))
    tasks.deliver(str(approved.pk))
    approved.refresh_from_db()
    assert approved.state == State.FILED
    assert firm.api_calls() == ["documents.create", "documents.update"]


def test_the_bell_rings_at_the_task_that_delivers() -> None:
    assert tasks.deliver.name == bell.TASK


def test_sweeps_that_nobody_heard_do_not_pile_up(settings: LazySettings) -> None:
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        if entry["schedule"] == settings.SWEEP_SECONDS:
            assert entry["options"]["expires"] <= entry["schedule"]
