from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clio_sync.models import Approval, Connection, Delivery
from clio_sync.problems import Problem
from clio_sync.progress import progress

State, Hold = Delivery.State, Delivery.Hold

NOW = timezone.now()
LEASED = NOW + timedelta(seconds=100)


def delivery(**fields: Any) -> Delivery:
    plain = {"not_before": NOW - timedelta(minutes=1), "lease_until": LEASED, "connection": Connection()}
    return Delivery(**{**plain, **fields})


@pytest.mark.parametrize(
    ("fields", "step", "label"),
    [
        ({"state": State.QUEUED}, 0, "Filing (1/3)"),
        ({"state": State.RESERVING}, 0, "Filing (1/3)"),
        ({"state": State.RESERVED}, 1, "Filing (2/3)"),
        ({"state": State.TRANSFERRED}, 2, "Filing (3/3)"),
        ({"state": State.CONFIRMING}, 2, "Filing (3/3)"),
        ({"state": State.CONFIRMING, "lease_until": None}, 2, "Filed, unconfirmed"),
        ({"state": State.ABANDONING}, 0, "Filing (1/3)"),
        ({"state": State.ABANDONING, "withdrawing": True}, 0, "Taking back"),
        ({"state": State.FILED}, 3, "Filed ✓"),
        ({"state": State.WITHDRAWN}, 0, "Withdrawn"),
        ({"state": State.RESERVED, "hold": Hold.PERSON, "problem": "refused"}, 1, "Needs you"),
        ({"state": State.RESERVED, "hold": Hold.CONNECTION}, 1, "Needs you"),
        ({"state": State.RESERVED, "hold": Hold.RETRY, "problem": "clio_trouble"}, 1, "Filing (2/3)"),
    ],
)
def test_a_label_never_claims_more_than_is_true(fields: dict[str, Any], step: int, label: str) -> None:
    shown = progress(delivery(**fields), now=NOW)
    assert (shown.step, shown.label) == (step, label)


MB = 1024 * 1024


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"bytes_sent": 84 * MB}, "84 of 130 MB sent"),
        ({"bytes_sent": 0}, "0 of 130 MB sent"),
        ({"bytes_sent": 130 * MB - 2}, "129 of 130 MB sent"),
        ({"bytes_sent": 999 * MB}, "129 of 130 MB sent"),
        ({"bytes_sent": None}, "None"),
        ({"bytes_sent": 84 * MB, "state": State.TRANSFERRED}, "None"),
        ({"bytes_sent": 84 * MB, "hold": Hold.RETRY, "problem": "storage_trouble"}, "None"),
    ],
)
def test_how_much_is_sent_is_told_while_it_is_being_sent(fields: dict[str, Any], told: str) -> None:
    row = {"state": State.RESERVED, "approval": Approval(size=130 * MB - 1), **fields}
    assert str(progress(delivery(**row), now=NOW).sent) == told


def test_an_approval_says_until_when_it_can_be_undone() -> None:
    until = NOW + timedelta(seconds=20)
    shown = progress(delivery(state=State.QUEUED, not_before=until, lease_until=None), now=NOW)
    assert shown.label == f"Approved (undo until {timezone.localtime(until):%H:%M:%S})"
    assert shown.undo_until == until


def test_after_the_first_call_nothing_offers_to_undo() -> None:
    shown = progress(
        delivery(
            state=State.QUEUED,
            hold=Hold.RETRY,
            problem=Problem.UNREACHABLE,
            first_call_at=NOW,
            attempts=1,
            not_before=NOW + timedelta(seconds=20),
        ),
        now=NOW,
    )
    assert shown.undo_until is None
    assert shown.resumes_at is not None


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (State.RESERVED, "The document is not in Clio."),
        (State.CONFIRMING, "Whether the document is in Clio is not yet known."),
    ],
)
def test_a_stopped_delivery_says_whether_the_document_is_in_clio(state: str, says: str) -> None:
    shown = progress(delivery(state=state, hold=Hold.PERSON, problem=Problem.REFUSED), now=NOW)
    assert says in shown.sentence


def test_a_waiting_delivery_says_when_it_goes_on() -> None:
    soon = delivery(
        state=State.RESERVED,
        hold=Hold.RETRY,
        problem=Problem.CLIO_TROUBLE,
        not_before=NOW + timedelta(seconds=30),
    )
    assert progress(soon, now=NOW).sentence.endswith("It goes on within a minute.")
    later = NOW + timedelta(minutes=5)
    soon.not_before = later
    assert f"{timezone.localtime(later):%H:%M} UTC" in progress(soon, now=NOW).sentence


def test_a_delivery_that_moves_needs_no_explanation() -> None:
    shown = progress(delivery(state=State.RESERVED), now=NOW)
    assert (shown.sentence, shown.problem) == ("", None)
