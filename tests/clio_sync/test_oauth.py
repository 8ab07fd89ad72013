from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from clio_sync import tokens
from clio_sync.models import Connection, Delivery, OAuthState
from portal.accounts.models import Role, RoleGrant, User
from portal.audit.models import Entry
from tests import factories
from tests.cast import PASSWORD, Cast
from tests.clio_sync.consenting import at_clio, come_back, connect, state_of, way_back
from tests.sandbox_process import ALICE, BOB, SandboxProcess

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture
def dana(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.dana)


def events() -> list[str]:
    return [entry.event for entry in Entry.objects.order_by("seq") if entry.event.startswith("connection.")]


def last(event: str) -> dict[str, Any]:
    entry = Entry.objects.filter(event=event).latest("seq")
    return {**entry.content["detail"], "outcome": entry.outcome}


def test_connecting_the_first_account_makes_it_the_default(
    dana: Client, cast: Cast, clio_sandbox: SandboxProcess
) -> None:
    connection = connect(dana, clio_sandbox)
    assert connection.status == Connection.Status.ACTIVE
    assert connection.is_default
    assert connection.owner is None
    assert connection.connected_by == cast.dana
    assert connection.clio_user_id == ALICE
    assert connection.account_name
    assert connection.expires_at
    assert connection.expires_at > timezone.now() + timedelta(days=29)
    assert events() == ["connection.connect_started", "connection.connected"]
    assert last("connection.connected")["is_default"] is True


def test_the_second_account_is_not_the_default(dana: Client, clio_sandbox: SandboxProcess) -> None:
    first = connect(dana, clio_sandbox)
    second = connect(dana, clio_sandbox, user_id=BOB)
    first.refresh_from_db()
    assert (first.is_default, second.is_default) == (True, False)


def test_the_tokens_are_stored_sealed_only(dana: Client, clio_sandbox: SandboxProcess) -> None:
    connection = connect(dana, clio_sandbox)
    held = vars(Connection.objects.get(pk=connection.pk))
    assert len(connection.access_sealed) > 60
    assert len(connection.refresh_sealed) > 60
    plain = tokens.access_of(connection).reveal()
    assert plain not in repr(held)
    assert plain.encode() not in bytes(connection.access_sealed)


def test_only_a_digest_of_the_state_is_stored(dana: Client, clio_sandbox: SandboxProcess) -> None:
    value = state_of(at_clio(dana))
    assert len(value) >= 43
    assert value not in repr(OAuthState.objects.values_list())
    assert value not in "".join(entry.exact_bytes.decode() for entry in Entry.objects.all())


def test_declining_at_clio_changes_nothing_and_says_so(dana: Client, clio_sandbox: SandboxProcess) -> None:
    answer = come_back(dana, way_back(clio_sandbox, at_clio(dana), decision="decline"))
    assert answer.status_code == 200
    assert "You declined at Clio" in answer.content.decode()
    assert not Connection.objects.exists()
    assert events() == ["connection.connect_started", "connection.declined"]


def test_declining_uses_the_state_up(dana: Client, clio_sandbox: SandboxProcess) -> None:
    page = at_clio(dana)
    come_back(dana, way_back(clio_sandbox, page, decision="decline"))
    answer = come_back(dana, way_back(clio_sandbox, page))
    assert answer.status_code == 400
    assert not Connection.objects.exists()


# What an attacker may try with the state


def replayed(dana: Client, cast: Cast, query: dict[str, str]) -> Client:
    come_back(dana, query)
    Connection.objects.all().delete()
    return dana


def by_another_person(dana: Client, cast: Cast, query: dict[str, str]) -> Client:
    RoleGrant.objects.create(user=cast.erin, role=Role.ADMIN)
    return signed_in(cast.erin)


def by_the_same_person_elsewhere(dana: Client, cast: Cast, query: dict[str, str]) -> Client:
    return signed_in(cast.dana)


