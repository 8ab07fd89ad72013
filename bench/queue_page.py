"""How long the server takes for the queue page, and how many queries it asks, at 1,000 and at 20,000 drafts.

Run by `python -m bench` with an empty database in the environment.
"""

from __future__ import annotations

import argparse
import random
import time

import django
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.figures import Figure, percentile, progress, publish

TARGET_MS = 100.0
TARGET_QUERIES = 10
FEW = 1_000
ADDRESSES = (
    "/",
    "/?page=7",
    "/?tab=mine",
    "/?tab=returned",
    "/?tab=filed",
    "/?tab=filed&page=20",
    "/?q=affidavit",
    "/?tab=filed&q=affidavit+notice",
    "/?matter=2026-0042",
    "/?age=7",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--drafts", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261121)
    chosen = parser.parse_args()
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    return 0 if _measure(drafts=chosen.drafts, requests=chosen.requests, seed=chosen.seed) else 1


def _measure(*, drafts: int, requests: int, seed: int) -> bool:
    from bench.population import PASSWORD, a_firm, populate  # noqa: PLC0415 - models need django.setup()

    firm, database = a_firm(), connection.vendor
    client = Client(SERVER_NAME="localhost")
    answer = client.post("/account/login/", {"login": firm.reviewer.email, "password": PASSWORD})
    if answer.status_code != 302:
        raise RuntimeError(f"the bench cannot sign in: {answer.status_code}")
    progress(f"queue page on {database}: {FEW} drafts")
    populate(firm, drafts=FEW, seed=seed)
    _analyze()
    few = percentile(_times(client, requests, seed), 0.95)
    progress(f"queue page on {database}: {drafts} drafts")
    populate(firm, drafts=drafts - FEW, seed=seed + 1)
    _analyze()
    many, queries = percentile(_times(client, requests, seed), 0.95), _most_queries(client)
    figures = (
        Figure(
            id=f"queue_page_{drafts}_drafts_{database}_p95_ms",
            target=TARGET_MS,
            value=round(many, 1),
            n=requests,
            seed=seed,
            compared_with=f"{FEW} drafts: {few:.1f} ms",
        ),
        Figure(
            id=f"queue_page_{drafts}_drafts_{database}_queries",
            target=TARGET_QUERIES,
            value=queries,
            n=len(ADDRESSES),
            seed=seed,
            compared_with="the most that any tab, page or search asks",
        ),
    )
    verdicts = [publish(figure) for figure in figures]
    return all(verdicts)


def _times(client: Client, requests: int, seed: int) -> list[float]:
    """Milliseconds of each request, through every middleware and template, after two warm rounds."""
    chance = random.Random(seed)
    for address in ADDRESSES * 2:
        _get(client, address)
    times: dict[str, list[float]] = {address: [] for address in ADDRESSES}
    for _ in range(requests):
        address = chance.choice(ADDRESSES)
        began = time.perf_counter()
        _get(client, address)
        times[address].append((time.perf_counter() - began) * 1000)
    for address, taken in times.items():
        progress(
            f"  {address:<34} median {percentile(taken, 0.5):6.1f} ms  p95 {percentile(taken, 0.95):6.1f} ms"
        )
    return [one for taken in times.values() for one in taken]


def _most_queries(client: Client) -> int:
    counts = []
    for address in ADDRESSES:
        with CaptureQueriesContext(connection) as asked:
            _get(client, address)
        counts.append(len(asked))
    return max(counts)


def _get(client: Client, address: str) -> None:
    answer = client.get(address)
    if answer.status_code != 200 or not answer.content:
        raise RuntimeError(f"{address} answered {answer.status_code}")


def _analyze() -> None:
    """What a database does for itself within the day."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    raise SystemExit(main())
