"""A short believable history, for looking at the pages (python -m tests.screens --seed ...seed:entries)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record
from portal.audit.models import Outcome

DRAFT = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
DELIVERY = UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7")
SHA = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"


@transaction.atomic
def entries() -> None:
    alice, carol, dana = (
        User.objects.get(email=f"{name}@firm.example") for name in ("alice", "carol", "dana")
    )
    draft, delivery = Subject("draft", DRAFT), Subject("delivery", DELIVERY)
    worker = Actor.worker("filing", on_behalf_of=alice.pk)
    record(
        Event.PERSON_SIGNED_IN, actor=Actor.user(dana), subject=Subject("person", dana.pk), method="password"
    )
    record(Event.ROLE_GRANTED, actor=Actor.user(dana), subject=Subject("person", alice.pk), role="reviewer")
    record(
        Event.DRAFT_SUBMITTED,
        actor=Actor.user(carol),
        subject=draft,
        corr=DRAFT,
        texts={"file_name": "Motion to compel.docx"},
        number=1,
        sha256=SHA,
        size=48211,
        media_type="application/pdf",
        matter=1740293,
    )
    record(
        Event.DECISION_DENIED,
        actor=Actor.user(carol),
        subject=draft,
        corr=DRAFT,
        outcome=Outcome.DENIED,
        verdict="approve",
        reason_code="own_work",
    )
    record(
        Event.DRAFT_APPROVED,
        actor=Actor.user(alice),
        subject=draft,
        corr=DRAFT,
        texts={"note": "Checked against the transcript."},
        number=1,
        sha256=SHA,
        undo_until=timezone.now() + timedelta(seconds=30),
    )
    record(Event.DELIVERY_ENQUEUED, actor=Actor.user(alice), subject=delivery, corr=DRAFT, matter=1740293)
    record(
        Event.DELIVERY_RESERVED, actor=worker, subject=delivery, corr=DRAFT, clio_document=88213, attempt=1
    )
    record(Event.DELIVERY_TRANSFERRED, actor=worker, subject=delivery, corr=DRAFT, sha256=SHA, attempt=1)
    record(
        Event.DELIVERY_RETRY_SCHEDULED,
        actor=worker,
        subject=delivery,
        corr=DRAFT,
        outcome=Outcome.ERROR,
        reason="server_trouble",
        status=503,
    )
    record(Event.DELIVERY_FILED, actor=worker, subject=delivery, corr=DRAFT, clio_document=88213, sha256=SHA)
    for _ in range(60):
        record(Event.DRAFT_OPENED, actor=Actor.user(alice), subject=draft, corr=DRAFT, sha256=SHA)
