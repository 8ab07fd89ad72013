from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from portal.accounts.models import User
from tests.cast import Cast

SignIn = Callable[[User], Client]


def test_an_admin_sees_every_element(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.dana).get("/design/")
    assert page.status_code == 200
    for element in ("button-primary", "status-filed", "dropzone", "dialog", "timeline", "signature", "pager"):
        assert element in page.text


@pytest.mark.django_db
def test_the_elements_are_closed_to_everyone_else(cast: Cast, sign_in: SignIn, client: Client) -> None:
    assert client.get("/design/").status_code == 403
    assert sign_in(cast.mallory).get("/design/").status_code == 403


@pytest.mark.django_db
def test_while_developing_they_are_open(client: Client, settings: Settings) -> None:
    settings.DEBUG = True
    assert client.get("/design/").status_code == 200
