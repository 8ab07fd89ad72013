"""The pages for people and keys, met by everyone."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from portal.accounts import keys
from portal.accounts.models import ApiKey, Role, User
from portal.accounts.urls import urlpatterns
from portal.audit.events import Event
from portal.audit.log import Actor
from portal.audit.models import Entry
from tests.cast import PASSWORD, Cast, person

SignIn = Callable[[User], Client]
KEY = UUID(int=7)
FOR_ADMINS = {
    "people": (),
    "add_person": (),
    "person": (1,),
    "change_details": (1,),
    "change_roles": (1,),
    "switch_off": (1,),
    "switch_on": (1,),
    "invite": (1,),
    "keys": (),
    "add_key": (),
    "revoke_key": (KEY,),
}
ACTS = ["change_details", "change_roles", "switch_off", "switch_on", "invite", "revoke_key"]
FORMS = ["add_person", "add_key"]
PAGES_OR_ACTS = {"get": [*FORMS, "people", "person", "keys"], "post": [*FORMS, *ACTS]}
GUARDED = [*ACTS, *FORMS]


def address(name: str) -> str:
    return reverse(f"accounts:{name}", args=FOR_ADMINS[name])


def some_key(cast: Cast) -> tuple[ApiKey, str]:
    return keys.issue("Drafter", owner=cast.carol, by=cast.dana, actor=Actor.user(cast.dana))


def make_stale(client: Client) -> None:
    """As if the person had signed in long ago."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 10_000
    session.save()


def test_every_route_is_tried() -> None:
    assert {route.name for route in urlpatterns} == {*FOR_ADMINS, "me"}


@pytest.mark.parametrize("name", FOR_ADMINS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_and_other_roles_meet_a_closed_door(
    cast: Cast, sign_in: SignIn, name: str, method: str
) -> None:
    for who in (cast.mallory, cast.alice, cast.carol, cast.erin):
        answer = getattr(sign_in(who), method)(address(name))
        assert answer.status_code == (403 if name in PAGES_OR_ACTS[method] else 405)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [*FOR_ADMINS, "me"])
def test_the_signed_out_are_sent_to_sign_in(client: Client, name: str) -> None:
    path = reverse("accounts:me") if name == "me" else address(name)
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.url.startswith("/account/login/")  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", GUARDED)
def test_an_act_needs_a_recent_sign_in(cast: Cast, sign_in: SignIn, name: str) -> None:
    client = sign_in(cast.dana)
    make_stale(client)
    answer = client.post(address(name), {"back_to": "/people/"})
    assert answer.status_code == 302
    assert answer.url == "/account/reauthenticate/?next=%2Fpeople%2F"  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["person", "change_roles", "switch_off", "invite"])
def test_an_unknown_person_is_not_found(cast: Cast, sign_in: SignIn, name: str) -> None:
    client = sign_in(cast.dana)
    path = reverse(f"accounts:{name}", args=(10_000,))
    assert (client.get(path) if name == "person" else client.post(path)).status_code == 404


def test_the_list_shows_who_may_do_what(cast: Cast, sign_in: SignIn) -> None:
    cast.alice, cast.carol, cast.mallory  # noqa: B018 - made when first asked for
    page = sign_in(cast.dana).get("/people/").text
    assert "alice@firm.example" in page
    assert "Reviewer" in page
    assert "no role" in page
    assert 'aria-current="page">People</a>' in page


