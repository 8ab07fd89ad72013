"""Every address meets somebody who has not signed in, and mallory, who may sign in and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.accounts.models import Role, User
from portal.audit.events import Event
from portal.audit.models import Entry
from tests.cast import Cast, person
from tests.crawling import HIDDEN, Firm, firm, names, path

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]

# For everybody, with nothing of the firm on it.
PUBLIC = {
    "healthz",
    "api:openapi-json",
    "account_login",
    "account_logout",
    "account_signup",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
}
# For a key and nothing else.
PROGRAMS = {"api:api-root", "api:list_drafts", "api:submit_draft", "api:read_draft", "api:add_version"}
# For whoever signed in, about nobody else.
OWN = {
    "reviews:queue",  # says that mallory has no role yet
    "accounts:me",
    "account_reauthenticate",
    "account_change_password",
    "account_set_password",
}
# Areas say 403: they are no secret.
AREAS = {
    "design",
    "accounts:people",
    "accounts:add_person",
    "accounts:person",
    "accounts:change_details",
    "accounts:change_roles",
    "accounts:switch_off",
    "accounts:switch_on",
    "accounts:invite",
    "accounts:keys",
    "accounts:add_key",
    "accounts:revoke_key",
    "audit:log",
    "audit:entry",
    "audit:check",
    "audit:export",
    "clio_sync:connections",
    "clio_sync:connect",
    "clio_sync:mine",
    "clio_sync:connect_mine",
    "clio_sync:callback",
    "clio_sync:test",
    "clio_sync:reconnect",
    "clio_sync:make_default",
    "clio_sync:disconnect",
    "reviews:submit",
    "reviews:stuck",
    "reviews:try_again",
    "reviews:matter_options",
    "reviews:places",
    "reviews:document_options",
    "reviews:filed_as",
    "reviews:naming",
}
# What belongs to somebody else does not exist: 404.
OBJECTS = {
    "reviews:draft",
    "reviews:filing",
    "reviews:receipt",
    "reviews:receipt_pdf",
    "reviews:approve",
    "reviews:return",
    "reviews:reject",
    "reviews:undo",
    "reviews:claim",
    "reviews:release",
    "reviews:withdraw",
    "reviews:retry",
    "reviews:cancel",
    "reviews:take_back",
    "reviews:choose",
    "reviews:new_version",
    "reviews:destination",
    "reviews:namesakes",
    "reviews:preview",
    "reviews:page",
    "reviews:download",
    "reviews:compare",
}


@pytest.fixture
def place(cast: Cast) -> Firm:
    return firm(cast)


def test_every_address_is_in_one_of_the_lists() -> None:
    """A new one has to say here who may open it."""
    lists = [PUBLIC, PROGRAMS, OWN, AREAS, OBJECTS]
    assert sorted(name for names_of_one in lists for name in names_of_one) == names()


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "head", "options"])
def test_without_signing_in_there_is_only_the_sign_in_page(client: Client, place: Firm, method: str) -> None:
    for name in sorted(OWN | AREAS | OBJECTS):
        answer = getattr(client, method)(path(name, place))
        if name == "design":
            assert answer.status_code == 403
        elif name == "clio_sync:callback" and method != "get":
            assert answer.status_code == 405
        else:
            assert answer.status_code == 302, name
            assert answer.headers["Location"].startswith("/account/login/")
        tells_nothing(answer)


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_without_a_key_a_program_gets_nothing(client: Client, place: Firm, method: str) -> None:
    for name in sorted(PROGRAMS):
        answer = getattr(client, method)(path(name, place))
        assert answer.status_code in {401, 404, 405}, name
        tells_nothing(answer)


def test_public_pages_tell_nothing_of_the_firm(client: Client, place: Firm) -> None:
    for name in sorted(PUBLIC):
        tells_nothing(client.get(path(name, place)))


def test_mallory_is_turned_away_from_every_area(place: Firm, sign_in: SignIn) -> None:
    client = sign_in(place.cast.mallory)
    for name in sorted(AREAS):
        turned_away(client, path(name, place), 403)


@pytest.mark.parametrize("who", ["mallory", "dana", "erin"])
def test_without_a_part_in_the_reviews_no_draft_exists(place: Firm, sign_in: SignIn, who: str) -> None:
    """Being admin or compliance opens none."""
    client = sign_in(getattr(place.cast, who))
    for name in sorted(OBJECTS):
        turned_away(client, path(name, place), 404)


def test_for_a_submitter_another_ones_draft_does_not_exist(place: Firm, sign_in: SignIn) -> None:
    client = sign_in(person("sam", Role.SUBMITTER))
    for name in sorted(OBJECTS):
        turned_away(client, path(name, place), 404)


def test_mallorys_own_pages_tell_nothing_of_the_firm(place: Firm, sign_in: SignIn) -> None:
    client = sign_in(place.cast.mallory)
    for name in sorted(OWN):
        tells_nothing(client.get(path(name, place)))


def turned_away(client: Client, address: str, status: int) -> None:
    """By each method, and at least one of them reaches the door itself. Each is on record."""
    before = Entry.objects.filter(event=Event.ACCESS_DENIED).count()
    answers = [client.get(address), client.post(address, {"version_id": "x", "region": "sandbox"})]
    for answer in answers:
        assert answer.status_code in {status, 405}, (address, answer.status_code)
        if answer.status_code == 404:
            tells_nothing(answer)
    refused = [answer for answer in answers if answer.status_code == status]
    assert refused
    denials = Entry.objects.filter(event=Event.ACCESS_DENIED).order_by("-seq")[: len(refused)]
    assert Entry.objects.filter(event=Event.ACCESS_DENIED).count() == before + len(refused)
    assert {entry.content["detail"]["status"] for entry in denials} == {status}


def tells_nothing(answer: Any) -> None:
    """Nothing but the name and address of whoever reads it."""
    text = answer.content.decode(errors="replace")
    for reader in ("mallory", "dana", "erin", "sam"):
        text = text.replace(f"{reader}@firm.example", "")
    assert not [word for word in HIDDEN if word in text]
