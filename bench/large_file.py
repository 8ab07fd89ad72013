"""How much memory a large file costs the worker that files it, and how fast it goes, compared with curl.

Run by `python -m bench` with an empty data folder in the environment. Each turn files the same bytes in
parts, sends them with `curl -T`, and files them in one piece; times are the storage's own, from the first
byte of the first part to the answer to the last.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import django
from django.core.management import call_command

from bench import apart
from bench.figures import Figure, progress, publish
from tests.sandbox_process import SandboxProcess, running_sandbox
from tests.stacks import wait_until

if TYPE_CHECKING:
    from clio_sync.models import Delivery
    from portal.blobs import Blob
    from tests.clio_sync.filing_kit import Office

ROOT = Path(__file__).resolve().parents[1]
MIB = 1024 * 1024
MEMORY_TARGET_MIB = 32
SHARE_TARGET = 0.8
FILED_WITHIN = 600.0
IN_PARTS, IN_ONE_PIECE = "parts", "one-piece"
HANGING = 5
"""The part in which a worker is killed."""


@dataclass(frozen=True)
class Turn:
    """One file filed by one worker process."""

    seconds: float
    """By the storage's clock, while bytes were on their way."""
    seconds_in_all: float
    """From the approval until it was filed: with the message, the hashing and the three calls."""
    grown_mib: float
    """What the process's peak memory rose by, compared with a file of a few bytes before it."""


def measure(*, short: bool, seed: int) -> bool:
    """True if every target is met. The short form asserts what no busy machine can change."""
    size = ("--mebibytes", "128", "--turns", "1", "--pace-only-told") if short else ()
    return apart.run("bench.large_file", *size, "--seed", str(seed))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--pace-only-told", action="store_true", help="let no busy machine fail it")
    parser.add_argument("--worker", choices=(IN_PARTS, IN_ONE_PIECE))
    chosen = parser.parse_args()
    if chosen.worker:
        _work(chosen.worker)
    with tempfile.TemporaryDirectory(prefix="countersign-large-") as folder:
        return 0 if _measure(Path(folder), chosen) else 1