def eleven_minutes_later(dana: Client, cast: Cast, query: dict[str, str]) -> Client:
    OAuthState.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    return dana


def with_a_changed_state(dana: Client, cast: Cast, query: dict[str, str]) -> Client:
    query["state"] = query["state"][:-1] + ("A" if query["state"][-1] != "A" else "B")
    return dana


def without_a_state(dana: Client, cast: Cast, query: dict[str, str]) -> Client:
    del query["state"]
    return dana


def with_the_stored_digest(dana: Client, cast: Cast, query: dict[str, str]) -> Client:
    query["state"] = OAuthState.objects.get().digest
    return dana


def signed_in(user: User) -> Client:
    browser = Client()
    browser.post("/account/login/", {"login": user.email, "password": PASSWORD})
    return browser


Case = tuple[Callable[[Client, Cast, dict[str, str]], Client], str, str]
ATTACKS: list[Case] = [
    (replayed, "state_used", "already used"),
    (by_another_person, "state_other_person", "Somebody else"),
    (by_the_same_person_elsewhere, "state_other_session", "another browser"),
    (eleven_minutes_later, "state_expired", "ten minutes"),
    (with_a_changed_state, "state_unknown", "does not belong"),
    (without_a_state, "state_unknown", "does not belong"),
    (with_the_stored_digest, "state_unknown", "does not belong"),
]


@pytest.mark.parametrize("case", ATTACKS, ids=[case[0].__name__ for case in ATTACKS])
def test_a_state_that_is_not_this_persons_to_use_now_connects_nothing(
    case: Case, dana: Client, cast: Cast, clio_sandbox: SandboxProcess
) -> None:
    attack, reason, words = case
    query = way_back(clio_sandbox, at_clio(dana))
    browser = attack(dana, cast, query)
    exchanges = len(clio_sandbox.calls(route="oauth.token"))
    answer = come_back(browser, query)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Connection.objects.exists()
    assert len(clio_sandbox.calls(route="oauth.token")) == exchanges
    assert last("connection.failed") | {"region": ""} == {
        "reason": reason,
        "region": "",
        "status": None,
        "outcome": "denied",
    }


def test_nothing_in_the_way_back_chooses_the_region_or_the_connection(
    dana: Client, cast: Cast, clio_sandbox: SandboxProcess
) -> None:
    victim = factories.connection(connected_by=cast.dana, account_id=99, region="us")
    query = way_back(clio_sandbox, at_clio(dana))
    come_back(dana, {**query, "region": "us", "reconnect": str(victim.pk), "connection": str(victim.pk)})
    victim.refresh_from_db()
    assert (victim.account_id, victim.token_version) == (99, 0)
    assert Connection.objects.exclude(pk=victim.pk).get().region == "sandbox"


def test_a_code_that_clio_does_not_know_connects_nothing(dana: Client, clio_sandbox: SandboxProcess) -> None:
    query = way_back(clio_sandbox, at_clio(dana))
    answer = come_back(dana, {**query, "code": "canary-c03d-code"})
    assert answer.status_code == 409
    assert "no longer accepts the code" in answer.content.decode()
    assert not Connection.objects.exists()
    assert last("connection.failed")["reason"] == "code_refused"


def test_an_answer_without_a_code_connects_nothing(dana: Client, clio_sandbox: SandboxProcess) -> None:
    state = state_of(at_clio(dana))
    answer = come_back(dana, {"state": state, "error": "server_error<script>"})
    assert answer.status_code == 400
    assert "script>" not in answer.content.decode().split("<main")[1].split("</main")[0]
    assert last("connection.failed")["reason"] == "no_code"


def test_losing_the_role_at_clio_connects_nothing(
    dana: Client, cast: Cast, clio_sandbox: SandboxProcess
) -> None:
    query = way_back(clio_sandbox, at_clio(dana))
    RoleGrant.objects.filter(user=cast.dana).update(role=Role.REVIEWER)
    assert come_back(dana, query).status_code == 403
    assert not Connection.objects.exists()


