"""Several processes' worth of threads write entries and carry the mark on, while somebody watches it.

As a program (`python -m tests.portal.marking 4 60`) on the database of its environment, which it makes first:
threads can share a SQLite file, but not the test run's own database in memory.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Outcome:
    went_back: int
    refused: int
    looks: int
    is_newest: bool


def carry_on_at_once(*, writers: int, entries: int) -> Outcome:
    from portal import gate
    from portal.audit.models import Head

    with ThreadPoolExecutor(writers) as pool:
        jobs = [pool.submit(_carry_on, entries // writers) for _ in range(writers)]
        seen = []
        while not all(job.done() for job in jobs):
            seen.append(_marked())
        refused = sum(job.result() for job in jobs)
    gate.advance()
    gate.advance()
    return Outcome(
        went_back=sum(after < before for before, after in pairwise(seen)),
        refused=refused,
        looks=len(seen),
        is_newest=_marked() == Head.objects.get().size - 1,
    )


def _marked() -> int:
    from portal import gate
    from portal.audit import mark

    found = mark.read(gate.folder() / gate.MARK)
    return found.entry if found else -1


def _carry_on(entries: int) -> int:
    from django.db import connection, transaction

    from portal import gate
    from portal.audit.events import Event
    from portal.audit.log import Actor, record

    refused = 0
    for _ in range(entries):
        with transaction.atomic():
            record(Event.AUDIT_VERIFIED, actor=Actor.system("test"), subject=None)
        refused += gate.advance() is not None
    connection.close()
    return refused


def main(writers: int, entries: int) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", "audit", verbosity=0)
    print(json.dumps(asdict(carry_on_at_once(writers=writers, entries=entries))))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
