from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection as database
from django.utils import timezone

from clio_sync import parking, tokens
from clio_sync.api import oauth
from clio_sync.api.errors import AppRejected, NeedsReconnect, RetryLater
from clio_sync.api.secret import Secret
from clio_sync.calls import client_for
from clio_sync.models import Connection, Delivery
from portal.audit.models import Entry
from tests import factories
from tests.cast import Cast
from tests.clio_sync.renewing import Outcome, due_connection, renew_at_once
from tests.sandbox_process import ALICE, SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
DAY = 24 * 3600
LONG, DUE, OVER = 20 * DAY, DAY, -5
Make = Callable[[int], Connection]


@pytest.fixture(autouse=True)
def _no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "SECOND_LOOK", 0.01)


def held(sandbox: SandboxProcess, expires_in: int) -> dict[str, Any]:
    given = sandbox.tokens(ALICE)
    return {
        "access": given["access_token"],
        "refresh": given["refresh_token"],
        "expires_in": expires_in,
        "clio_user_id": ALICE,
    }


@pytest.fixture
def make(cast: Cast, clio_sandbox: SandboxProcess) -> Make:
    """A connection with real tokens, which the portal believes to last so many seconds more."""
    return lambda expires_in: due_connection(cast.dana, **held(clio_sandbox, expires_in))


def token_calls(sandbox: SandboxProcess) -> int:
    return len(sandbox.calls(route="oauth.token"))


def events() -> list[str]:
    return list(Entry.objects.order_by("seq").values_list("event", flat=True))


def test_a_token_with_life_left_is_used_as_it_is(make: Make, clio_sandbox: SandboxProcess) -> None:
    link = make(LONG)
    assert tokens.fresh_token(link) == tokens.access_of(link)
    assert token_calls(clio_sandbox) == 0


def test_a_token_in_the_last_tenth_of_its_life_is_renewed(make: Make, clio_sandbox: SandboxProcess) -> None:
    link = make(DUE)
    old = tokens.access_of(link)
    new = tokens.fresh_token(link)
    link.refresh_from_db()
    assert new != old
    assert new == tokens.access_of(link)
    assert (link.token_version, link.refresh_lease_owner) == (2, "")
    assert token_calls(clio_sandbox) == 1
    assert events() == ["connection.token_refreshed"]
    assert tokens.fresh_token(link) == new
    assert token_calls(clio_sandbox) == 1


@pytest.mark.parametrize(
    ("life", "left", "is_due"),
    [
        (30 * DAY, 3 * DAY + 60, False),
        (30 * DAY, 3 * DAY - 60, True),
        (3600, 16 * 60, False),
        (3600, 14 * 60, True),
        (600, 301, False),
        (600, 299, True),
    ],
)
def test_the_margin_follows_the_life_of_the_token(life: int, left: int, is_due: bool) -> None:
    now = timezone.now()
    expires_at = now + timedelta(seconds=left)
    row = Connection(expires_at=expires_at, token_issued_at=expires_at - timedelta(seconds=life))
    assert tokens.is_due(row, now) is is_due


@pytest.mark.parametrize("rotation", ["none", "new", "kill"])
def test_a_refresh_token_that_comes_back_is_kept_and_one_that_does_not_stays(
    rotation: str, make: Make, clio_sandbox: SandboxProcess
) -> None:
    clio_sandbox.switch(refresh_rotation=rotation)
    link = make(DUE)
    for version in (2, 3):
        Connection.objects.update(expires_at=timezone.now())
        tokens.fresh_token(link)
        assert Connection.objects.get().token_version == version
    rotated = Entry.objects.latest("seq").content["detail"]["rotated"]
    assert rotated is (rotation != "none")


@pytest.mark.parametrize("kind", ["status", "lose_after", "truncate", "wrong_json"])
def test_trouble_while_renewing_early_costs_nothing(
    kind: str, make: Make, clio_sandbox: SandboxProcess
) -> None:
    link = make(DUE)
    clio_sandbox.fault("oauth.token", kind, count=None)
    assert tokens.fresh_token(link) == tokens.access_of(link)
    assert tokens.fresh_token(link) == tokens.access_of(link)  # and does not ask again at once
    assert token_calls(clio_sandbox) == 1
    link.refresh_from_db()
    assert link.status == Connection.Status.ACTIVE
    assert link.last_error


