"""Everything `make check` asks, one line per question; a failure is printed whole."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
PYTHON = str(BIN / "python")
PACKAGES = ("portal", "reviews", "clio_sync", "tests", "bench", "scripts")


@dataclass(frozen=True)
class Question:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="countersign-check-") as data:
        failed = [question.name for question in _questions(data) if not _ask(question)]
    if failed:
        print(f"make check: {len(failed)} failed: {', '.join(failed)}")
        return 1
    print("make check: all clean")
    return 0


def _questions(data: str) -> list[Question]:
    local, production = _local(data), _production(data)
    manage = (PYTHON, "manage.py")
    return [
        Question("format", (str(BIN / "ruff"), "format", "--check", "."), local),
        Question("lint", (str(BIN / "ruff"), "check", "."), local),
        Question("tracked files", (PYTHON, "scripts/check_tree.py"), local),
        Question("templates", (str(BIN / "djade"), "--check", *_templates()), local),
        Question("imports", (str(BIN / "lint-imports"), "--no-cache"), local),
        Question("django", (*manage, "check", "--fail-level", "WARNING"), local),
        Question("migrations", (*manage, "makemigrations", "--check", "--dry-run"), local),
        Question("deployment", (*manage, "check", "--deploy", "--fail-level", "WARNING"), production),
        Question("types", (PYTHON, "-m", "mypy", *PACKAGES), local),
    ]


def _ask(question: Question) -> bool:
    began = time.monotonic()
    answer = subprocess.run(
        question.command,
        cwd=ROOT,
        env=question.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    verdict = "ok" if answer.returncode == 0 else "FAILED"
    print(f"{question.name:<14} {verdict:<7} {time.monotonic() - began:5.1f} s", flush=True)
    if answer.returncode:
        print(answer.stdout, flush=True)
    return answer.returncode == 0


def _templates() -> list[str]:
    listed = subprocess.run(
        ("git", "ls-files", "templates/*.html", "*/templates/*.html"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()


def _local(data: str) -> dict[str, str]:
    return {**_inherited(), "DEBUG": "true", "DATA_DIR": data}


def _production(data: str) -> dict[str, str]:
    return {
        **_inherited(),
        "DATA_DIR": data,
        "SECRET_KEY": secrets.token_urlsafe(64),
        "TOKEN_KEYS": f"check:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "ALLOWED_HOSTS": "countersign.example",
        "SITE_URL": "https://countersign.example",
        "DATABASE_URL": "postgresql://countersign@db.example/countersign",
        "CELERY_BROKER_URL": "redis://redis.example/0",
        "CACHE_URL": "redis://redis.example/1",
    }


def _inherited() -> dict[str, str]:
    """The caller's environment without settings of ours, so that the answers do not depend on who asks."""
    ours = ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "SITE_URL", "DATABASE_URL", "DATA_DIR", "TOKEN_KEYS")
    dropped = ("CELERY_", "CACHE_", "CLIO_", "EMAIL_", "DJANGO_")
    return {k: v for k, v in os.environ.items() if k not in ours and not k.startswith(dropped)}


if __name__ == "__main__":
    sys.exit(main())
