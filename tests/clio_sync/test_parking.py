from __future__ import annotations

import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from clio_sync import connections, parking
from clio_sync.models import Approval, Connection, Delivery
from portal.audit.log import Actor
from portal.audit.models import Entry
from portal.audit.verify import State, verify
from reviews.models import Decision, Draft, Status, Version
from tests import factories
from tests.cast import Cast

MANY = 2_000


@pytest.fixture
def link(cast: Cast) -> Connection:
    return factories.connection(connected_by=cast.dana)


def backlog(link: Connection, cast: Cast, *, size: int) -> None:
    """Approved drafts in line, as a day without Clio leaves them; in bulk, past no trigger."""
    place = factories.destination(link).to_json()
    drafts = Draft.objects.bulk_create(
        Draft(
            title=f"Draft {number}",
            status=Status.IN_REVIEW,
            submitter=cast.carol,
            connection=link,
            destination=place,
            matter_id=1,
            matter_number="1",
            media_type="text/plain",
        )
        for number in range(size)
    )
    same = {"sha256": "ab" * 32, "size": 1, "media_type": "text/plain"}
    versions = Version.objects.bulk_create(
        Version(draft=draft, number=1, file_name="a.txt", made_by=cast.carol, **same) for draft in drafts
    )
    newest = Version.objects.filter(draft=OuterRef("pk")).values("pk")[:1]
    Draft.objects.update(latest_version=Subquery(newest))
    Decision.objects.bulk_create(
        Decision(
            version=version,
            sha256=version.sha256,
            reviewer=cast.alice,
            verdict=Decision.Verdict.APPROVE,
            statement_version="1",
        )
        for version in versions
    )
    approvals = Approval.objects.bulk_create(
        Approval(
            draft_ref=version.draft_id,
            version_ref=version.pk,
            connection=link,
            destination=place,
            approvers=[],
            approved_by=cast.alice,
            undo_until=timezone.now(),
            **same,
        )
        for version in versions
    )
    Delivery.objects.bulk_create(
        Delivery(approval=approval, version_ref=approval.version_ref, connection=link)
        for approval in approvals
    )


def told(event: str) -> list[Entry]:
    return list(Entry.objects.filter(event=event).order_by("seq"))


def test_each_of_two_thousand_is_parked_and_resumed_with_an_entry_of_its_own(
    link: Connection, cast: Cast
) -> None:
    backlog(link, cast, size=MANY)
    assert parking.needs_reconnecting(link, reason="grant_revoked")
    assert Delivery.objects.filter(hold=Delivery.Hold.CONNECTION).count() == MANY
    assert told("connection.needs_reconnecting")[0].content["detail"]["parked"] == MANY
    parked = told("delivery.parked")
    every = {str(pk) for pk in Delivery.objects.values_list("pk", flat=True)}
    assert {entry.object_id for entry in parked} == every
    assert len(parked) == MANY
    assert parked[0].content["detail"] == {
        "approval": str(Delivery.objects.get(pk=parked[0].object_id).approval_id),
        "step": "queued",
        "reason": "grant_revoked",
        "connection": str(link.pk),
    }
    assert Counter(entry.corr for entry in parked).most_common(1)[0][1] == 1  # each under its own draft

    Connection.objects.update(status=Connection.Status.ACTIVE)
    assert parking.resume_deliveries(link, by=Actor.user(cast.dana)) == MANY
    assert not Delivery.objects.exclude(hold=Delivery.Hold.NONE).exists()
    resumed = told("delivery.resumed")
    assert {entry.object_id for entry in resumed} == every
    assert {entry.actor_id for entry in resumed} == {str(cast.dana.pk)}
    assert verify().state == State.VALID


def test_what_a_worker_has_is_left_to_the_worker(link: Connection, cast: Cast) -> None:
    backlog(link, cast, size=2)
    held = Delivery.objects.order_by("pk").first()
    assert held is not None
    Delivery.objects.filter(pk=held.pk).update(
        lease_owner="worker", lease_until=timezone.now() + timedelta(minutes=1)
    )
    parking.needs_reconnecting(link, reason="grant_revoked")
    assert Delivery.objects.get(pk=held.pk).hold == Delivery.Hold.NONE
    assert len(told("delivery.parked")) == 1


def test_disconnecting_parks_too_and_another_connection_is_left_alone(link: Connection, cast: Cast) -> None:
    other = factories.connection(connected_by=cast.dana, clio_user_id=7)
    backlog(link, cast, size=2)
    backlog(other, cast, size=1)
    connections.disconnect(link, by=Actor.user(cast.dana))
    assert [entry.content["detail"]["connection"] for entry in told("delivery.parked")] == [str(link.pk)] * 2
    assert parking.resume_deliveries() == 0
    assert Delivery.objects.get(connection=other).hold == Delivery.Hold.NONE


def test_what_is_stopped_between_two_batches_is_finished_by_the_sweep(
    link: Connection, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    backlog(link, cast, size=3)
    monkeypatch.setattr(parking, "BATCH", 1)
    parking.needs_reconnecting(link, reason="grant_revoked")
    Connection.objects.update(status=Connection.Status.ACTIVE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parking, "_in_batches", parking._batch)  # the process ends after the first
        parking.resume_deliveries(link)
    assert len(told("delivery.resumed")) == 1
    assert parking.resume_deliveries() == 2
    assert len(told("delivery.resumed")) == 3


def test_nothing_is_told_when_nothing_waits(link: Connection) -> None:
    assert parking.park_deliveries(link, reason=str(uuid.uuid4())) == 0
    assert parking.resume_deliveries() == 0
    assert not Entry.objects.exists()
