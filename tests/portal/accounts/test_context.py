from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from portal.accounts.context import PLACES, navigation
from portal.accounts.models import User
from tests.cast import Cast

SignIn = Callable[[User], Client]
WHERE = {
    "alice": ["Queue"],
    "carol": ["Queue", "Submit"],
    "dana": ["Connections", "People", "API keys", "File names"],
    "erin": ["Audit log"],
    "mallory": [],
}


@pytest.mark.parametrize("name", WHERE)
def test_everyone_is_asked_only_for_their_own_places(cast: Cast, name: str) -> None:
    user = getattr(cast, name)
    assert [label for label, _, question in PLACES if question(user)] == WHERE[name]


def test_the_page_shows_where_one_is(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.dana)
    assert 'href="/people/" aria-current="page"' in client.get("/people/").text
    keys = client.get("/keys/").text
    assert 'href="/keys/" aria-current="page"' in keys
    assert 'href="/people/" aria-current="page"' not in keys


def test_a_fragment_without_navigation_asks_nothing(
    rf: RequestFactory, cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    request = rf.get("/")
    request.user = cast.dana
    with django_assert_num_queries(0):
        navigation(request)
