from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from portal.accounts.models import Role, User
from portal.audit.events import Event
from portal.audit.models import Entry
from tests.cast import PASSWORD, Cast

SignIn = Callable[[User], Client]


def events() -> list[str]:
    return list(Entry.objects.order_by("seq").values_list("event", flat=True))


def test_signing_in_and_out_is_on_record(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    entry = Entry.objects.get()
    assert (entry.event, entry.actor_id, entry.object_id) == (
        Event.PERSON_SIGNED_IN,
        str(cast.alice.pk),
        str(cast.alice.pk),
    )
    client.post("/account/logout/")
    assert client.get("/me/").status_code == 302
    assert events() == [Event.PERSON_SIGNED_IN, Event.PERSON_SIGNED_OUT]


def test_a_link_to_sign_out_does_not_sign_out(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    assert "Sign out?" in client.get("/account/logout/").text
    assert client.get("/me/").status_code == 200


@pytest.mark.parametrize("email", ["alice@firm.example", "ALICE@firm.example", "nobody@firm.example"])
def test_a_wrong_password_is_on_record_and_tells_nothing(client: Client, cast: Cast, email: str) -> None:
    assert cast.alice.pk
    page = client.post("/account/login/", {"login": email, "password": "wrong"})
    assert page.status_code == 200
    assert "The email address and/or password you specified are not correct." in page.text
    entry = Entry.objects.get()
    assert (entry.event, entry.outcome, entry.actor_type) == (
        Event.PERSON_SIGN_IN_FAILED,
        "denied",
        "anonymous",
    )
    assert email.encode() not in entry.exact_bytes
    assert entry.object_id == (None if "nobody" in email else str(cast.alice.pk))


@pytest.mark.django_db
def test_nobody_signs_up(client: Client) -> None:
    page = client.get("/account/signup/")
    assert "There is no sign-up here." in page.text
    secret = "seven quiet otters swim"
    client.post("/account/signup/", {"email": "x@y.example", "password1": secret, "password2": secret})
    assert not User.objects.exists()


@pytest.mark.parametrize("path", ["email/", "confirm-email/", "login/code/confirm/"])
def test_pages_of_the_library_that_we_do_not_use_are_not_there(
    cast: Cast, sign_in: SignIn, path: str
) -> None:
    assert sign_in(cast.alice).get(f"/account/{path}").status_code == 404


def test_confirming_who_you_are_goes_back_where_you_were(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.dana)
    page = client.get("/account/reauthenticate/?next=/people/")
    assert "Confirm it is you" in page.text
    assert "dana@firm.example" in page.text
    wrong = client.post("/account/reauthenticate/", {"password": "wrong", "next": "/people/"})
    assert wrong.status_code == 200
    answer = client.post("/account/reauthenticate/", {"password": PASSWORD, "next": "/people/"})
    assert urlsplit(answer.url).path == "/people/"  # type: ignore[attr-defined]
    assert events() == [
        Event.PERSON_SIGNED_IN,
        Event.PERSON_SIGN_IN_FAILED,
        Event.PERSON_CONFIRMED_IDENTITY,
    ]


def test_changing_the_password_is_on_record(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    new = "seven quiet otters swim"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/account/password/change/", form).status_code == 302
    assert Event.PERSON_PASSWORD_CHANGED in events()
    assert Client().post("/account/login/", {"login": cast.alice.email, "password": new}).status_code == 302


def test_a_forgotten_password_is_mailed_to_people_we_know(
    client: Client, cast: Cast, mailoutbox: list[object]
) -> None:
    assert cast.alice.pk
    for email in ("nobody@firm.example", "alice@firm.example"):
        page = client.post("/account/password/reset/", {"email": email}, follow=True)
        assert "If there is an account with that address" in page.text
    assert [mail.to for mail in mailoutbox] == [["alice@firm.example"]]  # type: ignore[attr-defined]
    assert "/account/password/reset/key/" in mailoutbox[0].body  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_the_operator_adds_the_first_admin(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("add_admin", "Ada@firm.example", "Ada Lovelace")
    link = urlsplit(capsys.readouterr().out.strip())
    assert User.objects.get(email="ada@firm.example").roles == {Role.ADMIN}
    assert "Choose a password" in client.get(link.path, follow=True).text
    assert events() == [Event.PERSON_CREATED, Event.PERSON_INVITED]
    with pytest.raises(CommandError, match="already"):
        call_command("add_admin", "ada@firm.example", "Ada Lovelace")
    with pytest.raises(CommandError, match="not an e-mail"):
        call_command("add_admin", "ada", "Ada Lovelace")
