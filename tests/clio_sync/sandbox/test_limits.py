from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from clio_sync.sandbox import limits
from clio_sync.sandbox.state import State
from tests.clio_sync.sandbox.upload import upload
from tests.sandbox_process import BOB, SandboxProcess


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = State(tmp_path)
    made.now_s = lambda: clock[0]  # type: ignore[method-assign]
    yield made
    made.close()


clock = [0.0]
START = 1_795_000_020.0  # on a whole minute


def allowed(state: State, seconds: list[float], *, model: str, limit: int = 3) -> list[bool]:
    """Which of the calls made at these moments are let through."""
    state.set_switches({"rate_limit": limit, "rate_model": model})
    answers = []
    for moment in seconds:
        clock[0] = START + moment
        spent = limits.budget(state, 1).is_spent
        answers.append(not spent)
        if not spent:
            limits.spend(state, 1)
    return answers


def test_minute_windows_begin_on_the_minute(state: State) -> None:
    moments = [40.0, 41.0, 42.0, 43.0, 59.5, 60.5, 61.0, 62.0, 63.0]

    assert allowed(state, moments, model="minute") == [
        True,
        True,
        True,
        False,
        False,
        True,
        True,
        True,
        False,
    ]


def test_anchored_windows_begin_at_the_first_call(state: State) -> None:
    moments = [0.0, 30.0, 59.0, 59.5, 60.5, 90.0, 120.0, 120.4, 120.6]

    assert allowed(state, moments, model="anchored") == [
        True,
        True,
        True,
        False,
        True,
        True,
        True,
        False,
        True,
    ]


def test_a_sliding_log_never_lets_more_through_in_any_window(state: State) -> None:
    moments = [0.0, 30.0, 59.0, 59.5, 60.5, 61.0, 89.0, 90.5, 91.0]

    assert allowed(state, moments, model="sliding") == [
        True,
        True,
        True,
        False,
        True,
        False,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("model", ["minute", "anchored", "sliding"])
def test_waiting_as_told_is_always_enough(state: State, model: str) -> None:
    allowed(state, [20.0, 27.0, 33.0], model=model)
    budget = limits.budget(state, 1)
    clock[0] += budget.wait_s

    assert budget.is_spent
    assert not limits.budget(state, 1).is_spent


def test_the_headers_count_down_and_the_51st_call_is_refused(sandbox: SandboxProcess) -> None:
    sandbox.switch(rate_limit=50, rate_model="anchored")
    headers = {"Authorization": f"Bearer {sandbox.tokens()['access_token']}"}
    url = f"{sandbox.api_url}/api/v4/users/who_am_i"
    answers = [sandbox.http.get(url, headers=headers) for _ in range(51)]

    assert [answer.status_code for answer in answers] == [200] * 50 + [429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers[:3]] == ["49", "48", "47"]
    refused = answers[50]
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["error"]["type"] == "RateLimited"
    sandbox.advance(int(refused.headers["retry-after"]))
    assert sandbox.http.get(url, headers=headers).status_code == 200


def test_each_token_has_its_own_budget(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    sandbox.switch(rate_limit=1)
    other = {"Authorization": f"Bearer {sandbox.tokens(BOB)['access_token']}"}

    assert [clio.get("/users/who_am_i").status_code for _ in range(2)][-1] == 429
    assert sandbox.http.get(f"{sandbox.api_url}/api/v4/matters", headers=other).status_code == 200


def test_storage_is_outside_the_limit(clio: httpx.Client, sandbox: SandboxProcess, matter_id: int) -> None:
    before = int(clio.get("/users/who_am_i").headers["x-ratelimit-remaining"])
    upload(clio, matter_id, b"bytes")

    assert int(clio.get("/users/who_am_i").headers["x-ratelimit-remaining"]) == before - 3


def test_retry_after_may_be_a_date(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    sandbox.switch(rate_limit=1, retry_after_format="date", rate_error_body="html")
    answers = [clio.get("/matters") for _ in range(2)]

    assert answers[-1].status_code == 429
    assert parsedate_to_datetime(answers[-1].headers["retry-after"]).tzinfo is not None
    assert answers[-1].headers["content-type"] == "text/html"


def test_errors_may_come_without_the_headers(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    with_headers = clio.get("/matters/1")
    sandbox.switch(rate_headers_on_errors=False)
    without = clio.get("/matters/1")

    assert with_headers.status_code == without.status_code == 404
    assert "x-ratelimit-limit" in with_headers.headers
    assert "x-ratelimit-limit" not in without.headers
