"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, override_settings
from playwright.sync_api import Browser

from portal import gate
from portal.accounts.models import User
from tests.append_only import allow_flush
from tests.browser import browser
from tests.cast import PASSWORD, Cast


@pytest.fixture(scope="session", autouse=True)
def _flush_past_the_triggers() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        allow_flush(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """The real hasher is slow on purpose; a third of a second for each person of the cast adds up."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Redis does not roll back with the test, as the cache in the database does: throttles would add up."""
    if settings.CACHE_URL:
        cache.clear()


@pytest.fixture(autouse=True)
def _no_mark_of_another_test() -> None:
    """Each test has a database of its own, and all share one DATA_DIR: to the gate, that is a restore."""
    shutil.rmtree(gate.folder(), ignore_errors=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a process; each opens windows of its own."""
    # Its loop runs in this thread from now on, and the ORM minds.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with browser() as launched:
        yield launched


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


@pytest.fixture
def sign_in(client: Client) -> Callable[[User], Client]:
    """Sign a person in through the real page, so that the session holds a recent authentication."""

    def enter(user: User) -> Client:
        client.cookies.clear()  # whoever was signed in is not any longer
        answer = client.post("/account/login/", {"login": user.email, "password": PASSWORD})
        assert answer.status_code == 302, answer.content[:500]
        return client

    return enter
