"""Measure what docs/performance.md promises.

python -m bench             every figure, about half an hour
python -m bench --short     the same with few drafts, about two
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bench import apart, eta, filing, history, large_file, limiter, refresh_storm
from tests import services

SEED = 20261121


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", usage=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", choices=("queue", "filing", "tokens", "limiter", "large", "history"))
    chosen = parser.parse_args(arguments)
    verdicts = []
    if chosen.only in {None, "queue"}:
        verdicts += _queue_pages(short=chosen.short, seed=chosen.seed)
    if chosen.only in {None, "filing"}:
        single, backlog = (4, 10) if chosen.short else (40, 75)
        verdicts.append(filing.measure(single=single, backlog=backlog, seed=chosen.seed))
    if chosen.only in {None, "tokens"}:
        verdicts += refresh_storm.measure(on=refresh_storm.DATABASES, short=chosen.short, seed=chosen.seed)
    if chosen.only in {None, "limiter"}:
        verdicts += limiter.measure(limiter.SHORT if chosen.short else limiter.FULL, seed=chosen.seed)
        verdicts += eta.measure([4] if chosen.short else eta.PLACES, seed=chosen.seed)
    if chosen.only in {None, "large"}:
        verdicts.append(large_file.measure(short=chosen.short, seed=chosen.seed))
    if chosen.only in {None, "history"}:
        finished, samples = (20_000, 50) if chosen.short else (1_000_000, 200)
        verdicts += history.measure(finished=finished, samples=samples, seed=chosen.seed)
    return 0 if all(verdicts) else 1


def _queue_pages(*, short: bool, seed: int) -> list[bool]:
    drafts, requests = (2_000, 50) if short else (20_000, 400)
    with services.postgresql() as database:
        on_postgresql = _queue_page({"DATABASE_URL": database}, drafts=drafts, requests=requests, seed=seed)
    return [on_postgresql, _queue_page({}, drafts=drafts, requests=requests, seed=seed)]


def _queue_page(settings: dict[str, str], *, drafts: int, requests: int, seed: int) -> bool:
    told = ("--drafts", str(drafts), "--requests", str(requests), "--seed", str(seed))
    return apart.run("bench.queue_page", *told, **settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
