from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox_process import ALICE, SandboxProcess, running_sandbox


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess) -> SandboxProcess:
    """A sandbox as good as new, with a limit that only the tests of limits care about."""
    shared_sandbox.reset()
    shared_sandbox.switch(rate_limit=100_000)
    return shared_sandbox


@pytest.fixture
def clio(sandbox: SandboxProcess) -> Iterator[httpx.Client]:
    """A bare client of the API, signed in as Alice."""
    token = sandbox.tokens(ALICE)["access_token"]
    with httpx.Client(
        base_url=f"{sandbox.api_url}/api/v4",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
        verify=False,
    ) as client:
        yield client


@pytest.fixture
def matter_id(sandbox: SandboxProcess) -> int:
    return sandbox.matter_id("2026-0042")
