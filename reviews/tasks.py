"""Celery's doors of the reviews: short, and safe to run twice."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from portal import blobs
from reviews import outcomes

UNFINISHED_FOR = timedelta(days=1)


@shared_task
def tell_outcomes() -> None:
    """Hear from the deliveries what became of approved drafts, and tell their submitters."""
    outcomes.hear()


@shared_task
def sweep_unfinished_files() -> None:
    """Remove what a process that was killed while storing a file left behind."""
    blobs.sweep_temps(UNFINISHED_FOR)