def test_clio_in_trouble_is_told_and_the_grant_is_given_back(
    dana: Client, clio_sandbox: SandboxProcess
) -> None:
    clio_sandbox.fault("users.who_am_i", "status", status=503)
    answer = come_back(dana, way_back(clio_sandbox, at_clio(dana)))
    assert answer.status_code == 409
    assert "Clio has trouble on its side" in answer.content.decode()
    assert not Connection.objects.exists()
    assert len(clio_sandbox.calls(route="oauth.deauthorize", status=200)) == 1
    assert last("connection.failed")["status"] == 503


# Mending


@pytest.fixture
def broken(dana: Client, clio_sandbox: SandboxProcess) -> Connection:
    connection = connect(dana, clio_sandbox)
    connection.status = Connection.Status.NEEDS_RECONNECTING
    connection.save()
    return connection


def reconnect(
    browser: Client, sandbox: SandboxProcess, connection: Connection, *, user_id: int = ALICE
) -> Any:
    page = at_clio(browser, start=f"/clio/{connection.pk}/reconnect/")
    return come_back(browser, way_back(sandbox, page, user_id=user_id))


def test_reconnecting_mends_the_connection_in_place(
    dana: Client, broken: Connection, clio_sandbox: SandboxProcess
) -> None:
    answer = reconnect(dana, clio_sandbox, broken)
    assert answer.status_code == 302
    mended = Connection.objects.get()
    assert mended.pk == broken.pk
    assert mended.status == Connection.Status.ACTIVE
    assert mended.token_version == broken.token_version + 1
    assert mended.is_default
    assert "connection.reconnected" in events()


def test_reconnecting_lets_waiting_deliveries_go_on_but_not_before_their_undo_is_over(
    dana: Client, cast: Cast, broken: Connection, clio_sandbox: SandboxProcess
) -> None:
    deliveries = [
        factories.approved(
            factories.draft(submitter=cast.carol, place=factories.destination(broken)),
            by=cast.alice,
            undo_seconds=seconds,
        )
        for seconds in (0, 600)
    ]
    later = timezone.now() + timedelta(hours=9)
    Delivery.objects.update(hold=Delivery.Hold.CONNECTION, not_before=later)
    reconnect(dana, clio_sandbox, broken)
    due, undoable = [Delivery.objects.get(pk=one.pk) for one in deliveries]
    assert (due.hold, undoable.hold) == ("", "")
    assert due.not_before <= timezone.now()
    assert undoable.not_before == undoable.approval.undo_until
    assert last("connection.reconnected")["resumed"] == 2


def test_reconnecting_to_another_account_is_refused_and_its_grant_given_back(
    dana: Client, broken: Connection, clio_sandbox: SandboxProcess
) -> None:
    Connection.objects.update(account_id=4711, account_name="Another Firm LLP")
    before = Connection.objects.values().get()
    answer = reconnect(dana, clio_sandbox, broken)
    assert answer.status_code == 409
    assert "belongs to Another Firm LLP" in answer.content.decode()
    assert Connection.objects.values().get() == before
    assert len(clio_sandbox.calls(route="oauth.deauthorize", status=200)) == 1
    assert last("connection.account_mismatch_refused")["expected_account"] == "4711"
    assert last("connection.account_mismatch_refused")["outcome"] == "denied"


def test_a_refused_reconnect_does_not_end_the_grant_of_another_connection(
    dana: Client, cast: Cast, broken: Connection, clio_sandbox: SandboxProcess
) -> None:
    other = factories.connection(connected_by=cast.dana, account_id=4711, account_name="Another Firm LLP")
    reconnect(dana, clio_sandbox, other)
    assert not clio_sandbox.calls(route="oauth.deauthorize")


