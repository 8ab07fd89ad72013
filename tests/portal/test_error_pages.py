from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from portal.accounts.models import User
from tests.cast import Cast

SignIn = Callable[[User], Client]


def test_a_closed_area_says_whom_to_ask(cast: Cast, sign_in: SignIn) -> None:
    assert cast.dana.is_active
    page = sign_in(cast.carol).get("/people/")
    assert page.status_code == 403
    assert "Your role does not open this page." in page.text
    assert "submitter" in page.text
    assert "dana@firm.example" in page.text


def test_without_an_admin_the_installer_is_asked(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.mallory).get("/people/")
    assert "You have no role yet." in page.text
    assert "the person who installed Countersign" in page.text


def test_an_unknown_address_is_a_plain_404(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.mallory).get("/people/nobody/")
    assert page.status_code == 404
    assert "There is nothing here for you." in page.text


@pytest.mark.django_db
def test_an_unknown_address_tells_a_stranger_no_names(client: Client, cast: Cast) -> None:
    assert cast.dana.is_active
    page = client.get("/nothing/")
    assert page.status_code == 404
    assert "dana" not in page.text


def test_an_expired_form_says_that_nothing_was_changed(cast: Cast) -> None:
    page = Client(enforce_csrf_checks=True).post("/account/login/", {"login": cast.dana.email})
    assert page.status_code == 403
    assert "That form had expired." in page.text
    assert "Nothing was changed." in page.text
