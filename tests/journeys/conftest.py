"""What journeys share: a whole running portal on each pair of database and broker, and people at browsers.

All tests of one pair run in one process (`--dist loadgroup`), so that a pair is started once. Journeys that
start a portal of their own run beside them, in the groups `embedded-aside` and `production-aside`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.demo import people
from portal.demo.browser import Browser as DemoBrowser
from tests import browser as browsers
from tests import stacks
from tests.journeys.clio import Clio
from tests.journeys.desk import Desk, Office
from tests.stacks import Stack

PAIRS = {"embedded": stacks.embedded, "production": stacks.production}
PATIENCE = 30_000
"""Milliseconds to wait for what must come. Two stacks and two browsers may share two cores."""
UNDO_SECONDS = "6"
FAILED = pytest.StashKey[bool]()
RESULTS = Path(__file__).resolve().parents[2] / "test-results" / "journeys"

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.journey)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(
    scope="session", params=[pytest.param(pair, marks=pytest.mark.xdist_group(pair)) for pair in PAIRS]
)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The running portal: SQLite with a broker of files, then PostgreSQL with Redis."""
    with PAIRS[request.param](UNDO_SECONDS=UNDO_SECONDS) as running:
        running.set_clio_limit(600)
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


@pytest.fixture(scope="session")
def sessions(stack: Stack) -> dict[str, object]:
    """The cookies of those who have signed in already, by name: signing in is slow on purpose."""
    return {}


@pytest.fixture
def desk(
    request: pytest.FixtureRequest, chromium: Browser, stack: Stack, sessions: dict[str, object]
) -> Iterator[Callable[[str], Desk]]:
    """`desk("alice")`: alice at a browser of her own. What her browser complains about fails the test.

    If the test fails, its traces and pictures are kept in test-results/journeys.
    """
    office = Office(chromium, stack, sessions, patience=PATIENCE)
    yield office.desk
    failed = request.node.stash.get(FAILED, True)
    office.close(keep=RESULTS / re.sub(r"\W+", "-", request.node.name) if failed else None)
    assert failed or office.complaints() == []


@pytest.fixture
def clio(stack: Stack) -> Iterator[Clio]:
    """The stack's sandbox, with every fault of this test taken back at its end."""
    clio = Clio(stack)
    yield clio
    clio.mend()


@pytest.fixture(scope="session")
def dana(stack: Stack) -> Iterator[DemoBrowser]:
    """Dana at a browser without a screen, for what a journey takes for granted."""
    with people.at_browser(stack.place, "dana") as dana:
        yield dana


@pytest.fixture
def connected(stack: Stack, dana: DemoBrowser) -> None:
    """The sandbox is connected, whatever became of the connection in an earlier journey."""
    people.connect_sandbox(dana, stack.place)
