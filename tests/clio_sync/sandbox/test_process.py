"""The process itself: what it prints, what survives, what it refuses."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clio_sync.sandbox.upload import confirm, reserve, transfer, upload
from tests.sandbox_process import ALICE, ROOT, SandboxProcess, running_sandbox, start_sandbox


def client(sandbox: SandboxProcess, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{sandbox.api_url}/api/v4", headers=headers, verify=False, timeout=30)


def test_a_kill_in_the_middle_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, rate_limit=1000, rate_model="anchored") as sandbox:
        token, matter_id = sandbox.tokens()["access_token"], sandbox.matter_id()
        sandbox.fault("documents.show", "delay", seconds=0.01, count=5)
        sandbox.advance(3600)
        with client(sandbox, token) as clio:
            upload(clio, matter_id, b"first")
            reserved = reserve(clio, matter_id)
            transfer(reserved, b"second")
            remaining = clio.get("/users/who_am_i").headers["x-ratelimit-remaining"]
        before, faults = sandbox.documents(), sandbox.control("GET", "/faults")
        offset = sandbox.control("GET", "/clock")["offset_seconds"]
        calls = sandbox.calls()
        sandbox.kill()
        sandbox.start()

        assert sandbox.documents() == before
        assert sandbox.control("GET", "/faults") == faults
        assert sandbox.control("GET", "/clock")["offset_seconds"] == offset
        assert sandbox.calls() == calls
        with client(sandbox, token) as clio:
            assert confirm(clio, reserved).status_code == 200
            assert transfer(reserved, b"second").status_code == 200  # the signing key is the same
            left = int(clio.get("/users/who_am_i").headers["x-ratelimit-remaining"])
        assert left == int(remaining) - 2
        assert [document["visible"] for document in sandbox.documents()] == [True, True]


def test_killed_again_and_again_under_load_it_never_forgets_a_yes(tmp_path: Path) -> None:
    """Whatever was answered with success before the kill is there after it."""
    with running_sandbox(tmp_path, rate_limit=100_000) as sandbox:
        token, matter_id = sandbox.tokens()["access_token"], sandbox.matter_id()
        promised: set[str] = set()
        for round_number in range(4):
            threads = [
                threading.Thread(
                    target=_file_until_it_breaks, args=(sandbox, token, matter_id, promised, name)
                )
                for name in (f"{round_number}a", f"{round_number}b")
            ]
            for thread in threads:
                thread.start()
            threading.Event().wait(0.4)
            sandbox.kill()
            for thread in threads:
                thread.join()
            sandbox.start()
        held = {document["sha256"] for document in sandbox.documents() if document["visible"]}

        assert len(promised) > 8
        assert promised <= held
        assert all(
            version["sha256"] == version["stored_sha256"]
            for document in sandbox.documents()
            for version in document["versions"]
            if version["fully_uploaded"]
        )


def _file_until_it_breaks(
    sandbox: SandboxProcess, token: str, matter_id: int, promised: set[str], name: str
) -> None:
    with client(sandbox, token) as clio:
        for number in range(10_000):
            content = f"{name} {number}".encode()
            try:
                _file(clio, matter_id, content)
            except (httpx.HTTPError, KeyError, ValueError):
                return
            promised.add(hashlib.sha256(content).hexdigest())


def _file(clio: httpx.Client, matter_id: int, content: bytes) -> None:
    reserved: Any = reserve(clio, matter_id)
    transfer(reserved, content).raise_for_status()
    confirm(clio, reserved).raise_for_status()


def test_two_sandboxes_start_with_the_same_firm(tmp_path: Path) -> None:
    def firm(folder: Path) -> tuple[Any, Any]:
        with running_sandbox(folder) as sandbox:
            token = sandbox.tokens(ALICE)["access_token"]
            query = {
                "fields": "id,etag,display_number,description,status,client{id,name},practice_area{id,name}"
            }
            with client(sandbox, token) as clio:
                matters = clio.get("/matters.json", params=query).json()["data"]
            seeded = sandbox.documents(include_seeded=True)
        return matters, seeded

    first, second = firm(tmp_path / "a"), firm(tmp_path / "b")

    assert first == second
    assert len(first[0]) == 60
    assert len({matter["practice_area"]["id"] for matter in first[0]}) == 4
    assert {matter["status"] for matter in first[0]} == {"Open", "Pending", "Closed"}
    assert len(first[1]) == 6
    assert all(document["visible"] and document["seeded"] for document in first[1])


def test_public_addresses_are_what_clients_are_told(tmp_path: Path) -> None:
    sandbox = start_sandbox(
        tmp_path, "--public-api-url=https://clio.example/", "--public-storage-url=https://files.example:8443"
    )
    try:
        listening = sandbox.health()
        assert (listening["api_url"], listening["storage_url"]) == (
            "https://clio.example",
            "https://files.example:8443",
        )
    finally:
        sandbox.stop()


@pytest.mark.parametrize(
    "options",
    [
        ("--switch", "no_such_switch=1"),
        ("--switch", "rate_model=weekly"),
        ("--switch", "rate_limit"),
        ("--public-api-url", "https://clio.example/path"),
        ("--public-storage-url", "files.example"),
    ],
)
def test_what_it_does_not_understand_stops_it_before_it_listens(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    command = [sys.executable, "-m", "clio_sync.sandbox", "--data", str(tmp_path), *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("The sandbox cannot start: ")
    assert "Traceback" not in ended.stderr


def test_a_client_that_stops_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        parts, token = httpx.URL(sandbox.api_url), sandbox.tokens()["access_token"]
        head = (
            f"POST /api/v4/documents HTTP/1.1\r\nHost: {parts.netloc.decode()}\r\n"
            f"Authorization: Bearer {token}\r\n"
            'Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"data":'
        )
        with socket.create_connection((parts.host, parts.port or 80), timeout=10) as line:
            line.sendall(head.encode())
            line.shutdown(socket.SHUT_WR)
            assert line.recv(1024) == b""

        assert sandbox.documents() == []
        assert sandbox.health()["ok"]
