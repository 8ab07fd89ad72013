from __future__ import annotations

import logging
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail

from clio_sync import parking, tending
from clio_sync.models import Connection, Delivery
from portal.accounts import people
from portal.accounts.models import User
from portal.audit.log import Actor
from portal.audit.models import Entry
from tests import factories
from tests.cast import Cast, person
from tests.sandbox_process import ALICE, SandboxProcess

Status = Connection.Status


@pytest.fixture
def link(cast: Cast) -> Connection:
    return factories.connection(connected_by=cast.dana, account_name="Secret Client LLP")


def broken(link: Connection) -> None:
    link.refresh_from_db()
    assert parking.needs_reconnecting(link, reason="grant_revoked")
    tending.tend()


def addressed() -> list[str]:
    return sorted(one for message in mail.outbox for one in message.to)


def test_admins_hear_once_of_each_break(link: Connection, cast: Cast) -> None:
    cast.alice, cast.erin  # noqa: B018 - they are no admins
    person("off", "admin")  # type: ignore[arg-type]
    User.objects.filter(email="off@firm.example").update(is_active=False)
    broken(link)
    tending.tend()
    assert addressed() == ["dana@firm.example"]
    assert "http://localhost/clio/" in mail.outbox[0].body
    assert "Secret" not in f"{mail.outbox[0].subject} {mail.outbox[0].body}"
    Connection.objects.update(status=Status.ACTIVE)
    broken(link)
    assert len(mail.outbox) == 2


def test_a_lawyer_hears_of_their_own_connection_too(cast: Cast) -> None:
    broken(factories.connection(connected_by=cast.alice, owner=cast.alice))
    cast.dana  # noqa: B018 - came later, so is not told
    assert addressed() == ["alice@firm.example"]
    assert "http://localhost/clio/mine/" in mail.outbox[0].body


def test_mail_that_fails_blocks_nothing(
    link: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(**message: object) -> None:
        raise SMTPServerDisconnected("dana@firm.example")

    monkeypatch.setattr(tending, "send_mail", refused)
    with caplog.at_level(logging.WARNING):
        broken(link)
    assert "SMTPServerDisconnected" in caplog.text
    assert "dana@" not in caplog.text
    assert Connection.objects.get().break_told_at is not None


def test_whoever_is_switched_off_no_longer_files_in_their_name(
    cast: Cast, clio_sandbox: SandboxProcess
) -> None:
    own = factories.connection(connected_by=cast.alice, owner=cast.alice, clio_user_id=ALICE)
    factories.tokens_for(own, clio_sandbox)
    firm = factories.connection(connected_by=cast.dana, clio_user_id=1)
    draft = factories.draft(submitter=cast.carol, place=factories.destination(own))
    delivery = factories.approved(draft, by=cast.alice)
    tending.tend()
    assert Connection.objects.get(pk=own.pk).status == Status.ACTIVE

    people.switch_off(cast.alice, reason="Left.", by=cast.dana, actor=Actor.user(cast.dana))
    tending.tend()
    own.refresh_from_db()
    assert own.status == Status.DISCONNECTED
    assert (bytes(own.access_sealed), bytes(own.refresh_sealed)) == (b"", b"")
    assert len(clio_sandbox.calls(route="oauth.deauthorize")) == 1
    assert Delivery.objects.get(pk=delivery.pk).hold == Delivery.Hold.CONNECTION
    assert Connection.objects.get(pk=firm.pk).status == Status.ACTIVE
    told = list(Entry.objects.order_by("seq").values_list("event", flat=True))
    assert told[-3:] == ["person.deactivated", "connection.disconnected", "delivery.parked"]
    tending.tend()
    assert Entry.objects.count() == len(told)