def _work(manner: str) -> NoReturn:
    """Be a worker process."""
    django.setup()
    from clio_sync.filing import parts  # noqa: PLC0415 - models need django.setup()
    from portal.celery import app  # noqa: PLC0415

    parts.FROM_BYTES = 1 * MIB if manner == IN_PARTS else sys.maxsize  # type: ignore[misc]
    app.worker_main(
        ["worker", "--pool", "solo", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"]
    )


def _measure(folder: Path, chosen: argparse.Namespace) -> bool:
    with running_sandbox(folder, rate_limit=100_000) as clio:
        os.environ["CLIO_SANDBOX_URL"] = clio.api_url
        os.environ["CLIO_SANDBOX_STORAGE_URL"] = clio.storage_url
        os.environ["MAX_DRAFT_BYTES"] = str((chosen.mebibytes + 1) * MIB)
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
        return _take_turns(clio, chosen)


def _take_turns(clio: SandboxProcess, chosen: argparse.Namespace) -> bool:
    from tests.cast import Cast  # noqa: PLC0415 - models need django.setup()
    from tests.clio_sync.filing_kit import office  # noqa: PLC0415

    firm = office(Cast(), clio)
    blob = _large_blob(chosen.mebibytes, chosen.seed)
    sandbox_before = 0.0
    turns: dict[str, list[Turn]] = {IN_PARTS: [], IN_ONE_PIECE: []}
    curl: list[float] = []
    for number in range(1, chosen.turns + 1):
        for manner, taken in turns.items():
            taken.append(_filed(firm, blob, manner))
            progress(f"large file, turn {number}: {manner} {_rate(blob, taken[-1].seconds):.0f} MB/s")
            sandbox_before = sandbox_before or _peak_mib(_pid(clio))
            if manner == IN_PARTS:
                curl.append(_curled(firm, blob))
                progress(f"large file, turn {number}: curl {_rate(blob, curl[-1]):.0f} MB/s")
    figures = [
        *_figures(turns, curl, blob, chosen),
        Figure(
            id="B1_sandbox_memory_growth_mib",
            target=MEMORY_TARGET_MIB,
            value=round(_peak_mib(_pid(clio)) - sandbox_before, 1),
            n=3 * chosen.turns - 1,
            seed=chosen.seed,
            compared_with="its peak after the first of these files",
        ),
        _killed_in_a_part(firm, blob, chosen.seed),
    ]
    verdicts = [publish(figure) for figure in figures]
    return all(verdicts)


def _figures(
    turns: dict[str, list[Turn]], curl: list[float], blob: Blob, chosen: argparse.Namespace
) -> Iterator[Figure]:
    for manner, taken in turns.items():
        yield Figure(
            id=f"B1_{manner.replace('-', '_')}_memory_growth_mib",
            target=MEMORY_TARGET_MIB,
            value=round(max(turn.grown_mib for turn in taken), 1),
            n=len(taken),
            seed=chosen.seed,
            compared_with=f"the same worker process after a file of 38 bytes; {chosen.mebibytes} MiB filed",
        )
    by_curl, in_parts, in_one_piece = (
        statistics.median(times)
        for times in (curl, *([turn.seconds for turn in taken] for taken in turns.values()))
    )
    in_all = statistics.median(turn.seconds_in_all for turn in turns[IN_PARTS])
    yield Figure(
        id="B1_throughput_share_of_curl",
        target=0.0 if chosen.pace_only_told else SHARE_TARGET,
        value=round(by_curl / in_parts, 3),
        n=len(curl),
        seed=chosen.seed,
        compared_with=(
            f"medians: curl -T {_rate(blob, by_curl):.0f} MB/s, in parts {_rate(blob, in_parts):.0f} MB/s, "
            f"in one piece {_rate(blob, in_one_piece):.0f} MB/s; approval to filed {in_all:.1f} s"
        ),
        at_least=True,
    )


def _killed_in_a_part(firm: Office, blob: Blob, seed: int) -> Figure:
    """Killed while one part hangs and all the others are there; the next worker sends what is missing."""
    from clio_sync import bell  # noqa: PLC0415 - models need django.setup()

    progress("large file: kill -9 in the middle of a part")
    _afresh(firm)
    firm.clio.fault("storage.put", "delay", seconds=3600, contains=f"partNumber={HANGING}&")
    with _worker(IN_PARTS) as worker:
        delivery = firm.approved(blob)
        wait_until(lambda: _missing(delivery) == [HANGING], what="the other parts", within=FILED_WITHIN)
        worker.kill()
    since = firm.clio.last_call_id()
    firm.later(delivery)
    with _worker(IN_PARTS):
        bell.ring(delivery.pk)
        _wait_for(delivery)
    _require_same_bytes(firm, delivery)
    sent_again = firm.clio.calls(route="storage.put", since=since)
    return Figure(
        id="B1_parts_sent_again_after_a_kill",
        target=1,
        value=len(sent_again),
        n=1,
        seed=seed,
        compared_with="the one part that was under way; the other parts had arrived and were recorded",
    )


def _missing(delivery: Delivery) -> list[int]:
    if not delivery.parts.exists():
        return []
    return list(delivery.parts.filter(sent_at=None).values_list("number", flat=True))


def _large_blob(mebibytes: int, seed: int) -> Blob:
    from portal import blobs  # noqa: PLC0415

    block = random.Random(seed).randbytes(MIB - 8)
    chunks = (number.to_bytes(8, "big") + block for number in range(mebibytes))
    return blobs.store(chunks, limit=mebibytes * MIB)


def _filed(firm: Office, blob: Blob, manner: str) -> Turn:
    """A small file and then the large one, by one new worker process."""
    _afresh(firm)
    with _worker(manner) as worker:
        _wait_for(firm.approved())
        before, since, began = _peak_mib(worker.pid), firm.clio.last_call_id(), time.monotonic()
        delivery = firm.approved(blob)
        _wait_for(delivery)
        ended = time.monotonic()
        grown = _peak_mib(worker.pid) - before
    _require_same_bytes(firm, delivery)
    return Turn(_time_of_transfer(firm, since), ended - began, grown)


def _require_same_bytes(firm: Office, delivery: Delivery) -> None:
    (held,) = [one for one in firm.visible() if one["id"] == delivery.clio_document_id]
    if held["versions"][-1]["stored_sha256"] != delivery.approval.sha256:
        raise RuntimeError("the storage holds other bytes")


def _curled(firm: Office, blob: Blob) -> float:
    """The same file to the same storage by curl, at an address that Clio signed."""
    from clio_sync.api.wire import Parent  # noqa: PLC0415
    from clio_sync.calls import client_for  # noqa: PLC0415
    from portal import blobs  # noqa: PLC0415

    _afresh(firm)
    since = firm.clio.last_call_id()
    with client_for(firm.link) as client:
        room = client.reserve_document("curl.txt", parent=Parent.matter(firm.matter_id))
    headers = [f'header = "{name}: {value}"' for name, value in room.put_headers]
    config = "\n".join([f'url = "{room.put_url.reveal()}"', *headers])
    subprocess.run(
        [
            "curl",
            "--silent",
            "--show-error",
            "--fail",
            "--config",
            "-",
            "-T",
            str(blobs.path_of(blob.sha256)),
        ],
        input=config.encode(),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return _time_of_transfer(firm, since)


def _afresh(firm: Office) -> None:
    """Clio empty again, so that no turn pays for the disk of an earlier one."""
    from tests import factories  # noqa: PLC0415

    firm.clio.reset()
    factories.tokens_for(firm.link, firm.clio)


@contextmanager
def _worker(manner: str) -> Iterator[subprocess.Popen[bytes]]:
    quietly = ("-W", "ignore:You're running the worker with superuser")
    command = [sys.executable, *quietly, "-m", "bench.large_file", "--worker", manner]
    worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait(timeout=60)


def _wait_for(delivery: Delivery) -> None:
    def is_over() -> bool:
        delivery.refresh_from_db()
        time.sleep(0.02)
        return delivery.state in delivery.FINAL or bool(delivery.hold)

    wait_until(is_over, what="the worker", within=FILED_WITHIN)
    if delivery.state != delivery.State.FILED:
        raise RuntimeError(f"it was not filed: {delivery.state} {delivery.problem}")


def _time_of_transfer(firm: Office, since: int) -> float:
    calls: list[dict[str, Any]] = firm.clio.calls(route="storage.put", since=since)
    return float(
        max(call["at_s"] for call in calls)
        - min(call["at_s"] - call["milliseconds"] / 1000 for call in calls)
    )


def _pid(clio: SandboxProcess) -> int:
    return clio.process.pid if clio.process else 0


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def _rate(blob: Blob, seconds: float) -> float:
    return blob.size / seconds / 1_000_000


if __name__ == "__main__":
    sys.exit(main())
