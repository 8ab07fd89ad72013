"""Many writers append at once, and some of them change their minds.

As a program (`python -m tests.portal.audit.writers 4 100`) it does so on the database of its environment,
which it makes first: threads can share a SQLite file, but not the test run's own database in memory.
"""

from __future__ import annotations

import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass


class ChangedTheirMind(Exception):
    pass


@dataclass(frozen=True)
class Outcome:
    kept: int
    given_up: int
    numbers: list[int]
    verdict: str


def append_at_once(*, writers: int, entries: int, give_up: float, seed: int) -> Outcome:
    from portal.audit.models import Entry
    from portal.audit.verify import verify

    with ThreadPoolExecutor(writers) as pool:
        jobs = [pool.submit(_append, seed + n, entries // writers, give_up=give_up) for n in range(writers)]
        done = [job.result() for job in jobs]
    return Outcome(
        kept=sum(kept for kept, _ in done),
        given_up=sum(given_up for _, given_up in done),
        numbers=list(Entry.objects.order_by("seq").values_list("seq", flat=True)),
        verdict=verify().line,
    )


def _append(seed: int, entries: int, *, give_up: float) -> tuple[int, int]:
    from django.db import connection, transaction

    from portal.audit.events import Event
    from portal.audit.log import Actor, Subject, record

    chance, kept, given_up = random.Random(seed), 0, 0
    for number in range(entries):
        try:
            with transaction.atomic():
                record(
                    Event.DRAFT_OPENED,
                    actor=Actor.system("test"),
                    subject=Subject("draft", f"{seed}-{number}"),
                )
                _decide(changed_their_mind=chance.random() < give_up)
            kept += 1
        except ChangedTheirMind:
            given_up += 1
    connection.close()
    return kept, given_up


def _decide(*, changed_their_mind: bool) -> None:
    if changed_their_mind:
        raise ChangedTheirMind


def main(writers: int, entries: int) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", "audit", verbosity=0)
    print(json.dumps(asdict(append_at_once(writers=writers, entries=entries, give_up=0.05, seed=7))))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
