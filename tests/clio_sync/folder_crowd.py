"""Many workers with documents for one new folder, in the same moment and through two connections.

DATABASE_URL=sqlite:////some/file CLIO_SANDBOX_URL=... python -m tests.clio_sync.folder_crowd
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.clio_sync.crowd import at_once

if TYPE_CHECKING:
    from tests.sandbox_process import SandboxProcess

DOCUMENTS = 6
PATH = ("Correspondence with the other side", "2026", "Smith")
LOOKS = 12


def everybody(clio: SandboxProcess) -> dict[str, Any]:
    from clio_sync import filing
    from clio_sync.models import Delivery, RateState
    from tests import factories
    from tests.cast import Cast
    from tests.clio_sync.filing_kit import office
    from tests.sandbox_process import BOB

    cast = Cast()
    firm = office(cast, clio)
    bobs = factories.connection(connected_by=cast.dana, owner=cast.bob, clio_user_id=BOB)
    factories.tokens_for(bobs, clio)
    RateState.objects.create(connection=bobs, limit=100_000)
    links = [(firm.link, cast.alice), (bobs, cast.bob)] * (DOCUMENTS // 2)
    rows = [
        factories.approved(firm.draft(f"paper {number}".encode(), new_folders=PATH), by=by, link=link).pk
        for number, (link, by) in enumerate(links)
    ]

    def work() -> None:
        for row in rows:
            filing.deliver(row)

    failures = []
    for _ in range(LOOKS):
        failures += at_once(work)
        filed = Delivery.objects.filter(pk__in=rows, state=Delivery.State.FILED).count()
        if filed == DOCUMENTS:
            break
        _wait_is_over(rows)
    return {"filed": filed, "failures": failures}


def later() -> None:
    """Leases of folders end, and no request about one is still on its way."""
    from django.utils import timezone

    from clio_sync.models import NewFolder

    past = timezone.now() - timedelta(minutes=5)
    NewFolder.objects.filter(lease_until__isnull=False).update(lease_until=past)
    NewFolder.objects.filter(intent_at__isnull=False).update(intent_at=past)


def _wait_is_over(rows: list[Any]) -> None:
    from django.utils import timezone

    from clio_sync.models import Delivery

    Delivery.objects.filter(pk__in=rows, lease_until=None).update(not_before=timezone.now())


def main() -> None:
    import os

    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.sandbox_process import SandboxProcess

    clio = SandboxProcess(data=None)  # type: ignore[arg-type]
    clio.api_url, clio.control_url = os.environ["CLIO_SANDBOX_URL"], os.environ["CLIO_SANDBOX_CONTROL_URL"]
    print(json.dumps(everybody(clio)))


if __name__ == "__main__":
    import tests.environment  # noqa: F401 - settings are read from the environment, so it comes first

    main()
