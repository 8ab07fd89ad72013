"""While the gate is closed nothing is filed, whoever asks."""

from __future__ import annotations

import pytest

from clio_sync import claims, sweeping, tasks
from clio_sync.models import Delivery
from portal import gate
from tests.cast import Cast
from tests.clio_sync.filing_kit import Office, happening_at, office
from tests.sandbox_process import SandboxProcess

State = Delivery.State


@pytest.fixture
def firm(cast: Cast, clio_sandbox: SandboxProcess) -> Office:
    return office(cast, clio_sandbox)


def close() -> None:
    """As an operator does who has nothing but a shell."""
    gate.folder().mkdir(exist_ok=True)
    (gate.folder() / gate.CLOSED).touch()


def test_nothing_is_claimed_rung_for_or_filed(firm: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[object] = []
    monkeypatch.setattr(sweeping, "ring", rung.append)
    delivery = firm.approved()
    close()

    assert claims.claim(delivery.pk) is None
    assert sweeping.sweep() == 0
    tasks.deliver(str(delivery.pk))

    delivery.refresh_from_db()
    assert (delivery.state, delivery.fence, rung, firm.api_calls()) == (State.QUEUED, 0, [], [])


def test_filing_goes_on_by_itself_once_it_is_open(firm: Office) -> None:
    delivery = firm.approved()
    close()
    firm.work(delivery)
    (gate.folder() / gate.CLOSED).unlink()
    assert firm.work(delivery).state == State.FILED
    assert len(firm.visible()) == 1


def test_a_worker_whose_database_is_exchanged_under_its_hands_reserves_nothing(firm: Office) -> None:
    delivery = firm.approved()
    with happening_at("C04", close):
        firm.work(delivery)
    assert delivery.state == State.RESERVING
    assert firm.api_calls() == []
