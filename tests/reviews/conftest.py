from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from pytest_django import Settings

from clio_sync.models import Connection
from reviews.actions import Seen
from reviews.models import Draft
from tests import factories
from tests.cast import Cast
from tests.sandbox_process import SandboxProcess, running_sandbox


@pytest.fixture
def link(cast: Cast) -> Connection:
    return factories.connection(connected_by=cast.dana, is_default=True)


@pytest.fixture
def waiting(cast: Cast, link: Connection) -> Draft:
    """A draft that carol submitted and nobody reviews yet."""
    return factories.draft(submitter=cast.carol, place=factories.destination(link), status="waiting")


def seen(draft: Draft) -> Seen:
    """What a page opened now would show."""
    draft.refresh_from_db()
    assert draft.latest_version is not None
    return Seen(draft.latest_version.pk, draft.latest_version.sha256, draft.revision)


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running_sandbox(tmp_path_factory.mktemp("clio"), rate_limit=100_000) as sandbox:
        yield sandbox


@pytest.fixture
def clio(sandbox_process: SandboxProcess, link: Connection, settings: Settings) -> Iterator[SandboxProcess]:
    """The local Clio, with `link` connected to it."""
    settings.CLIO_API_URLS = settings.CLIO_API_URLS | {"sandbox": sandbox_process.api_url}
    settings.CLIO_SANDBOX_STORAGE_URL = sandbox_process.storage_url
    sandbox_process.reset()
    factories.tokens_for(link, sandbox_process)
    cache.clear()
    yield sandbox_process
    sandbox_process.clear_faults()
