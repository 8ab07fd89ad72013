"""R10: how far the time that is shown for a delivery is from the time it takes.

    python -m bench.eta

A backlog is approved while nothing may be called; then the limit opens, the estimate of each is read, and
the sandbox's ledger says when each was confirmed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from bench.figures import Figure, progress, publish
from bench.rig import Rig, at_work
from tests import stacks
from tests.stacks import Stack

SEED: Final = 20261121
LIMIT: Final = 100
PLACES: Final = (10, 100)
AROUND: Final = 2
"""Places on either side whose errors count as well: two workers overtake each other."""
TARGET: Final = 0.15
FILED_WITHIN: Final = 300.0

_CODE: Final = """
import django, json, sys
django.setup()
from datetime import timedelta
from clio_sync.clock import database_now
from clio_sync.estimates import estimates
from clio_sync.models import Connection, Delivery, RateState
blocked = database_now() + timedelta(seconds=float(sys.argv[1]))
for link in Connection.objects.all():
    RateState.objects.update_or_create(connection=link, defaults={"blocked_until": blocked})
Delivery.objects.in_line().order_by().update(not_before=blocked)
line = list(Delivery.objects.in_line().select_related("approval"))
told = estimates(line)
print(json.dumps([[one.approval.destination["file_name"], told[one.pk].seconds] for one in line]))
"""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.eta", usage=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    return 0 if all(measure(seed=parser.parse_args(arguments).seed)) else 1


def measure(places: Sequence[int] = PLACES, *, seed: int, limit: int = LIMIT) -> list[bool]:
    documents = max(places) + AROUND
    with stacks.production(UNDO_SECONDS="0") as stack:
        stack.set_clio_limit(limit)
        with at_work(stack) as rig:
            drafts = rig.submit(documents, seed=seed)
            _estimates(stack, blocked=3600)
            progress(f"eta: approving {documents} documents while nothing is called")
            rig.approve(drafts)
            shown, at = _estimates(stack, blocked=2), time.time()
            progress("eta: waiting for the workers")
            filed = rig.wait_for(list(drafts), within=FILED_WITHIN)
            if len(filed) < documents:
                raise RuntimeError(f"only {len(filed)} of {documents} documents were filed")
            took = {name: confirmed - at for name, confirmed in _confirmed(rig).items()}
    return [publish(_figure(place, shown, took, limit=limit, seed=seed)) for place in places]


def _estimates(stack: Stack, *, blocked: float) -> list[tuple[str, float]]:
    """Nobody calls for so many seconds from now on; what is shown then, in the order of the line."""
    ran = stack.run("-c", _CODE, str(blocked))
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return [(name, float(seconds)) for name, seconds in json.loads(ran.stdout)]


def _confirmed(rig: Rig) -> dict[str, float]:
    """When each document was confirmed, by its name."""
    names = {
        call["response_body"]["data"]["id"]: str(call["body"]["data"]["name"])
        for call in rig.ledger.calls(method="POST", route="documents.create")
        if call["status"] == 201
    }
    confirmed = {}
    for call in rig.ledger.calls(method="PATCH"):
        number = int(call["path"].split("?")[0].removesuffix(".json").rpartition("/")[2])
        if call["status"] == 200 and number in names:
            confirmed[names[number]] = float(call["at_s"])
    return confirmed


def _figure(
    place: int, shown: Sequence[tuple[str, float]], took: Mapping[str, float], *, limit: int, seed: int
) -> Figure:
    near = shown[place - 1 - AROUND : place + AROUND]
    errors = [abs(seconds - took[name]) / took[name] for name, seconds in near]
    name, seconds = shown[place - 1]
    return Figure(
        id=f"R10_place_{place}_error",
        target=TARGET,
        value=round(median(errors), 3),
        n=len(errors),
        seed=seed,
        compared_with=f"shown {seconds:.1f} s, took {took[name]:.1f} s; "
        f"the worst of these places was {max(errors):.3f} off; {limit} calls a minute",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
