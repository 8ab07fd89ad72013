from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from tests.stacks import bare_environment, postgresql_and_redis

ROOT = Path(__file__).resolve().parents[2]
Servers = Callable[[], AbstractContextManager[dict[str, str]]]


def embedded() -> AbstractContextManager[dict[str, str]]:
    return nullcontext({})


@pytest.mark.parametrize(
    "servers",
    [
        pytest.param(embedded, marks=pytest.mark.xdist_group("embedded-aside"), id="embedded"),
        pytest.param(
            postgresql_and_redis, marks=pytest.mark.xdist_group("production-aside"), id="production"
        ),
    ],
)
def test_the_demo_proves_every_claim(servers: Servers, tmp_path: Path) -> None:
    with servers() as settings:
        demo = subprocess.run(
            [sys.executable, "-m", "portal.stack", "demo"],
            cwd=ROOT,
            env={**bare_environment(), **settings, "TMPDIR": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    rows = [line.split("  ")[0] for line in demo.stdout.splitlines() if "all alike" in line]
    assert len(rows) >= 6
    assert len({Path(name).suffix for name in rows}) >= 4
    assert "audit_verify: VALID" in demo.stdout
    # A worker that had to be killed at the end leaves the empty folder of its process pool.
    assert [left for left in tmp_path.iterdir() if not left.name.startswith("pymp-")] == []