def test_trouble_with_an_ended_token_is_told_as_something_that_passes(
    make: Make, clio_sandbox: SandboxProcess
) -> None:
    link = make(OVER)
    clio_sandbox.fault("oauth.token", "status", status=503)
    with pytest.raises(RetryLater):
        tokens.fresh_token(link)
    link.refresh_from_db()
    assert link.status == Connection.Status.ACTIVE


def test_a_wrong_app_secret_is_no_reason_to_reconnect(
    make: Make, clio_sandbox: SandboxProcess, settings: LazySettings
) -> None:
    link = make(OVER)
    settings.CLIO_APPS = {**settings.CLIO_APPS, "sandbox": ("sandbox-app", "wrong")}
    with pytest.raises(AppRejected):
        tokens.fresh_token(link)
    link.refresh_from_db()
    assert link.status == Connection.Status.ACTIVE


def test_a_revoked_grant_parks_what_waits_and_says_so_once(
    make: Make, cast: Cast, clio_sandbox: SandboxProcess
) -> None:
    link = make(DUE)
    moving, needs_you = [
        factories.approved(
            factories.draft(submitter=cast.carol, place=factories.destination(link)), by=cast.alice
        )
        for _ in range(2)
    ]
    Delivery.objects.filter(pk=needs_you.pk).update(hold=Delivery.Hold.PERSON)
    clio_sandbox.act("revoke_grant")
    for _ in range(2):
        with pytest.raises(NeedsReconnect):
            tokens.fresh_token(link)
    link.refresh_from_db()
    assert link.status == Connection.Status.NEEDS_RECONNECTING
    assert len(link.refresh_sealed) > 0  # the row is kept whole
    assert link.last_error.startswith("The permission given to the portal in Clio has ended")
    assert Delivery.objects.get(pk=moving.pk).hold == Delivery.Hold.CONNECTION
    assert Delivery.objects.get(pk=needs_you.pk).hold == Delivery.Hold.PERSON
    assert events().count("connection.needs_reconnecting") == 1
    told = Entry.objects.get(event="connection.needs_reconnecting")
    assert told.content["detail"]["parked"] == 1
    assert [entry.object_id for entry in Entry.objects.filter(event="delivery.parked")] == [str(moving.pk)]


def test_a_grant_refused_once_by_mistake_is_asked_about_again(
    make: Make, clio_sandbox: SandboxProcess
) -> None:
    link = make(OVER)
    clio_sandbox.fault("oauth.token", "status", status=400, body={"error": "invalid_grant"})
    tokens.fresh_token(link)
    assert token_calls(clio_sandbox) == 2
    link.refresh_from_db()
    assert (link.status, link.token_version) == (Connection.Status.ACTIVE, 2)


def test_a_failure_of_the_past_does_not_break_a_mended_connection(make: Make) -> None:
    link = make(LONG)
    Connection.objects.update(token_version=2)  # reconnected meanwhile
    assert not parking.needs_reconnecting(link, reason="grant_revoked")
    assert Connection.objects.get().status == Connection.Status.ACTIVE


def test_a_delivery_parked_in_the_moment_of_reconnecting_is_found_by_the_sweep(
    make: Make, cast: Cast
) -> None:
    link = make(LONG)
    other = factories.connection(connected_by=cast.dana, clio_user_id=1, status="needs_reconnecting")
    stranded, waiting = [
        factories.approved(
            factories.draft(submitter=cast.carol, place=factories.destination(one)), by=cast.alice, link=one
        )
        for one in (link, other)
    ]
    Delivery.objects.update(hold=Delivery.Hold.CONNECTION)
    assert parking.resume_deliveries() == 1
    assert Delivery.objects.get(pk=stranded.pk).hold == Delivery.Hold.NONE
    assert Delivery.objects.get(pk=waiting.pk).hold == Delivery.Hold.CONNECTION


