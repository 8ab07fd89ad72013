"""Restore an older backup under a portal that went on, and count what Clio holds in the end: goal S8.

    python -m bench.restore                    both databases, ten backups each
    python -m bench.restore --rounds 1         one backup each
    python -m bench.restore --without-gate     the same without the gate and without reconciling

Each round files documents, leaves others in every state of filing, makes a real backup, goes on (finishing,
approving, submitting, giving up), restores the backup, lets workers try, reconciles, approves again whatever
waits, and lets the workers finish. The sandbox's ledger judges.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import django
import psycopg

from tests import services
from tests.environment import DEFAULTS
from tests.sandbox_process import running_sandbox
from tests.stacks import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
SEED = 20261121
DATABASES = ("postgresql", "sqlite")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.restore", usage=__doc__)
    parser.add_argument("--on", choices=DATABASES)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--documents", type=int, default=30, help="of each round")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--without-gate", action="store_true")
    chosen = parser.parse_args(arguments)
    if chosen.on is None:
        return max(_in_own_process(on, arguments) for on in DATABASES)
    with _surroundings(chosen.on) as (folder, clio):
        # What follows knows the models, and Django has its settings only now.
        restoring = importlib.import_module("bench.restoring")
        is_good = restoring.measure(
            clio,
            backup=POSTGRESQL if chosen.on == "postgresql" else _sqlite(folder),
            database=chosen.on,
            rounds=chosen.rounds,
            documents=chosen.documents,
            seed=chosen.seed,
            with_gate=not chosen.without_gate,
        )
    return 0 if is_good else 1


def _in_own_process(on: str, arguments: Sequence[str]) -> int:
    return subprocess.run(
        [sys.executable, "-m", "bench.restore", "--on", on, *arguments], cwd=ROOT, check=False
    ).returncode


class Backup:
    """How one database is backed up and restored. Nobody may be connected meanwhile."""

    def __init__(self, make: Callable[[], None], restore: Callable[[], None]) -> None:
        self.make = make
        self.restore = restore


def _administer(*statements: str) -> None:
    """In PostgreSQL's own database, as the owner of ours."""
    address = urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(address._replace(path="/postgres").geturl(), autocommit=True) as server:
        for statement in statements:
            server.execute(statement.encode())


POSTGRESQL = Backup(
    lambda: _administer("DROP DATABASE IF EXISTS backup", "CREATE DATABASE backup TEMPLATE countersign"),
    lambda: _administer(
        "DROP DATABASE countersign WITH (FORCE)", "CREATE DATABASE countersign TEMPLATE backup"
    ),
)


def _sqlite(folder: Path) -> Backup:
    live, kept = folder / "portal.sqlite3", folder / "backup.sqlite3"
    return Backup(lambda: _copy(live, kept), lambda: _copy(kept, live))


def _copy(source: Path, target: Path) -> None:
    """By SQLite's own backup interface, which sees a whole database also in WAL mode."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


@contextmanager
def _surroundings(on: str) -> Iterator[tuple[Path, object]]:
    """A database and a sandbox of our own, and the settings that lead to them."""
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        del os.environ[name]
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="countersign-restore-", ignore_cleanup_errors=True)
            )
        )
        os.environ.update({**DEFAULTS, "DJANGO_SETTINGS_MODULE": "portal.settings", "DATA_DIR": str(folder)})
        if on == "postgresql":
            os.environ["DATABASE_URL"] = stack.enter_context(services.postgresql())
        clio = stack.enter_context(running_sandbox(folder, rate_limit=1_000_000, search_lag_seconds=0))
        os.environ["CLIO_SANDBOX_URL"], os.environ["CLIO_SANDBOX_STORAGE_URL"] = (
            clio.api_url,
            clio.storage_url,
        )
        django.setup()
        yield folder, clio


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
