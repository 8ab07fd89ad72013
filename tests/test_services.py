from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests import services


def test_a_database_of_our_own_answers_and_is_gone_afterwards() -> None:
    with services.postgresql() as url:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT current_user, current_setting('server_encoding')").fetchone()
        assert row == ("countersign", "UTF8")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE another")
    assert not _answers(url)


def test_a_redis_of_our_own_asks_for_its_password() -> None:
    with services.redis() as url:
        assert redis.Redis.from_url(f"{url}/0").ping()
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(f"redis://{url.rpartition('@')[2]}/0").ping()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Pytest's own folders are closed to the user PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_servers_do_not_outlive_a_killed_program(open_folder: Path) -> None:
    program = (
        "import time; from tests import services\n"
        "with services.postgresql() as database, services.redis() as broker:\n"
        "    print(database, flush=True); time.sleep(60)\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "TMPDIR": str(open_folder)},
    )
    assert running.stdout is not None
    url = running.stdout.readline().strip()
    assert _answers(url)
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stdout.close()
    deadline = time.monotonic() + 10
    while _answers(url) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _answers(url)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
