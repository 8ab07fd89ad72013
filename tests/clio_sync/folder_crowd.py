"""Many workers with documents for one new folder, in the same moment and through two connections.

    DATABASE_URL=sqlite:////some/file CLIO_SANDBOX_URL=... python -m tests.clio_sync.folder_crowd
    DATABASE_URL=... python -m tests.clio_sync.folder_crowd 40

With a number it does as many rounds, at a sandbox of its own.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.clio_sync.crowd import at_once

if TYPE_CHECKING:
    from tests.sandbox_process import SandboxProcess

DOCUMENTS = 6
PATH = ("Correspondence with the other side", "2026", "Smith")
LOOKS = 12


def everybody(clio: SandboxProcess, *, rounds: int = 1) -> dict[str, Any]:
    """What came of it: how many documents are filed, and what went wrong."""
    from clio_sync.models import RateState
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
    filed, failures = 0, list[str]()
    for turn in range(rounds):
        path = PATH if rounds == 1 else (f"Round {turn}", *PATH)
        drafts = [
            firm.draft(f"paper {turn}.{number}".encode(), new_folders=path) for number in range(DOCUMENTS)
        ]
        rows = [
            factories.approved(draft, by=by, link=link).pk
            for draft, (link, by) in zip(drafts, links, strict=True)
        ]
        failures += _rush(rows)
        filed += _filed(rows)
    return {"filed": filed, "failures": failures}


def _rush(rows: list[Any]) -> list[str]:
    """All workers look at all deliveries at once, again and again until each is filed."""
    from clio_sync import filing

    def work() -> None:
        for row in rows:
            filing.deliver(row)

    failures: list[str] = []
    for _ in range(LOOKS):
        failures += at_once(work)
        if _filed(rows) == len(rows):
            break
        _wait_is_over(rows)
    return failures


def _filed(rows: list[Any]) -> int:
    from clio_sync.models import Delivery

    return Delivery.objects.filter(pk__in=rows, state=Delivery.State.FILED).count()


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


def main(words: list[str]) -> None:
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    from tests.sandbox_process import SandboxProcess

    if words:
        print(json.dumps(_many(int(words[0]))))
        return
    clio = SandboxProcess(data=None)  # type: ignore[arg-type]
    clio.api_url, clio.control_url = os.environ["CLIO_SANDBOX_URL"], os.environ["CLIO_SANDBOX_CONTROL_URL"]
    print(json.dumps(everybody(clio)))


def _many(rounds: int) -> dict[str, Any]:
    import tempfile
    from pathlib import Path

    from django.conf import settings
    from django.test import override_settings

    from tests.sandbox_process import running_sandbox

    with tempfile.TemporaryDirectory() as folder, running_sandbox(Path(folder), rate_limit=100_000) as clio:
        aimed = {
            "CLIO_API_URLS": {**settings.CLIO_API_URLS, "sandbox": clio.api_url},
            "CLIO_SANDBOX_STORAGE_URL": clio.storage_url,
        }
        with override_settings(**aimed):
            outcome = everybody(clio, rounds=rounds)
        made = [call for call in clio.calls(route="folders.create") if call["status"] == 201]
        places = {document["folder_id"] for document in clio.documents()}
        wanted = rounds * (len(PATH) + (rounds > 1))
        return outcome | {"rounds": rounds, "made": len(made), "wanted": wanted, "places": len(places)}


if __name__ == "__main__":
    import tests.environment  # noqa: F401 - settings are read from the environment, so it comes first

    main(sys.argv[1:])
