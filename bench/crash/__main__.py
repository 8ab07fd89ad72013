"""Misfortune for single documents: goals S1, S3, S4, S5, S6 and S10 (docs/reliability.md)."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import django

from bench.crash import fleet
from bench.crash.plans import GOALS
from tests import services
from tests.environment import DEFAULTS
from tests.sandbox_process import SandboxProcess
from tests.stacks import SETTINGS

SEED = 20261121
WORKERS = {"production": 4, "embedded": 1}
SURROUNDINGS = {"DJANGO_SETTINGS_MODULE": "portal.settings", "SWEEP_SECONDS": "2", "UNDO_SECONDS": "0"}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.crash", description=__doc__)
    parser.add_argument("--on", choices=list(WORKERS), default="production")
    parser.add_argument("--only", type=lambda text: text.split(","), default=None)
    parser.add_argument("--runs", type=int, default=50, help="of each crash point and of each ghost")
    parser.add_argument("--documents", type=int, default=0, help="of S3 and S4, instead of 500 and 200")
    parser.add_argument("--seconds", type=float, default=300.0, help="of the soak")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--keep", type=Path, help="an empty folder for database, logs and ledger")
    chosen = parser.parse_args(arguments)
    chosen.only = chosen.only or GOALS[chosen.on]
    with _surroundings(chosen.on, keep=chosen.keep) as (folder, sandbox, database):
        # What follows knows the models, and Django has its settings only now.
        goals = importlib.import_module("bench.crash.goals")
        with fleet.at_sea(folder, sandbox, workers=WORKERS[chosen.on]) as ships:
            return 0 if goals.measure(chosen, ships, database) else 1


@contextmanager
def _surroundings(
    pair: str, *, keep: Path | None
) -> Iterator[tuple[Path, SandboxProcess, services.Postgresql | None]]:
    """A database, a broker and a sandbox of our own, and the settings that lead to them."""
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        del os.environ[name]
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(_temporary()))
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.update({**DEFAULTS, **SURROUNDINGS, "DATA_DIR": str(folder)})
        database = None
        if pair == "production":
            database = stack.enter_context(services.postgresql_server())
            redis = stack.enter_context(services.redis())
            os.environ |= {
                "DATABASE_URL": database.url,
                "CELERY_BROKER_URL": f"{redis}/0",
                "CACHE_URL": f"{redis}/1",
            }
        sandbox = stack.enter_context(fleet.a_sandbox(folder, workers=WORKERS[pair]))
        os.environ["CLIO_SANDBOX_URL"] = sandbox.api_url
        os.environ["CLIO_SANDBOX_STORAGE_URL"] = sandbox.storage_url
        django.setup()
        yield folder, sandbox, database


def _temporary() -> AbstractContextManager[str]:
    return tempfile.TemporaryDirectory(prefix="countersign-crash-", ignore_cleanup_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
