"""One winner, whoever comes at once, on PostgreSQL and on a SQLite file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.reviews.racing import RACES

ROOT = Path(__file__).resolve().parents[2]
Race = Callable[[str], dict[str, Any]]

if connection.vendor == "postgresql":

    @pytest.fixture
    def race(transactional_db: None) -> Race:
        return lambda name: RACES[name]()

else:

    @pytest.fixture
    def race(tmp_path: Path) -> Race:
        """In a process of its own: threads cannot share a database in memory."""
        environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'portal.sqlite3'}",
            "DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }

        def run(name: str) -> dict[str, Any]:
            done = subprocess.run(
                [sys.executable, "-m", "tests.reviews.racing", name],
                capture_output=True,
                text=True,
                check=False,
                cwd=ROOT,
                env=environment,
                timeout=120,
            )
            assert done.returncode == 0, done.stderr[-3000:]
            told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            return told

        return run


def test_eight_approvals_at_once_are_one_delivery(race: Race) -> None:
    told = race("approvals")
    assert told["done"]["approved"] == 1
    assert set(told["done"]) <= {"approved", "NotNewest", "NotAllowed", "WrongState"}
    assert (told["decisions"], told["approvals"], told["deliveries"]) == (1, 1, 1)
    assert told["log"] == "VALID"


def test_a_new_version_and_an_approval_never_both_happen(race: Race) -> None:
    told = race("approval_and_new_version")
    for end in told["ends"]:
        assert ("approved" in end) != ("added" in end), told["ends"]
    assert told["approved_but_not_newest"] == 0
    assert told["log"] == "VALID"


def test_an_undo_and_a_worker_never_both_have_it(race: Race) -> None:
    told = race("undo_and_claim")
    assert set(told["ends"]) <= {"TooLate claimed", "nothing undone"}
    assert (told["in_review_with_a_live_delivery"], told["withdrawn_and_claimed"]) == (0, 0)
    assert told["log"] == "VALID"


def test_one_idempotency_key_sent_eight_times_at_once_is_one_draft(race: Race) -> None:
    told = race("one_idempotency_key")
    assert told["statuses"].keys() <= {"200", "201"}
    assert told["statuses"]["201"] == 1
    assert (told["ids"], told["drafts"], told["submissions"]) == (1, 1, 1)
    assert told["log"] == "VALID"