def test_connecting_a_clio_user_again_renews_that_connection(
    dana: Client, broken: Connection, clio_sandbox: SandboxProcess
) -> None:
    again = connect(dana, clio_sandbox)
    assert again.pk == broken.pk
    assert again.status == Connection.Status.ACTIVE


def test_a_disconnected_account_can_be_connected_again(dana: Client, clio_sandbox: SandboxProcess) -> None:
    connection = connect(dana, clio_sandbox)
    dana.post(f"/clio/{connection.pk}/disconnect/")
    assert reconnect(dana, clio_sandbox, connection).status_code == 302
    connection.refresh_from_db()
    assert connection.status == Connection.Status.ACTIVE


def test_connecting_anew_after_a_disconnect_brings_back_what_waited(
    dana: Client, cast: Cast, clio_sandbox: SandboxProcess
) -> None:
    connection = connect(dana, clio_sandbox)
    row = factories.draft(submitter=cast.carol, place=factories.destination(connection))
    delivery = factories.approved(row, by=cast.alice)
    dana.post(f"/clio/{connection.pk}/disconnect/")
    assert Delivery.objects.get(pk=delivery.pk).hold == Delivery.Hold.CONNECTION
    again = connect(dana, clio_sandbox)
    assert again.pk == connection.pk
    assert again.is_default
    assert Delivery.objects.get(pk=delivery.pk).hold == Delivery.Hold.NONE


# A lawyer's own


def test_a_reviewer_connects_their_own_clio_user(
    cast: Cast, sign_in: SignIn, clio_sandbox: SandboxProcess
) -> None:
    connection = connect(sign_in(cast.alice), clio_sandbox, start="/clio/mine/connect/")
    assert connection.owner == cast.alice
    assert not connection.is_default


def test_a_lawyers_own_connection_is_not_taken_over_by_the_firm(
    cast: Cast, dana: Client, clio_sandbox: SandboxProcess
) -> None:
    own = connect(signed_in(cast.alice), clio_sandbox, start="/clio/mine/connect/")
    answer = come_back(dana, way_back(clio_sandbox, at_clio(dana)))
    assert answer.status_code == 409
    assert "already connected, as Alice’s own connection" in answer.content.decode()
    assert not clio_sandbox.calls(route="oauth.deauthorize")
    own.refresh_from_db()
    assert (own.owner, own.token_version) == (cast.alice, 1)


def test_a_lawyer_reconnects_as_the_same_clio_user_only(cast: Cast, clio_sandbox: SandboxProcess) -> None:
    alice = signed_in(cast.alice)
    own = connect(alice, clio_sandbox, start="/clio/mine/connect/")
    answer = reconnect(alice, clio_sandbox, own, user_id=BOB)
    assert answer.status_code == 409
    assert "this is the connection of" in answer.content.decode()
    own.refresh_from_db()
    assert own.clio_user_id == ALICE


def test_a_region_without_an_app_is_not_offered(dana: Client, settings: LazySettings) -> None:
    answer = dana.post("/clio/connect/", {"region": "eu"})
    assert answer.status_code == 422
    assert "not set up for that region" in answer.content.decode()
    page = dana.get("/clio/").content.decode()
    assert "CLIO_EU_CLIENT_SECRET" in page
    assert not OAuthState.objects.exists()


def test_each_region_has_its_own_host_and_app(dana: Client, settings: LazySettings) -> None:
    settings.CLIO_APPS = {**settings.CLIO_APPS, "eu": ("eu-app", "eu-secret"), "us": ("us-app", "us-secret")}
    address = at_clio(dana, region="eu")
    assert address.startswith("https://eu.app.clio.com/oauth/authorize?")
    assert "client_id=eu-app" in address
    assert "secret" not in address
    assert "redirect_on_decline=true" in address
    assert "redirect_uri=http%3A%2F%2Flocalhost%2Fclio%2Fcallback" in address
