"""Connections in every state, for looking at their pages (`python -m tests.screens --seed`)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal.accounts.models import User
from tests import factories

LONG_NAME = "Featherstonehaugh, Papadimitriou-Okonkwo & Associates Rechtsanwaltsgesellschaft mbH"


def connections() -> None:
    """A default one, a broken one with waiting work, a lawyer's own, and one that was ended."""
    now = timezone.now()
    alice, carol, dana = (
        User.objects.get(email=f"{name}@firm.example") for name in ("alice", "carol", "dana")
    )
    factories.connection(
        connected_by=dana, is_default=True, expires_at=now + timedelta(days=29), last_call_at=now
    )
    broken = factories.connection(
        connected_by=dana,
        clio_user_id=2,
        region="eu",
        status="needs_reconnecting",
        account_name=LONG_NAME,
        clio_user_name="Maximiliane Featherstonehaugh-Papadimitriou",
        last_call_at=now - timedelta(hours=3),
        last_error="The permission given to the portal in Clio has ended. An admin has to reconnect it.",
        last_error_at=now - timedelta(hours=3),
    )
    for _ in range(3):
        row = factories.draft(submitter=carol, place=factories.destination(broken))
        delivery = factories.approved(row, by=alice)
        type(delivery).objects.filter(pk=delivery.pk).update(hold="connection")
    factories.connection(connected_by=alice, owner=alice, clio_user_id=3, clio_user_name="Alice Brandt")
    factories.connection(
        connected_by=dana, clio_user_id=4, status="disconnected", account_name="Brandt (2024)"
    )
