from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from portal import alive
from tests import stacks
from tests.stacks import Stack, wait_until


def test_the_site_and_the_sandbox_answer(stack: Stack) -> None:
    assert httpx.get(f"{stack.site}/healthz").json() == {"ok": True, "filing": "open"}
    assert stack.sandbox("GET", "/health")["counts"]["matter"] >= 60


def test_the_containers_health_checks_see_the_parts(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_URL", stack.site)
    assert alive.web_is_alive(stack.place.ports.web)
    asked = stack.run("-c", "from portal import alive; assert alive.worker_is_alive('localhost')")
    assert asked.returncode == 0, asked.stderr
    nobody = stack.run("-c", "from portal import alive; assert not alive.worker_is_alive('elsewhere')")
    assert nobody.returncode == 0, nobody.stderr
    assert alive.beat_is_alive(stack.place.data / "beat-schedule")


def test_a_killed_part_comes_back(stack: Stack) -> None:
    stack.kill("worker")
    wait_until(lambda: stack.log("worker").count(" ready.") >= 2, what="the worker to be ready again")
    stack.kill("web")
    wait_until(stack.answers, what="the site to answer again")


def test_a_person_signs_in(stack: Stack, page: Page) -> None:
    alice = stack.person("alice")
    page.goto("/account/login/")
    page.fill("#id_login", alice.email)
    page.fill("#id_password", alice.password)
    page.click("button[type=submit]")
    expect(page.get_by_text(alice.name).first).to_be_visible()


@pytest.mark.xdist_group("embedded-aside")
def test_a_killed_supervisor_leaves_nothing_running() -> None:
    with stacks.embedded() as stack:
        parts = [stack.pid(part) for part in ("sandbox", "web", "worker", "beat")]
        sessions = set(parts)
        assert _in_sessions(sessions) >= sessions
        os.kill(stack.process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while _in_sessions(sessions) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not _in_sessions(sessions)


def _in_sessions(sessions: set[int]) -> set[int]:
    """Processes that live in one of these sessions."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, _group, session = stat.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z" and int(session) in sessions:
            found.add(int(stat.parent.name))
    return found