def test_a_rejected_token_is_renewed_once_and_the_call_succeeds(
    make: Make, clio_sandbox: SandboxProcess
) -> None:
    link = make(LONG)
    clio_sandbox.act("expire_tokens")
    with client_for(link) as clio:
        assert clio.who_am_i().id == ALICE
    assert token_calls(clio_sandbox) == 1
    link.refresh_from_db()
    assert (link.status, link.token_version) == (Connection.Status.ACTIVE, 2)
    assert link.last_error == ""


def test_a_renewed_token_that_is_rejected_too_breaks_the_connection(
    make: Make, clio_sandbox: SandboxProcess
) -> None:
    link = make(LONG)
    clio_sandbox.fault("users.who_am_i", "status", status=401, count=None)
    with client_for(link) as clio, pytest.raises(NeedsReconnect):
        clio.who_am_i()
    link.refresh_from_db()
    assert link.status == Connection.Status.NEEDS_RECONNECTING
    assert token_calls(clio_sandbox) == 1


def test_calls_are_noted_once_a_minute_and_trouble_at_once(make: Make, clio_sandbox: SandboxProcess) -> None:
    link = make(LONG)
    with client_for(link) as clio:
        clio.who_am_i()
        first = Connection.objects.get().last_call_at
        clio.who_am_i()
        assert Connection.objects.get().last_call_at == first
        clio_sandbox.fault("users.who_am_i", "status", status=503)
        with pytest.raises(RetryLater):
            clio.who_am_i()
    noted = Connection.objects.get()
    assert noted.last_call_at != first
    assert noted.last_error.startswith("Clio has trouble on its side")


def test_a_key_that_is_missing_is_the_operators_to_mend(make: Make, settings: LazySettings) -> None:
    link = make(LONG)
    settings.TOKEN_KEYS = {"other": b"o" * 32}
    with pytest.raises(RetryLater, match="'k2'"):
        tokens.fresh_token(link)
    assert Connection.objects.get().status == Connection.Status.ACTIVE


def test_a_token_moved_from_another_row_is_not_used(
    make: Make, cast: Cast, clio_sandbox: SandboxProcess
) -> None:
    link = make(LONG)
    thief = factories.connection(
        connected_by=cast.dana, clio_user_id=1, token_version=1, expires_at=link.expires_at
    )
    Connection.objects.filter(pk=thief.pk).update(access_sealed=link.access_sealed)
    with client_for(thief) as clio, pytest.raises(NeedsReconnect):
        clio.who_am_i()
    assert not clio_sandbox.calls(route="users.who_am_i")
    assert Connection.objects.get(pk=thief.pk).status == Connection.Status.NEEDS_RECONNECTING


def test_a_holder_that_was_away_too_long_stores_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    link = make(OVER)
    asked = tokens._asked

    def slow(row: Connection) -> Any:
        """While this one waits for Clio, its lease ends and another renews."""
        answer = asked(row)
        monkeypatch.setattr(tokens, "_asked", asked)
        Connection.objects.update(refresh_lease_until=timezone.now() - timedelta(seconds=1))
        tokens.fresh_token(link)
        return answer

    monkeypatch.setattr(tokens, "_asked", slow)
    token = tokens.fresh_token(link)
    row = Connection.objects.get()
    assert row.token_version == 2
    assert token == tokens.access_of(row)
    assert events() == ["connection.token_refreshed"]


def test_a_refused_grant_is_old_news_when_somebody_else_renewed(
    make: Make, monkeypatch: pytest.MonkeyPatch, clio_sandbox: SandboxProcess
) -> None:
    """Clio kills a refresh token by its use; who comes late with it must not break the connection."""
    clio_sandbox.switch(refresh_rotation="kill")
    link = make(OVER)
    asked, calls = tokens._asked, 0

    def late(row: Connection) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:  # swapped out for longer than its lease, before its call goes out
            Connection.objects.update(refresh_lease_until=timezone.now() - timedelta(seconds=1))
            tokens.fresh_token(link)
        return asked(row)

    monkeypatch.setattr(tokens, "_asked", late)
    token = tokens.fresh_token(link)
    row = Connection.objects.get()
    assert (row.status, row.token_version) == (Connection.Status.ACTIVE, 2)
    assert token == tokens.access_of(row)
    assert token_calls(clio_sandbox) == 2


