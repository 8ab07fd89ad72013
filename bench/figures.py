"""One measured figure as one JSON line."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`target` and `value` are in the unit that ends the id; at most, unless `at_least`."""

    id: str
    target: float
    value: float
    n: int
    seed: int
    compared_with: str
    at_least: bool = False

    @property
    def passes(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target

    def line(self) -> str:
        told = asdict(self)
        del told["at_least"]
        return json.dumps({**told, "pass": self.passes})


def publish(figure: Figure) -> bool:
    print(figure.line(), flush=True)
    return figure.passes


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
