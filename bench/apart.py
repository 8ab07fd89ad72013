"""Measuring in a process of its own, which reads its own settings and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.environment import DEFAULTS
from tests.stacks import bare_environment

ROOT = Path(__file__).resolve().parents[1]


def run(module: str, *arguments: str, **settings: str) -> bool:
    """`python -m module` with an empty data folder, which is gone afterwards. True if every target is met."""
    with _environment(settings) as environment:
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


@contextmanager
def started(module: str, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """The same, but running beside, to be talked to through its standard input and output."""
    with _environment(settings) as environment:
        command = [sys.executable, "-m", module, *arguments]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as data:
        (Path(data) / "static").mkdir()  # WhiteNoise warns of a missing folder
        yield {
            **bare_environment(),
            **DEFAULTS,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATA_DIR": data,
            **settings,
        }
