"""Many workers that find the same token due at the same moment, for tests on either database.

DATABASE_URL=sqlite:////some/file python -m tests.clio_sync.renewing THREADS < what the row holds, as JSON
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from clio_sync.models import Connection
    from portal.accounts.models import User


@dataclass
class Outcome:
    """What the workers got: digests of the tokens, and the names of errors."""

    tokens: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    version: int = 0


def due_connection(
    connected_by: User, *, access: str, refresh: str, expires_in: int, clio_user_id: int
) -> Connection:
    """A connection whose token of thirty days has `expires_in` seconds left."""
    from django.utils import timezone

    from clio_sync import tokens
    from clio_sync.api.secret import Secret
    from clio_sync.models import Connection
    from tests import factories

    expires_at = timezone.now() + timedelta(seconds=expires_in)
    link = factories.connection(
        connected_by=connected_by,
        clio_user_id=clio_user_id,
        token_version=1,
        expires_at=expires_at,
        token_issued_at=expires_at - timedelta(days=30),
    )
    sealed = tokens.sealed(link.pk, version=1, access=Secret(access), refresh=Secret(refresh))
    Connection.objects.filter(pk=link.pk).update(**sealed)
    link.refresh_from_db()
    return link


def renew_at_once(connection_id: UUID, *, threads: int) -> Outcome:
    from django.db import connection as database

    from clio_sync import tokens
    from clio_sync.api.errors import ClioError
    from clio_sync.models import Connection

    outcome, start = Outcome(), threading.Barrier(threads)

    def work() -> None:
        try:
            link = Connection.objects.get(pk=connection_id)
            start.wait()
            token = tokens.fresh_token(link)
            outcome.tokens.append(hashlib.sha256(token.reveal().encode()).hexdigest())
        except ClioError as error:
            outcome.failures.append(type(error).__name__)
        finally:
            database.close()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    outcome.version = Connection.objects.get(pk=connection_id).token_version
    return outcome


def main(threads: int, held: dict[str, Any]) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.cast import Cast

    link = due_connection(Cast().dana, **held)
    print(json.dumps(asdict(renew_at_once(link.pk, threads=threads))))


if __name__ == "__main__":
    import tests.environment  # noqa: F401 - settings are read from the environment, so it comes first

    main(int(sys.argv[1]), json.load(sys.stdin))
