"""Many processes meet an ended token at once; some are killed while they renew it, some sleep too long; and
the key that seals it changes.

    python -m bench.refresh_storm              T1, T3, T4 and T7, on PostgreSQL and on SQLite
    python -m bench.refresh_storm --short      with few processes and few rounds
    python -m bench.refresh_storm --seed-bug   without the lease: shows that T1 would be seen to fail

The sandbox's ledger counts the renewals, and its switches make a second one in the same round fatal: a
refresh token is dead once it was used, and its second use ends the whole grant.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import django
from django.core.management import call_command

from tests import services
from tests.environment import DEFAULTS
from tests.sandbox_process import SandboxProcess, running_sandbox
from tests.stacks import bare_environment

ROOT = Path(__file__).resolve().parents[1]
SEED: Final = 20261121
DATABASES: Final = ("postgresql", "sqlite")
PLENTY: Final = 1_000_000


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.refresh_storm", usage=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed-bug", action="store_true")
    parser.add_argument("--on", choices=DATABASES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--here", action="store_true", help="on the database of this environment")
    chosen = parser.parse_args(arguments)
    if chosen.here:
        return _here(short=chosen.short, seed=chosen.seed, without_lease=chosen.seed_bug)
    passed = measure(
        on=[chosen.on] if chosen.on else DATABASES,
        short=chosen.short,
        seed=chosen.seed,
        without_lease=chosen.seed_bug,
    )
    return 0 if all(passed) else 1


def measure(*, on: Sequence[str], short: bool, seed: int, without_lease: bool = False) -> list[bool]:
    """On each of these databases, in a process of its own that reads the right settings."""
    words = ["--here", "--seed", str(seed), *(["--short"] if short else [])]
    words += ["--seed-bug"] if without_lease else []
    verdicts = []
    for database in on:
        with tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder, _database(database) as url:
            data = Path(folder)
            (data / "static").mkdir()  # WhiteNoise warns of a missing folder
            with running_sandbox(data, rate_limit=PLENTY, refresh_reuse_kills_grant=True) as sandbox:
                measured = subprocess.run(
                    [sys.executable, "-m", "bench.refresh_storm", *words],
                    cwd=ROOT,
                    env={**_environment(data, sandbox), **url},
                    check=False,
                )
        verdicts.append(measured.returncode == 0)
    return verdicts


@contextmanager
def _database(name: str) -> Iterator[dict[str, str]]:
    if name == "sqlite":
        yield {}
        return
    with services.postgresql() as url:
        yield {"DATABASE_URL": url}


def _environment(data: Path, sandbox: SandboxProcess) -> dict[str, str]:
    return {
        **bare_environment(),
        **DEFAULTS,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATA_DIR": str(data),
        "CLIO_SANDBOX_URL": sandbox.api_url,
        "CLIO_SANDBOX_STORAGE_URL": sandbox.storage_url,
        "CLIO_SANDBOX_CONTROL_URL": sandbox.control_url,
    }


def _here(*, short: bool, seed: int, without_lease: bool) -> int:
    django.setup()
    call_command("migrate", verbosity=0)
    from bench import key_rotation, renewals  # noqa: PLC0415 - models need django.setup()
    from bench.rehearsal import rehearse  # noqa: PLC0415

    rehearsal = rehearse()
    if without_lease:
        return 0 if renewals.without_lease(rehearsal, seed=seed) else 1
    crowd, rounds = (3, 1) if short else (8, 10)
    passed = [key_rotation.rotated(rehearsal, crowd=crowd, rounds=rounds, seed=seed)]
    passed += renewals.run(rehearsal, short=short, seed=seed)
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
