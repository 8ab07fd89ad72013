from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection as database

from clio_sync.limits import budget
from clio_sync.models import RateState
from tests.cast import Cast
from tests.clio_sync import crowd
from tests.clio_sync.crowd import DOCUMENTS, LIMIT, WORKERS, Outcome, book_turns, rush
from tests.clio_sync.filing_kit import office
from tests.sandbox_process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db(transaction=True)
def test_workers_that_look_at_once_file_each_document_once_and_share_one_budget(
    clio_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    outcome = here(clio_sandbox) if database.vendor == "postgresql" else in_a_process(clio_sandbox, tmp_path)

    assert outcome.failures == []
    in_clio = {document["sha256"]: document["id"] for document in clio_sandbox.documents()}
    assert outcome.filed == in_clio
    assert len(clio_sandbox.documents()) == DOCUMENTS

    pace = 60 / (0.97 * LIMIT)
    assert len(outcome.turns) == 3 * WORKERS
    late = budget.LATENESS.total_seconds() + 0.05
    assert all(turn >= number * pace - late for number, turn in enumerate(outcome.turns)), outcome.turns


def here(clio: SandboxProcess) -> Outcome:
    firm = office(Cast(), clio)
    outcome = rush([firm.approved(f"paper {number}".encode()).pk for number in range(DOCUMENTS)])
    RateState.objects.update(limit=LIMIT)
    outcome.turns = book_turns(firm.link.pk).turns
    return outcome


def in_a_process(clio: SandboxProcess, folder: Path) -> Outcome:
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder / 'crowd.sqlite3'}",
        "DATA_DIR": str(folder),
        "CLIO_SANDBOX_URL": clio.api_url,
        "CLIO_SANDBOX_STORAGE_URL": clio.storage_url,
        "CLIO_SANDBOX_CONTROL_URL": clio.control_url,
    }
    ran = subprocess.run(
        [sys.executable, "-m", crowd.__name__], env=environment, cwd=ROOT, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return Outcome(**json.loads(ran.stdout))
