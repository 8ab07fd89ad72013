"""What journeys share: a whole running portal on each pair of database and broker, and a real browser.

All tests of one pair run in one process (`--dist loadgroup`), so that a pair is started once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests import browser as browsers
from tests import stacks
from tests.stacks import Stack

PAIRS = {"embedded": stacks.embedded, "production": stacks.production}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.journey)


@pytest.fixture(
    scope="session", params=[pytest.param(pair, marks=pytest.mark.xdist_group(pair)) for pair in PAIRS]
)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The running portal: SQLite with a broker of files, then PostgreSQL with Redis."""
    with PAIRS[request.param]() as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browsers.browser() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser, stack: Stack) -> Iterator[Page]:
    """A page in a fresh profile."""
    with browsers.looking(chromium, browsers.View(), base_url=stack.site) as page:
        yield page
