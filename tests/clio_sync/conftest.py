from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.clio_contract.checker import request_problems_of
from tests.sandbox_process import SandboxProcess, running_sandbox


@pytest.fixture(scope="session")
def sandbox_for_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def clio_sandbox(sandbox_for_the_session: SandboxProcess, settings: LazySettings) -> Iterator[SandboxProcess]:
    """The real sandbox in its own process, as good as new, and the portal's settings aimed at it."""
    sandbox = sandbox_for_the_session
    sandbox.reset()
    sandbox.switch(rate_limit=100_000, search_lag_seconds=0)
    settings.CLIO_API_URLS = {**settings.CLIO_API_URLS, "sandbox": sandbox.api_url}
    settings.CLIO_SANDBOX_STORAGE_URL = sandbox.storage_url
    yield sandbox
    sandbox.clear_faults()
    assert request_problems_of(sandbox.calls()) == [], (
        "something was asked that Clio's contract does not know"
    )
