"""A sandbox for the client's tests, and the contract that every request to it is held against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clio_sync.api import ClioClient
from tests.clio_contract.checker import problems_of
from tests.clio_sync.api.rehearsal import Rehearsal
from tests.sandbox_process import SandboxProcess, running_sandbox


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def at_clio(process: SandboxProcess) -> Iterator[Rehearsal]:
    process.reset()
    yield Rehearsal.at(process)
    assert problems_of(as_requests(process)) == []


def as_requests(process: SandboxProcess) -> list[dict[str, object]]:
    """The ledger without its answers, which faults and switches bend on purpose."""
    return [call | {"outcome": "not looked at"} for call in process.calls(listener="api")]


@pytest.fixture
def clio(at_clio: Rehearsal) -> Iterator[ClioClient]:
    with at_clio.client() as client:
        yield client


@pytest.fixture
def matter_id(clio: ClioClient) -> int:
    return clio.matters(limit=1).first_page().items[0].id