def test_the_list_costs_the_same_for_ten_and_for_forty(
    cast: Cast, sign_in: SignIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = sign_in(cast.dana)
    for number in range(10):
        person(f"p{number}", Role.REVIEWER)
    with django_assert_num_queries(8) as first:
        client.get("/people/")
    for number in range(10, 40):
        person(f"p{number}", Role.REVIEWER)
    with django_assert_num_queries(len(first.captured_queries)):
        client.get("/people/")


def test_the_list_can_be_searched(cast: Cast, sign_in: SignIn) -> None:
    cast.alice, cast.carol  # noqa: B018
    client = sign_in(cast.dana)
    page = client.get("/people/?q=ALIC").text
    assert "alice@firm.example" in page
    assert "carol@firm.example" not in page
    assert "Nobody matches" in client.get("/people/?q=zzz").text


def test_adding_a_person_shows_the_link_once_when_there_is_no_mail(
    cast: Cast, sign_in: SignIn, settings: Settings
) -> None:
    settings.EMAIL_HOST = ""
    client = sign_in(cast.dana)
    form = {"full_name": "Gina Moor", "email": "gina@firm.example", "roles": ["reviewer"]}
    page = client.post("/people/add/", form)
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    found = re.search(r"<code>http://localhost(/account/password/reset/key/[^<]+)</code>", page.text)
    assert found is not None
    assert User.objects.get(email="gina@firm.example").roles == {Role.REVIEWER}
    assert "password/reset/key" not in client.get("/people/").text

    gina = Client()
    chooser = gina.get(found[1], follow=True)
    assert "Choose a password" in chooser.text
    where = chooser.redirect_chain[-1][0]
    new = "seven quiet otters swim"
    answer = gina.post(where, {"password1": new, "password2": new}, follow=True)
    assert "Password saved" in answer.text
    assert gina.post("/account/login/", {"login": "gina@firm.example", "password": new}).status_code == 302
    assert "This link no longer works" in Client().get(found[1], follow=True).text
    assert Entry.objects.filter(event=Event.PERSON_INVITED).count() == 1
    assert Entry.objects.filter(event=Event.PERSON_PASSWORD_CHANGED).count() == 1


def test_with_mail_only_the_person_gets_the_link(
    cast: Cast, sign_in: SignIn, settings: Settings, mailoutbox: list[object]
) -> None:
    settings.EMAIL_HOST = "mail.firm.example"
    form = {"full_name": "Gina Moor", "email": "gina@firm.example"}
    page = sign_in(cast.dana).post("/people/add/", form, follow=True)
    assert "A link to choose a password went to gina@firm.example." in page.text
    assert "password/reset/key" not in page.text
    assert len(mailoutbox) == 1
    assert "/account/password/reset/key/" in mailoutbox[0].body  # type: ignore[attr-defined]


def test_a_wrong_form_adds_nobody(cast: Cast, sign_in: SignIn) -> None:
    cast.alice  # noqa: B018
    client = sign_in(cast.dana)
    taken = client.post("/people/add/", {"full_name": "Alice", "email": "ALICE@firm.example"})
    assert taken.status_code == 422
    assert "Somebody has this e-mail address already." in taken.text
    odd = client.post("/people/add/", {"full_name": "X", "email": "x@y.example", "roles": ["owner"]})
    assert odd.status_code == 422
    assert User.objects.count() == 2


def test_an_admin_changes_roles_and_details(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.dana)
    path = reverse("accounts:person", args=(cast.carol.pk,))
    page = client.post(f"{path}roles/", {"roles": ["reviewer"]}, follow=True)
    assert "The roles of Carol are changed." in page.text
    page = client.post(f"{path}details/", {"full_name": "Carol Shields"}, follow=True)
    assert "The details are saved." in page.text
    assert "Carol Shields" in page.text


def test_an_admin_cannot_lose_the_own_admin_role(cast: Cast, sign_in: SignIn) -> None:
    path = reverse("accounts:change_roles", args=(cast.dana.pk,))
    page = sign_in(cast.dana).post(path, {"roles": ["reviewer"]})
    assert page.status_code == 422
    assert "You cannot take away your own admin role" in page.text


def test_who_is_switched_off_is_signed_out_at_the_next_click(cast: Cast, sign_in: SignIn) -> None:
    carol = Client()
    carol.post("/account/login/", {"login": cast.carol.email, "password": PASSWORD})
    assert carol.get("/me/").status_code == 200
    path = reverse("accounts:person", args=(cast.carol.pk,))
    page = sign_in(cast.dana).post(f"{path}off/", {"reason": "Left the firm."}, follow=True)
    assert "is signed out and cannot sign in" in page.text
    assert carol.get("/me/").status_code == 302
    again = carol.post("/account/login/", {"login": cast.carol.email, "password": PASSWORD}, follow=True)
    assert "This account is switched off" in again.text


def test_a_key_is_shown_once_and_then_only_named(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.dana)
    page = client.post("/keys/add/", {"name": "Drafting assistant", "owner": cast.carol.pk})
    found = re.search(r"csk_[\w-]{40,}", page.text)
    assert found is not None
    key = ApiKey.from_token(found[0])
    assert key is not None
    assert key.owner == cast.carol
    listed = client.get("/keys/").text
    assert "Drafting assistant" in listed
    assert found[0] not in listed


def test_only_a_submitter_can_own_a_key(cast: Cast, sign_in: SignIn) -> None:
    assert cast.carol.pk
    client = sign_in(cast.dana)
    answer = client.post("/keys/add/", {"name": "Drafting assistant", "owner": cast.alice.pk})
    assert answer.status_code == 422
    assert not ApiKey.objects.exists()


def test_without_a_submitter_the_page_says_what_to_do(cast: Cast, sign_in: SignIn) -> None:
    assert "Nobody is a submitter yet" in sign_in(cast.dana).get("/keys/add/").text


def test_a_revoked_key_moves_to_the_other_list(cast: Cast, sign_in: SignIn) -> None:
    key, token = some_key(cast)
    client = sign_in(cast.dana)
    page = client.post(reverse("accounts:revoke_key", args=(key.pk,)), follow=True)
    assert "is revoked. Programs that use it are refused from now on." in page.text
    assert ApiKey.from_token(token) is None
    assert "Drafter" in client.get("/keys/?show=revoked").text


def test_everyone_has_an_account_page(cast: Cast, sign_in: SignIn) -> None:
    some_key(cast)
    assert "Drafter" in sign_in(cast.carol).get("/me/").text
    page = sign_in(cast.mallory).get("/me/").text
    assert "none yet" in page
    assert "Drafter" not in page


def test_a_reviewer_finds_their_clio_connection(cast: Cast, sign_in: SignIn) -> None:
    assert 'href="/clio/mine/"' in sign_in(cast.alice).get("/me/").text
    assert 'href="/clio/mine/"' not in sign_in(cast.carol).get("/me/").text
