"""B2: a sweep and a claim cost the same with a million deliveries behind them as with a thousand.

Two portals with the same twenty deliveries under way, one with a short history and one with a long one, each
in a process of its own, are asked in turns; what the machine does meanwhile meets both.

python -m bench.history serve --finished 1000000      one of the two, asked through its standard input
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Final

from bench import apart
from bench.figures import Figure, progress, publish
from tests import services

TARGET: Final = 1.5
FEW: Final = 1_000
UNDER_WAY: Final = 20
Sample = dict[str, float]


def measure(*, finished: int, samples: int, seed: int) -> list[bool]:
    """The ratios on both databases; `finished` is the long history."""
    verdicts = []
    with services.postgresql() as short, services.postgresql() as long:
        verdicts += _compare("postgresql", [short, long], finished, samples, seed)
    return verdicts + _compare("sqlite", ["", ""], finished, samples, seed)


def _compare(kind: str, addresses: list[str], finished: int, samples: int, seed: int) -> list[bool]:
    progress(f"history: {FEW:,} and {finished:,} finished deliveries on {kind}")
    with ExitStack() as stack:
        sizes = (FEW, finished)
        few, many = (
            stack.enter_context(_portal(address, size))
            for address, size in zip(addresses, sizes, strict=True)
        )
        asked = [(few(), many()) for _ in range(samples)]
    return [publish(_figure(kind, what, asked, finished, seed)) for what in asked[0][0]]


def _figure(kind: str, what: str, asked: list[tuple[Sample, Sample]], finished: int, seed: int) -> Figure:
    few, many = median(pair[0][what] for pair in asked), median(pair[1][what] for pair in asked)
    return Figure(
        id=f"B2_{what}_{finished}_finished_{kind}_ratio",
        target=TARGET,
        value=round(many / few, 3),
        n=len(asked),
        seed=seed,
        compared_with=f"{FEW} finished: median {few:.2f} ms; now {many:.2f} ms",
    )


@contextmanager
def _portal(address: str, finished: int) -> Iterator[Callable[[], Sample]]:
    """A portal with that much history; call it for one sample."""
    settings = {"DATABASE_URL": address} if address else {}
    with apart.started("bench.history", "serve", "--finished", str(finished), **settings) as process:
        questions, answers = process.stdin, process.stdout
        assert questions is not None
        assert answers is not None

        def ask() -> Sample:
            questions.write("\n")
            questions.flush()
            return dict(json.loads(answers.readline()))

        ask()  # a first one, which also waits for the history to be there
        yield ask
        questions.close()
        process.wait(timeout=30)


def serve(finished: int) -> None:
    """Fill an empty database, then answer each line of standard input with the times of one round."""
    import django  # noqa: PLC0415 - models need django.setup()

    django.setup()
    from bench import rounds  # noqa: PLC0415

    rounds.fill(finished, under_way=UNDER_WAY)
    for _ in sys.stdin:
        print(json.dumps({name: _timed(act) for name, act in rounds.ROUND.items()}), flush=True)


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=("serve", "measure"))
    parser.add_argument("--finished", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, default=200)
    chosen = parser.parse_args()
    if chosen.command == "serve":
        serve(chosen.finished)
    else:
        measure(finished=chosen.finished, samples=chosen.samples, seed=0)
