"""Processes that call Clio through one connection for a while, as fast as its budget lets them.

Run by `bench.limiter`, with a migrated database and a sandbox in the environment. Prints one line of JSON:
how long each search of a person waited for its turn, in seconds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import cycle
from multiprocessing.connection import Connection as Pipe
from uuid import uuid4

import django
import httpx
from django.conf import settings

processes = multiprocessing.get_context("fork")
OTHERS = "another program"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--people", type=float, default=0.0, help="searches a minute")
    parser.add_argument("--others", type=float, default=0.0, help="calls a minute past the budget")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    chosen = parser.parse_args()
    django.setup()
    link = _connection()
    until = time.monotonic() + chosen.seconds
    mine, theirs = processes.Pipe()
    started = [processes.Process(target=_work, args=(link, until)) for _ in range(chosen.workers)]
    for job, a_minute in ((_search, chosen.people), (_call_past_the_budget, chosen.others)):
        if a_minute:
            started.append(processes.Process(target=job, args=(link, until, a_minute, chosen.seed, theirs)))
    for process in started:
        process.start()
    for process in started:
        process.join()
    print(json.dumps(mine.recv() if mine.poll() else []), flush=True)
    return max(abs(process.exitcode or 0) for process in started)


def _connection() -> str:
    """A connection of a firm of its own; what it was made with stays with this process."""
    from django.db import connection as database  # noqa: PLC0415

    from portal.accounts.models import Role  # noqa: PLC0415
    from tests import factories  # noqa: PLC0415
    from tests.cast import person  # noqa: PLC0415
    from tests.sandbox_process import SandboxProcess  # noqa: PLC0415

    clio = SandboxProcess(data=None)  # type: ignore[arg-type]
    clio.api_url, clio.control_url = settings.CLIO_API_URLS["sandbox"], os.environ["CLIO_SANDBOX_CONTROL_URL"]
    account = uuid4().int % 2**60
    link = factories.connection(connected_by=person(f"dana-{account}", Role.ADMIN), account_id=account)
    factories.tokens_for(link, clio)
    database.close()
    return str(link.pk)


def _work(link: str, until: float) -> None:
    """Reserve and confirm in turn, without a document: only their rank matters to the budget."""
    from clio_sync import limits  # noqa: PLC0415
    from clio_sync.api.errors import RetryLater  # noqa: PLC0415
    from clio_sync.calls import client_for  # noqa: PLC0415
    from clio_sync.limits import Priority  # noqa: PLC0415
    from clio_sync.models import Connection  # noqa: PLC0415

    connection = Connection.objects.get(pk=link)
    ranks = cycle([Priority.RESERVE, Priority.CONFIRM])
    gates = (limits.gate(connection.pk, rank) for rank in ranks)

    def before_call(route: str) -> None:
        next(gates)(route)

    with client_for(connection, before_call=before_call) as clio:
        while time.monotonic() < until:
            try:
                clio.who_am_i()
            except RetryLater as error:
                time.sleep(min(error.retry_after or 1.0, 5.0))


def _search(link: str, until: float, a_minute: float, seed: int, told: Pipe) -> None:
    """Searches for matters, at odd moments and never the same; the wait for the turn is measured."""
    from clio_sync import limits, matters  # noqa: PLC0415
    from clio_sync.errors import ClioUnavailable  # noqa: PLC0415
    from clio_sync.models import Connection  # noqa: PLC0415

    waits: list[float] = []
    gate = limits.gate

    def timed(*of: object) -> Callable[[str], None]:
        pass_gate = gate(*of)  # type: ignore[arg-type]

        def before_call(route: str) -> None:
            began = time.monotonic()
            try:
                pass_gate(route)
            finally:
                waits.append(time.monotonic() - began)

        return before_call

    limits.gate = timed  # type: ignore[assignment]
    connection = Connection.objects.get(pk=link)
    for number in _moments(until, a_minute, seed):
        with suppress(ClioUnavailable):
            matters.search(connection, f"2026-00{number}")
    told.send(waits)


def _call_past_the_budget(link: str, until: float, a_minute: float, seed: int, _told: Pipe) -> None:
    """Somebody else's program with the same token. It obeys Retry-After, and knows nothing of the portal."""
    from clio_sync import tokens  # noqa: PLC0415
    from clio_sync.models import Connection  # noqa: PLC0415

    token = tokens.fresh_token(Connection.objects.get(pk=link)).reveal()
    headers = {"Authorization": f"Bearer {token}", "User-Agent": OTHERS}
    address = f"{settings.CLIO_API_URLS['sandbox']}/api/v4/users/who_am_i.json"
    with httpx.Client(headers=headers, timeout=30) as http:
        for _ in _moments(until, a_minute, seed):
            time.sleep(float(http.get(address).headers.get("retry-after", "0")))


def _moments(until: float, a_minute: float, seed: int) -> Iterator[int]:
    chance, number = random.Random(seed), 0
    while True:
        number += 1
        time.sleep(chance.expovariate(a_minute / 60))
        if time.monotonic() >= until:
            return
        yield number


if __name__ == "__main__":
    raise SystemExit(main())
