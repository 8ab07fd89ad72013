from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import DatabaseError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from clio_sync import bell, claims, deliveries
from clio_sync.destinations import Destination
from clio_sync.models import Approval, Connection, Delivery
from portal.audit.events import Event
from portal.audit.log import Actor
from portal.audit.models import Entry
from reviews.models import Draft, Status
from tests import factories
from tests.cast import Cast

State, Hold = Delivery.State, Delivery.Hold


@pytest.fixture
def link(cast: Cast) -> Connection:
    return factories.connection(connected_by=cast.dana)


@pytest.fixture
def draft(cast: Cast, link: Connection) -> Draft:
    return factories.draft(submitter=cast.carol, place=factories.destination(link))


@pytest.fixture
def delivery(cast: Cast, draft: Draft) -> Delivery:
    return factories.approved(draft, by=cast.alice)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long after which each bell would ring."""
    rung: list[float] = []
    monkeypatch.setattr(deliveries, "ring", lambda pk, after=0.0: rung.append(after))
    return rung


def events(delivery: Delivery) -> list[str]:
    found = Entry.objects.filter(object_type="delivery", object_id=str(delivery.pk))
    return [str(event) for event in found.order_by("seq").values_list("event", flat=True)]


def waiting_for_person(delivery: Delivery, **fields: Any) -> Delivery:
    Delivery.objects.filter(pk=delivery.pk).update(hold=Hold.PERSON, problem="refused", attempts=3, **fields)
    delivery.refresh_from_db()
    return delivery


def test_an_approval_becomes_a_delivery_that_waits_for_the_undo_time(cast: Cast, draft: Draft) -> None:
    delivery = factories.approved(draft, by=cast.alice, undo_seconds=30)

    approval = delivery.approval
    assert (delivery.state, delivery.hold) == (State.QUEUED, Hold.NONE)
    assert delivery.not_before == approval.undo_until > timezone.now() + timedelta(seconds=25)
    assert Destination.from_json(approval.destination) == Destination.from_json(draft.destination)
    assert events(delivery) == [Event.DELIVERY_ENQUEUED]
    assert claims.claim(delivery.pk) is None


def test_the_database_refuses_an_approval_that_nobody_decided(cast: Cast, draft: Draft) -> None:
    version = draft.latest_version
    assert version is not None
    with (
        pytest.raises(DatabaseError, match="no approval without an approving decision"),
        transaction.atomic(),
    ):
        deliveries.enqueue(
            draft_ref=draft.pk,
            version_ref=version.pk,
            sha256=version.sha256,
            size=version.size,
            media_type=version.media_type,
            destination=Destination.from_json(draft.destination),
            connection=draft.connection,
            approvers=[],
            approved_by=cast.alice,
            undo_seconds=0,
            actor=Actor.user(cast.alice),
        )
    assert not Approval.objects.exists()
    assert not Delivery.objects.exists()


def test_a_matter_of_one_clio_account_is_never_filed_through_another(
    cast: Cast, draft: Draft, link: Connection
) -> None:
    elsewhere = factories.connection(connected_by=cast.dana, account_id=2)
    with pytest.raises(deliveries.OtherAccount):
        factories.approved(draft, by=cast.alice, link=elsewhere)


def test_a_lawyers_own_connection_to_the_same_account_may_file(cast: Cast, draft: Draft) -> None:
    own = factories.connection(connected_by=cast.alice, owner=cast.alice, clio_user_id=7)
    assert factories.approved(draft, by=cast.alice, link=own).connection == own


@pytest.mark.parametrize(("undo_seconds", "bells"), [(0, [0]), (3, [3]), (30, [])])
def test_the_bell_rings_after_commit_unless_the_sweep_is_soon_enough(
    cast: Cast,
    draft: Draft,
    rung: list[float],
    *,
    django_capture_on_commit_callbacks: Any,
    undo_seconds: int,
    bells: list[float],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        factories.approved(draft, by=cast.alice, undo_seconds=undo_seconds)
        assert rung == []
    assert rung == bells


def test_a_broker_that_is_away_does_not_stop_an_approval(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(current_app, "send_task", away)
    bell.ring(delivery.pk)


def test_undoing_before_the_first_call_frees_the_version_for_another_approval(
    cast: Cast, draft: Draft
) -> None:
    first = factories.approved(draft, by=cast.alice, undo_seconds=30)
    deliveries.undo(first, actor=Actor.user(cast.alice), reason="Wrong annex")

    assert first.state == State.WITHDRAWN
    assert claims.claim(first.pk) is None
    assert events(first) == [Event.DELIVERY_ENQUEUED, Event.DELIVERY_WITHDRAWN]
    assert factories.approved(draft, by=cast.bob).state == State.QUEUED


def test_undoing_while_a_worker_has_it_is_too_late(cast: Cast, delivery: Delivery) -> None:
    assert claims.claim(delivery.pk) is not None
    with pytest.raises(deliveries.TooLate, match="has begun to file it"):
        deliveries.undo(delivery, actor=Actor.user(cast.alice))


def test_undoing_after_a_worker_died_without_a_call_still_works(cast: Cast, delivery: Delivery) -> None:
    ghost = claims.claim(delivery.pk)
    assert ghost is not None
    lease_runs_out(delivery)
    deliveries.undo(delivery, actor=Actor.user(cast.alice))
    with pytest.raises(claims.LostClaim):
        claims.move(ghost, to=State.RESERVING)
    assert Delivery.objects.get(pk=delivery.pk).state == State.WITHDRAWN


def test_undoing_what_is_filed_says_where_it_is(cast: Cast, delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state=State.FILED, clio_document_id=77, done_at=timezone.now()
    )
    with pytest.raises(deliveries.TooLate, match="already filed in Clio, as document 77"):
        deliveries.undo(delivery, actor=Actor.user(cast.alice))


def test_of_many_that_claim_one_gets_it(delivery: Delivery) -> None:
    claimed = [claims.claim(delivery.pk) for _ in range(3)]
    assert [bool(each) for each in claimed] == [True, False, False]


def test_a_claim_can_be_taken_over_when_its_lease_has_run_out(delivery: Delivery) -> None:
    ghost = claims.claim(delivery.pk)
    lease_runs_out(delivery)
    heir = claims.claim(delivery.pk)
    assert ghost is not None
    assert heir is not None
    assert heir.fence == ghost.fence + 1
    with pytest.raises(claims.LostClaim):
        claims.renew(ghost)
    claims.renew(heir)


def test_a_person_sends_a_delivery_on_its_way_again(cast: Cast, delivery: Delivery) -> None:
    waiting_for_person(delivery, state=State.RESERVED, clio_document_id=5)
    deliveries.retry_now(delivery, actor=Actor.user(cast.alice))
    assert (delivery.hold, delivery.attempts, delivery.problem) == (Hold.NONE, 0, "")
    assert claims.claim(delivery.pk) is not None
    assert events(delivery)[-1] == Event.DELIVERY_RETRIED


def test_nobody_hurries_a_delivery_that_moves_by_itself(cast: Cast, delivery: Delivery) -> None:
    for act in (deliveries.retry_now, deliveries.cancel):
        with pytest.raises(deliveries.NothingToDo):
            act(delivery, actor=Actor.user(cast.alice))


def test_cancelling_what_was_never_reserved_withdraws_it_at_once(cast: Cast, delivery: Delivery) -> None:
    waiting_for_person(delivery)
    deliveries.cancel(delivery, actor=Actor.user(cast.alice), reason="Matter is closed")
    assert delivery.state == State.WITHDRAWN
    assert events(delivery)[-1] == Event.DELIVERY_WITHDRAWN


@pytest.mark.parametrize(
    ("stands", "goes_to"),
    [
        ({"state": State.RESERVED, "clio_document_id": 5}, State.RESERVED),
        ({"state": State.CONFIRMING, "clio_document_id": 5}, State.CONFIRMING),
        ({"state": State.RESERVING}, State.RESERVING),
    ],
)
def test_cancelling_what_clio_may_hold_is_left_to_a_worker(
    cast: Cast, delivery: Delivery, stands: dict[str, Any], goes_to: str
) -> None:
    waiting_for_person(delivery, **stands)
    deliveries.cancel(delivery, actor=Actor.user(cast.alice))
    assert (delivery.state, delivery.withdrawing, delivery.hold) == (goes_to, True, Hold.NONE)
    assert events(delivery)[-1] == Event.DELIVERY_CANCELLED


def test_the_database_refuses_a_delivery_of_other_bytes(delivery: Delivery) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(sha256_sent="0" * 64)


def test_a_draft_keeps_pointing_at_its_delivery(draft: Draft, delivery: Delivery) -> None:
    draft.refresh_from_db()
    assert (draft.status, draft.delivery) == (Status.APPROVED, delivery)


def lease_runs_out(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
