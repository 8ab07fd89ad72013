from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clio_sync.models import Connection, Delivery
from clio_sync.progress import progress
from reviews.status import of_delivery

State, Hold = Delivery.State, Delivery.Hold
NOW = timezone.now()

WORDS = {
    "filed": "Filed ✓",
    "unconfirmed": "Filed, unconfirmed",
    "withdrawn": "Withdrawn",
    "needs_you": "Needs you",
    "approved": "Approved",
    "filing": "Filing",
}


@pytest.mark.parametrize("state", [state for state in State if state != State.ABANDONING])
@pytest.mark.parametrize("hold", list(Hold))
@pytest.mark.parametrize("leased", [True, False])
@pytest.mark.parametrize("ahead", [-60, 60])
def test_the_chip_and_the_box_say_the_same(
    state: Delivery.State, hold: Delivery.Hold, leased: bool, ahead: int
) -> None:
    """The queue, the API and the box of one delivery are three places and one truth."""
    fields: dict[str, Any] = {
        "lease_until": NOW + timedelta(seconds=30) if leased else None,
        "connection": Connection(),
    }
    delivery = Delivery(state=state, hold=hold, not_before=NOW + timedelta(seconds=ahead), **fields)
    chip, box = of_delivery(delivery, now=NOW), progress(delivery, now=NOW)
    assert box.label.startswith(WORDS[chip.state]), (chip, box.label)
