"""The short form of goal S8: an older backup is restored under a portal that went on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import restore

ROOT = Path(__file__).resolve().parents[2]


def figures(*words: str) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.restore", "--rounds", "1", "--documents", "18", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = {figure["id"]: figure for figure in map(json.loads, done.stdout.splitlines())}
    assert told, done.stderr[-4000:]
    assert (done.returncode == 0) == all(figure["pass"] for figure in told.values())
    return told


@pytest.mark.parametrize(
    "database",
    [pytest.param(name, marks=pytest.mark.xdist_group(f"{name}-restore")) for name in restore.DATABASES],
)
def test_a_restored_backup_files_nothing_twice_and_loses_nothing(database: str) -> None:
    told = figures("--on", database)
    assert [figure["value"] for figure in told.values()] == [0] * 5
    assert told[f"S8_duplicates_{database}"]["n"] >= 18
    assert not told[f"S8_duplicates_{database}"]["compared_with"].startswith(
        "1 backups restored; 0 approvals"
    )


@pytest.mark.xdist_group("sqlite-restore")
def test_without_the_gate_the_same_restore_files_twice() -> None:
    """A harness that cannot see the bug proves nothing."""
    assert figures("--on", "sqlite", "--without-gate")["S8_duplicates_sqlite"]["value"] > 0
