"""What starts with the wrong keys ends, and says why: each part in a process of its own."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal.stack.ports import HOST, free_port

ROOT = Path(__file__).resolve().parents[2]
KEY, OTHER = (base64.b64encode(letter * 32).decode() for letter in (b"k", b"o"))
WORKER = ("-m", "celery", "-A", "portal.celery:app", "worker", "--pool", "solo", "--concurrency", "1")


def run(folder: Path, key: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
        "CELERY_BROKER_URL": "filesystem://localhost",
        "CACHE_URL": "",
        "TOKEN_KEYS": f"main:{key}",
    }
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


@pytest.fixture(scope="module")
def started_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portal that was up once, so it has left a canary."""
    folder = tmp_path_factory.mktemp("portal")
    (folder / "static").mkdir()
    for words in (("manage.py", "migrate", "--verbosity", "0"), ("-c", "import portal.wsgi")):
        done = run(folder, KEY, *words)
        assert done.returncode == 0, done.stderr
    return folder


def test_with_the_right_keys_it_starts_again(started_before: Path) -> None:
    assert run(started_before, KEY, "-c", "import portal.wsgi").returncode == 0


@pytest.mark.parametrize("part", ["web", "worker", "check"])
def test_with_wrong_keys_nothing_starts(part: str, started_before: Path) -> None:
    words = {
        "web": ("-m", "gunicorn", "portal.wsgi:application", "--bind", f"{HOST}:{free_port()}"),
        "worker": WORKER,
        "check": ("manage.py", "check", "--database", "default"),
    }[part]
    ended = run(started_before, OTHER, *words)
    assert ended.returncode not in {0, None}
    assert "The key 'main' of TOKEN_KEYS is not the key of that name" in ended.stdout + ended.stderr
    assert OTHER not in ended.stdout + ended.stderr
