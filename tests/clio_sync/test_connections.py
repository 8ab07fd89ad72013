from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from clio_sync import connections, tokens
from clio_sync.errors import BadDestination
from clio_sync.models import Connection, Delivery
from portal.accounts.models import User
from portal.audit.log import Actor
from portal.audit.models import Entry, TextSecret
from tests import factories
from tests.cast import Cast
from tests.clio_sync.consenting import at_clio, come_back, connect, state_of, way_back
from tests.sandbox_process import ALICE, BOB, SandboxProcess

SignIn = Callable[[User], Client]
SYSTEM = Actor.system("test")


@pytest.fixture
def dana(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.dana)


@pytest.fixture
def link(dana: Client, clio_sandbox: SandboxProcess) -> Connection:
    return connect(dana, clio_sandbox)


def detail(event: str) -> dict[str, Any]:
    entry = Entry.objects.filter(event=event).latest("seq")
    return {**entry.content["detail"], "outcome": entry.outcome}


def test_a_connection_that_works_says_who_it_is(link: Connection) -> None:
    reply = connections.test_connection(link, by=SYSTEM)
    assert reply.ok
    assert link.clio_user_name in reply.sentence
    assert detail("connection.tested")["result"] == "ok"


def test_a_connection_that_was_revoked_says_so(link: Connection, clio_sandbox: SandboxProcess) -> None:
    clio_sandbox.act("revoke_grant")
    reply = connections.test_connection(link, by=SYSTEM)
    assert not reply.ok
    assert "reconnect" in reply.sentence
    assert detail("connection.tested")["outcome"] == "error"
    link.refresh_from_db()
    assert link.status == Connection.Status.NEEDS_RECONNECTING


def test_a_connection_that_answers_for_another_account_does_not_pass(link: Connection) -> None:
    Connection.objects.update(account_id=4711)
    link.refresh_from_db()
    reply = connections.test_connection(link, by=SYSTEM)
    assert not reply.ok
    assert "another account" in reply.sentence


def test_disconnecting_ends_the_access_at_clio_and_forgets_the_tokens(
    link: Connection, clio_sandbox: SandboxProcess
) -> None:
    assert connections.disconnect(link, by=SYSTEM)
    (call,) = clio_sandbox.calls(route="oauth.deauthorize")
    assert call["status"] == 200
    row = Connection.objects.get()
    assert row.status == Connection.Status.DISCONNECTED
    assert (bytes(row.access_sealed), bytes(row.refresh_sealed), row.expires_at) == (b"", b"", None)
    assert not row.is_default
    assert detail("connection.disconnected")["revoked_at_clio"] is True


def test_disconnecting_forgets_the_tokens_even_if_clio_does_not_answer(
    link: Connection, clio_sandbox: SandboxProcess
) -> None:
    clio_sandbox.fault("oauth.deauthorize", "lose_before", count=None)
    assert not connections.disconnect(link, by=SYSTEM)
    assert bytes(Connection.objects.get().refresh_sealed) == b""
    assert detail("connection.disconnected")["revoked_at_clio"] is False


def test_disconnecting_what_clio_had_ended_is_an_end_too(
    link: Connection, clio_sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "SECOND_LOOK", 0.01)
    clio_sandbox.act("revoke_grant")
    connections.test_connection(link, by=SYSTEM)
    link.refresh_from_db()
    assert connections.disconnect(link, by=SYSTEM)


def test_disconnecting_parks_what_was_to_go_through_it(link: Connection, cast: Cast) -> None:
    row = factories.draft(submitter=cast.carol, place=factories.destination(link))
    delivery = factories.approved(row, by=cast.alice)
    connections.disconnect(link, by=SYSTEM)
    assert Delivery.objects.get(pk=delivery.pk).hold == Delivery.Hold.CONNECTION
    assert detail("connection.disconnected")["parked"] == 1


def test_disconnecting_twice_happens_once(link: Connection) -> None:
    for _ in range(2):
        connections.disconnect(Connection.objects.get(), by=SYSTEM)
    assert Entry.objects.filter(event="connection.disconnected").count() == 1


def test_there_is_one_default(link: Connection, dana: Client, clio_sandbox: SandboxProcess) -> None:
    other = connect(dana, clio_sandbox, user_id=BOB)
    connections.make_default(other, by=SYSTEM)
    assert connections.default() == other
    assert detail("connection.made_default")["previous"] == str(link.pk)


@pytest.mark.parametrize("status", ["needs_reconnecting", "disconnected"])
def test_a_broken_connection_cannot_be_the_default(status: str, cast: Cast) -> None:
    broken = factories.connection(connected_by=cast.dana, status=status)
    with pytest.raises(BadDestination):
        connections.make_default(broken, by=SYSTEM)


def test_a_lawyers_own_connection_cannot_be_the_default(cast: Cast) -> None:
    own = factories.connection(connected_by=cast.alice, owner=cast.alice)
    with pytest.raises(BadDestination):
        connections.make_default(own, by=SYSTEM)


def test_a_lawyer_files_in_their_own_name_when_their_connection_is_to_the_same_account(cast: Cast) -> None:
    firm = factories.connection(connected_by=cast.dana)
    place = factories.destination(firm)
    assert connections.choose_connection(cast.alice, place) == firm
    elsewhere: list[dict[str, Any]] = [{"account_id": 2}, {"region": "us"}, {"status": "needs_reconnecting"}]
    for number, fields in enumerate(elsewhere):
        factories.connection(connected_by=cast.alice, owner=cast.alice, clio_user_id=number + 1, **fields)
    assert connections.choose_connection(cast.alice, place) == firm
    own = factories.connection(connected_by=cast.alice, owner=cast.alice, clio_user_id=9)
    assert connections.choose_connection(cast.alice, place) == own
    assert connections.choose_connection(cast.bob, place) == firm


def test_a_draft_for_an_ended_connection_is_not_sent_another_way(cast: Cast) -> None:
    ended = factories.connection(connected_by=cast.dana, status="disconnected")
    factories.connection(connected_by=cast.alice, owner=cast.alice, clio_user_id=9)
    with pytest.raises(BadDestination):
        connections.choose_connection(cast.alice, factories.destination(ended))


def test_no_secret_shows_anywhere_on_the_whole_way(
    dana: Client, clio_sandbox: SandboxProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """Tokens, code, state and app secret: not in logs, pages, messages, rows, entries or representations."""
    caplog.set_level(logging.DEBUG)
    page = at_clio(dana)
    query = way_back(clio_sandbox, page)
    come_back(dana, query)
    link = Connection.objects.get()
    first = tokens.access_of(link)
    clio_sandbox.act("expire_tokens")
    connections.test_connection(link, by=SYSTEM)
    link.refresh_from_db()
    secrets = [first.reveal(), tokens.access_of(link).reveal(), query["code"], state_of(page)]
    clio_sandbox.act("revoke_grant")
    shown = [dana.get("/clio/").content.decode()]
    clio_sandbox.fault("oauth.token", "status", status=500, body={"error": secrets[0]})
    shown += [connections.test_connection(link, by=SYSTEM).sentence, dana.get("/clio/").content.decode()]
    shown += [caplog.text, repr(vars(Connection.objects.get())), repr(link), str(link)]
    shown += [entry.exact_bytes.decode() for entry in Entry.objects.all()]
    shown += [repr(text.value) for text in TextSecret.objects.all()]
    for secret in secrets:
        assert len(secret) > 20
        assert not [text[:200] for text in shown if secret in text]
    assert "sandbox-secret" not in "".join(shown)
    assert first != tokens.access_of(link)
    assert link.clio_user_id == ALICE
