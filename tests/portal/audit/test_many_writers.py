from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.portal.audit.writers import append_at_once

ROOT = Path(__file__).resolve().parents[3]


if connection.vendor == "postgresql":

    @pytest.mark.django_db(transaction=True)
    def test_eight_writers_leave_no_gap_when_one_in_twenty_gives_up() -> None:
        outcome = append_at_once(writers=8, entries=504, give_up=0.05, seed=1)
        assert outcome.given_up > 5
        assert outcome.numbers == list(range(504 - outcome.given_up))
        assert outcome.verdict.startswith(f"VALID {outcome.kept} entries")


def test_writers_on_one_sqlite_file_leave_no_gap_when_some_give_up(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'log.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.portal.audit.writers", "4", "100"],
        check=True,
        capture_output=True,
        cwd=ROOT,
        env=environment,
        timeout=120,
    )
    outcome = json.loads(done.stdout)
    assert outcome["given_up"] > 0
    assert outcome["numbers"] == list(range(100 - outcome["given_up"]))
    assert outcome["verdict"].startswith(f"VALID {outcome['kept']} entries")
