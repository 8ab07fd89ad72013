"""What workers and beat do again and again, on a portal with a history (`bench.history`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.core.management import call_command
from django.utils import timezone

from bench import bulk, population
from clio_sync import claims, sweeping
from clio_sync.clock import database_now
from clio_sync.models import Delivery
from clio_sync.problems import Problem
from reviews import outcomes
from reviews.models import Draft

State, Hold = Delivery.State, Delivery.Hold

NOT_DONE: Final = {
    "state": "'queued'",
    "hold": "''",
    "done_at": "NULL",
    "clio_document_id": "NULL",
    "size_confirmed": "NULL",
    "sha256_sent": "''",
}


def fill(finished: int, *, under_way: int) -> None:
    """So many deliveries that ended long ago, and a few that have not; nobody is left to be told."""
    call_command("migrate", verbosity=0)
    population.populate(population.a_firm(), drafts=100, seed=1)
    Draft.objects.update(outcome_told_at=timezone.now())
    Delivery.objects.filter(done_at=None).update(hold=Hold.PERSON, problem=Problem.REFUSED)
    filed = Draft.objects.filter(delivery__state=State.FILED)
    template = filed.select_related("latest_version", "delivery__approval")[0]
    bulk.copy(template, first=1, count=finished)
    untold = {"outcome_told_at": "NULL"}
    bulk.copy(template, first=finished + 1, count=under_way, delivery=NOT_DONE, draft=untold)
    setattr(sweeping, "ring", _unheard)  # noqa: B010


def _unheard(delivery_id: UUID, *, after: float = 0.0) -> None:
    """The broker is not what is measured."""


def sweep() -> None:
    sweeping.sweep()


def claim() -> None:
    """Claimed, moved, and set down where it was."""
    due = Delivery.objects.due(timezone.now()).in_line().values_list("pk", flat=True)[0]
    delivery = claims.claim(due)
    assert delivery is not None
    claims.move(delivery, to=State.RESERVING)
    claims.set_down(
        delivery,
        hold=Hold.LIMIT,
        state=State.QUEUED,
        problem=Problem.LIMIT,
        until=database_now(),
        is_attempt=False,
    )


ROUND: Final[dict[str, Callable[[], None]]] = {"sweep": sweep, "claim": claim, "hear": outcomes.hear}
"""By the name that their figures bear."""
