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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """One pair after the other, also in a single process: starting a pair takes longer than most journeys."""
    session.items.sort(key=_pair)


def _pair(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    return list(PAIRS).index(group.args[0]) if group and group.args[0] in PAIRS else -1


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
def pair(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def stack(pair: str) -> Iterator[Stack]:
    """The running portal: SQLite with a broker of files, then PostgreSQL with Redis."""
    with PAIRS[pair](UNDO_SECONDS=UNDO_SECONDS) as running:
        running.set_clio_limit(600)
        yield running


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
def office(
    request: pytest.FixtureRequest, chromium: Browser, stack: Stack, sessions: dict[str, object]
) -> Iterator[Office]:
    """The desks of one journey. What a browser complains about fails the journey.

    If it fails, its traces and pictures are kept in test-results/journeys.
    """
    office = Office(chromium, stack, sessions, patience=PATIENCE)
    yield office
    failed = request.node.stash.get(FAILED, True)
    folder = RESULTS / re.sub(r"\W+", "-", request.node.name).strip("-")
    office.close(keep=folder if failed else None)
    assert failed or office.complaints() == []


@pytest.fixture
def desk(office: Office) -> Callable[[str], Desk]:
    """`desk("alice")`: alice at a browser of her own."""
    return office.desk


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
