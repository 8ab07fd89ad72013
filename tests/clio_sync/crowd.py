"""Many workers at the same rows in the same moment, for tests on either database.

    DATABASE_URL=sqlite:////some/file CLIO_SANDBOX_URL=... python -m tests.clio_sync.crowd

A test database of SQLite lives in memory and is not shared like a file, so there the crowd gets a process and
a file of its own. What Clio got is asked of the sandbox afterwards.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from uuid import UUID

DOCUMENTS = 3
WORKERS = 4
LIMIT = 600


@dataclass
class Outcome:
    """What the database says after the rush."""

    filed: dict[str, int] = field(default_factory=dict)  # sha256 to Clio's document
    turns: list[float] = field(default_factory=list)  # seconds after the first one
    failures: list[str] = field(default_factory=list)


def at_once(work: Callable[[], None]) -> list[str]:
    """Run `work` in as many threads as there are workers; the names of what was raised."""
    from django.db import connection as database

    start, failures = threading.Barrier(WORKERS), []

    def run() -> None:
        try:
            start.wait()
            work()
        except Exception as error:  # noqa: BLE001 - the test tells what it was
            failures.append(repr(error))
        finally:
            database.close()

    threads = [threading.Thread(target=run) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def rush(deliveries: list[UUID]) -> Outcome:
    """Every worker looks at every delivery, all at the same time."""
    from clio_sync import filing
    from clio_sync.models import Delivery

    def work() -> None:
        for delivery_id in deliveries:
            filing.deliver(delivery_id)

    outcome = Outcome(failures=at_once(work))
    for delivery in Delivery.objects.filter(pk__in=deliveries, state=Delivery.State.FILED):
        outcome.filed[delivery.sha256_sent] = delivery.clio_document_id or 0
    return outcome


def book_turns(connection_id: UUID) -> Outcome:
    """Every worker takes turns of one budget as fast as it gets them."""
    from clio_sync.clock import database_now
    from clio_sync.limits import Priority, wait_for_turn

    turns: list[float] = []

    def work() -> None:
        for _ in range(3):
            wait_for_turn(connection_id, Priority.CONFIRM)
            turns.append(database_now().timestamp())

    failures = at_once(work)
    return Outcome(turns=[turn - min(turns) for turn in sorted(turns)], failures=failures)


def main() -> None:
    import os

    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    from clio_sync.models import RateState
    from tests.cast import Cast
    from tests.clio_sync.filing_kit import office
    from tests.sandbox_process import SandboxProcess

    clio = SandboxProcess(data=None)  # type: ignore[arg-type]
    clio.api_url, clio.control_url = os.environ["CLIO_SANDBOX_URL"], os.environ["CLIO_SANDBOX_CONTROL_URL"]
    firm = office(Cast(), clio)
    outcome = rush([firm.approved(f"paper {number}".encode()).pk for number in range(DOCUMENTS)])
    RateState.objects.update(limit=LIMIT)
    outcome.turns = book_turns(firm.link.pk).turns
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    import tests.environment  # noqa: F401 - settings are read from the environment, so it comes first

    main()