def test_a_refused_grant_is_nobodys_end_while_another_holds_the_lease(
    make: Make, monkeypatch: pytest.MonkeyPatch, clio_sandbox: SandboxProcess
) -> None:
    link = make(OVER)
    asked = tokens._asked

    def late(row: Connection) -> Any:
        Connection.objects.update(
            refresh_lease_owner="another", refresh_lease_until=timezone.now() + tokens.LEASE
        )
        return asked(row)

    monkeypatch.setattr(tokens, "_asked", late)
    clio_sandbox.fault("oauth.token", "status", status=400, body={"error": "invalid_grant"}, count=None)
    with pytest.raises(RetryLater):
        tokens.fresh_token(link)
    row = Connection.objects.get()
    assert (row.status, row.refresh_lease_owner) == (Connection.Status.ACTIVE, "another")
    assert token_calls(clio_sandbox) == 1


def test_a_silent_token_endpoint_is_given_up_well_within_the_lease() -> None:
    most = 5.0 + 3 * oauth.REFRESH_SECONDS  # to connect, to send, to hear, to read
    assert most < tokens.LEASE.total_seconds()


def test_another_lease_with_an_ended_token_is_waited_for_and_then_given_up(
    make: Make, monkeypatch: pytest.MonkeyPatch, clio_sandbox: SandboxProcess
) -> None:
    monkeypatch.setattr(tokens, "PATIENCE", 0.2)
    link = make(OVER)
    Connection.objects.update(
        refresh_lease_owner="other", refresh_lease_until=timezone.now() + timedelta(minutes=1)
    )
    with pytest.raises(RetryLater):
        tokens.fresh_token(link)
    assert token_calls(clio_sandbox) == 0


def digests(*secrets: Secret) -> set[str]:
    return {hashlib.sha256(secret.reveal().encode()).hexdigest() for secret in secrets}


@pytest.mark.parametrize("expires_in", [DUE, OVER], ids=["due", "ended"])
def test_many_at_once_ask_clio_once_on_sqlite(
    expires_in: int, clio_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    clio_sandbox.fault("oauth.token", "delay", seconds=1.0)
    done = subprocess.run(
        [sys.executable, "-m", "tests.clio_sync.renewing", "12"],
        input=json.dumps(held(clio_sandbox, expires_in)),
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'tokens.sqlite3'}",
            "CLIO_SANDBOX_URL": clio_sandbox.api_url,
            "CLIO_SANDBOX_STORAGE_URL": clio_sandbox.storage_url,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        },
        timeout=120,
    )
    _all_served_by_one_call(Outcome(**json.loads(done.stdout)), expires_in, clio_sandbox)


def _all_served_by_one_call(outcome: Outcome, expires_in: int, sandbox: SandboxProcess) -> None:
    assert outcome.failures == []
    assert len(outcome.tokens) == 12
    assert outcome.version == 2
    assert token_calls(sandbox) == 1
    # Those who came second went on with the old token while it was good, and waited when it was not.
    assert len(set(outcome.tokens)) == (2 if expires_in == DUE else 1)


if database.vendor == "postgresql":

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("expires_in", [DUE, OVER], ids=["due", "ended"])
    def test_many_at_once_ask_clio_once_on_postgresql(
        expires_in: int, cast: Cast, clio_sandbox: SandboxProcess
    ) -> None:
        clio_sandbox.fault("oauth.token", "delay", seconds=1.0)
        link = due_connection(cast.dana, **held(clio_sandbox, expires_in))
        _all_served_by_one_call(renew_at_once(link.pk, threads=12), expires_in, clio_sandbox)
