"""Celery's doors of the reviews."""

from __future__ import annotations

from celery import shared_task


@shared_task
def tell_outcomes() -> None:
    """Tell each submitter what became of their draft."""
