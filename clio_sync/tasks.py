"""Celery's doors. Each only says "look now"; the rows decide what is due."""

from __future__ import annotations

from celery import shared_task


@shared_task
def sweep() -> None:
    """Ring again for every delivery that is due."""
