"""Celery's doors. Each only says "look now"; the rows decide what is due."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from clio_sync import filing, hygiene, sweeping, tending


@shared_task
def deliver(delivery_id: str) -> None:
    """Look at one delivery; its row decides whether anything is to be done."""
    filing.deliver(UUID(delivery_id))


@shared_task
def sweep() -> None:
    """Ring again for the deliveries that are due."""
    sweeping.sweep()


@shared_task
def remove_litter() -> None:
    """Remove from Clio what was begun there and will never be finished."""
    hygiene.remove_litter()


@shared_task
def tend_connections() -> None:
    """Tell of connections that broke; end those of people who left."""
    tending.tend()
